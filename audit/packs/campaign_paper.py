"""The report of an attestation as a PDF for the file: from the sealed log alone, up to a position; every line is attached as CSV."""

import hashlib
from collections.abc import Mapping

from django.conf import settings

from audit.inert_csv import csv_file
from audit.packs.campaign import NAMES, Campaign, Line, NoSuchCampaign, told
from audit.packs.exports import listed
from audit.packs.gone import sentence
from audit.packs.grown import since_before
from audit.packs.known import known_at
from audit.packs.position import Position, as_files, newest
from audit.packs.printing import filled
from audit.packs.proofs import NAME, of_entries
from audit.packs.reading import ids_in, of_campaign
from audit.packs.render import Attachment, Limits, Metadata, render_pdf
from audit.packs.signing import sign, signing_key

MOST_PRINTED = 500
LIMITS = Limits(seconds=120)
COLUMNS = (
    "item_id", "line", "kind", "judge_id", "judge", "owner_id", "shown_at", "evidence_opened_at", "decision", "decided_at", "reason",
    "risk", "kept_together", "removal",
)  # fmt: skip
TITLES = {
    "eligibility": "Who may ask for access",
    "roles": "Who holds which role",
    "accounts": "Sealed accounts",
}


def made(campaign_id: str, position: Position, *, signed: bool, demo: bool) -> bytes:
    """Draw the report of an attestation as the log tells it up to a position.

    Raises:
        RenderFailed: the PDF cannot be made.
        NoSuchCampaign: the log knows none up to there.
    """
    events = list(of_campaign(position.size, campaign_id, NAMES))
    try:
        campaign = told(campaign_id, events)
    except NoSuchCampaign as never:
        raise NoSuchCampaign(f"{never}{sentence()}") from never
    known = known_at(position.size)
    proven = of_entries({each.index for each in events} | known.naming(ids_in(events)), position)
    grown = since_before(position)
    files = [_lines(campaign, known.people), *as_files(position), *grown.files, proven.file]
    html = filled(
        "campaign.html",
        _context(campaign, position, known.people, known.systems, files, proven.proved)
        | {"signed": signed, "demo": demo, "proven": proven, "grown": grown},
    )
    return render_pdf(html, files, _metadata(campaign, position), limits=LIMITS)


def report_of_campaign(campaign_id: str) -> bytes:
    """The report up to the newest position, signed where there is a key.

    Raises:
        NoPosition: nothing is sealed yet.
        RenderFailed, NoSuchCampaign: as `made`.
    """
    key = signing_key()
    pdf = made(campaign_id, newest(), signed=key is not None, demo=settings.PORTAL_DEMO)
    return sign(pdf, key) if key else pdf


def _lines(campaign: Campaign, names: Mapping[str, str]) -> Attachment:
    rows = [_row(line, names) for line in campaign.lines.values()]
    made_of = b"".join(csv_file(COLUMNS, rows))
    return Attachment("lines.csv", made_of, "text/csv", "Every line; a cell that looks like a formula begins with '")


def _row(line: Line, names: Mapping[str, str]) -> tuple[object, ...]:
    """In the order of the columns."""
    return (
        line.item, line.label, line.kind, line.judge, names.get(line.judge or ""), line.owner, line.shown_at, line.opened_at, line.decision,
        line.decided_at, line.reason, line.risk, line.together, line.removal,
    )  # fmt: skip


def _context(
    campaign: Campaign,
    position: Position,
    names: Mapping[str, str],
    systems: Mapping[str, str],
    files: list[Attachment],
    proved: int,
) -> dict[str, object]:
    ordered = sorted(campaign.lines.values(), key=_order)
    system = campaign.started.fields.get("system_id")
    started = campaign.started.fields
    return {
        "campaign": campaign, "what": TITLES.get(started["kind"], started["kind"]), "system": systems.get(system, system) if system else "All systems",
        "unmatched": campaign.unmatched, "second_says": campaign.started.says("second_says"),
        "started": started, "closed": campaign.closed.fields if campaign.closed else None, "closed_by": campaign.closed.by if campaign.closed else None,
        "counts": campaign.counts, "lines": ordered[:MOST_PRINTED], "total": len(ordered), "names": names, "proof": position,
        "attachments": listed(files, {"lines.csv": len(ordered)} | {NAME: proved}),
    }  # fmt: skip


def _order(line: Line) -> tuple[int, str]:
    """What is worth reading first: not decided, removed, kept at high risk, the rest."""
    place = {"": 0, "revoke": 1, "modify": 2}.get(line.decision, 3 if line.risk == "high" else 4)
    return place, line.label


def _metadata(campaign: Campaign, position: Position) -> Metadata:
    seed = f"campaign {campaign.id} {position.size} {position.root}"
    return Metadata(
        f"Report of campaign {campaign.id}", "Breakglass Portal", f"One attestation, at log position {position.size}", position.at,
        hashlib.sha256(seed.encode()).hexdigest(),
    )  # fmt: skip
