"""One attestation as the log tells it: its list, who had to judge each line, what was decided, and what came of removals."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.log.read import LoggedEvent

NAMES = (
    "campaign.started", "campaign.item_listed", "campaign.item_reassigned", "campaign.item_shown", "campaign.evidence_opened",
    "campaign.item_decided", "campaign.bulk_kept", "campaign.removal_read_back", "campaign.closed",
)  # fmt: skip


class NoSuchCampaign(LookupError):
    """The log knows no such attestation; the text is a sentence for people."""


@dataclass
class Line:
    """One line; times in milliseconds since 1970 UTC, people by pseudonym. ``judge`` is whom it is put to, or who decided."""

    item: str
    label: str
    kind: str
    judge: str | None
    owner: str
    shown_at: int | None = None
    opened_at: int | None = None
    decision: str = ""
    decided_at: int | None = None
    reason: str = ""
    risk: str = ""
    together: bool = False
    gone: bool | None = None

    @property
    def removal(self) -> str:
        """What the target showed after a removal, in words."""
        if self.decision not in ("modify", "revoke"):
            return ""
        return {None: "not read back yet", True: "gone", False: "still there"}[self.gone]


@dataclass
class Campaign:
    """The whole. ``mixed``: how often lines of different risk were kept together."""

    id: str
    started: LoggedEvent
    closed: LoggedEvent | None = None
    lines: dict[str, Line] = field(default_factory=dict)
    mixed: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Lines by decision; those without one under ``undecided``."""
        found = dict.fromkeys(("keep", "modify", "revoke", "undecided"), 0)
        for line in self.lines.values():
            found[line.decision or "undecided"] += 1
        return found

    @property
    def unmatched(self) -> bool:
        """Whether one of the two counts has what the other has not."""
        told = self.started.fields
        sides = (told.get("only_listed"), told.get("only_elsewhere"))
        return any(sides) or told.get("second_count") not in (None, told["item_count"])

    @property
    def nobody(self) -> list[Line]:
        """Lines on which nobody may decide, each with whom it is escalated to."""
        return [line for line in self.lines.values() if line.judge is None and not line.decision]

    @property
    def judges(self) -> list[tuple[str, int, int, int]]:
        """Each judge with the lines put to them, those decided, and those of which they looked at the evidence; most lines first."""
        found: dict[str, list[Line]] = {}
        for line in self.lines.values():
            if line.judge is not None:
                found.setdefault(line.judge, []).append(line)
        rows = [
            (
                judge,
                len(lines),
                sum(bool(each.decision) for each in lines),
                sum(each.opened_at is not None for each in lines),
            )
            for judge, lines in found.items()
        ]
        return sorted(rows, key=lambda row: (-row[1], row[0]))


def told(identity: str, events: Iterable[LoggedEvent]) -> Campaign:
    """Fold the entries of one attestation, in the order of the log.

    Raises:
        NoSuchCampaign: none of them begins it.
    """
    found: Campaign | None = None
    for event in events:
        if event.fields.get("campaign_id") != identity:
            continue
        if event.name == "campaign.started":
            found = Campaign(identity, event)
        elif found is not None:
            _take(found, event)
    if found is None:
        raise NoSuchCampaign("The log knows no such campaign up to here. It is sealed within seconds; try again.")
    return found


def _take(campaign: Campaign, event: LoggedEvent) -> None:
    fields = event.fields
    if event.name == "campaign.closed":
        campaign.closed = event
    elif event.name == "campaign.bulk_kept":
        campaign.mixed += fields["mixed_risk"]
    elif event.name == "campaign.item_listed":
        campaign.lines[fields["item_id"]] = Line(
            fields["item_id"],
            event.says("label"),
            fields["subject_kind"],
            fields.get("reviewer_id"),
            fields["owner_id"],
        )
    elif fields["item_id"] in campaign.lines:
        _of_line(campaign.lines[fields["item_id"]], event)


def _of_line(line: Line, event: LoggedEvent) -> None:
    fields = event.fields
    if event.name == "campaign.item_reassigned":
        line.judge, line.owner, line.shown_at, line.opened_at = fields.get("to_id"), fields["owner_id"], None, None
    elif event.name == "campaign.item_shown":
        line.shown_at = line.shown_at or event.at
    elif event.name == "campaign.evidence_opened":
        line.opened_at = line.opened_at or event.at
    elif event.name == "campaign.removal_read_back":
        line.gone = not fields["access_present"]
    elif fields["decision"] == "transfer":
        line.judge, line.owner, line.shown_at, line.opened_at = fields["to_id"], fields["to_id"], None, None
    else:
        line.judge, line.decision, line.decided_at = event.by, fields["decision"], event.at
        line.reason, line.risk, line.together = event.says("reason"), fields.get("risk", ""), "bulk_id" in fields
