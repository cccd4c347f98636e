"""Questions about facts arrive answered from the log: is the record whole (Q06), and is access gone (Q07). The reviewer may say otherwise, and says why.

Only what the log says for itself is taken; what it does not say makes the answer "not sure", never "yes".
"""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.log.read import LoggedEvent, in_window, of_case
from audit.moments import dates, utc
from portal.notifications.inert import one_line
from portal.reviews.models import Review
from portal.reviews.questions import ANSWERS, NO, UNSURE, YES

WHOLE, GONE = "Q06", "Q07"
JUDGED = "completeness.judged"
ACTIVATED, READ_BACK, REVEALED = "grant.activated", "grant.read_back", "grant.revealed"
GOOD = frozenset({"complete", "reconciled"})
MOST_SAID = 5
LASTS = "it outlives this access, and has to be rotated."
LATE_MS = 3_600_000  # an orphan session may be told of so much later than it began


@dataclass(frozen=True)
class FromLog:
    """An answer that the log gives, and the sentences that it rests on."""

    question: str
    answer: str
    says: tuple[str, ...]

    @property
    def word(self) -> str:
        """The answer as it is shown."""
        return ANSWERS[self.answer]

    @property
    def comment(self) -> str:
        """What an adverse answer needs as its comment."""
        return "" if self.answer == YES else f"The log says: {' '.join(self.says)}"[:2000]


def answers_from_log(review: Review) -> dict[str, FromLog]:
    """Both, by question. Two statements. Of a use of offline cards the log says neither: no source was judged for it, and nothing was read back."""
    if review.grant is None:
        return {}
    events = of_case(review.log_case, (JUDGED, ACTIVATED, READ_BACK, REVEALED))
    return {WHOLE: _whole(review, events), GONE: _gone(events)}


def _whole(review: Review, events: Iterable[LoggedEvent]) -> FromLog:
    judged = {
        (event.fields["source_id"], event.fields["window_id"]): event
        for event in events
        if event.name == JUDGED and event.fields["kind"] == "grant"
    }
    verdicts = [event.fields["verdict"] for event in judged.values()]
    strange = _unexplained(review)
    said = [sentence for event in judged.values() for sentence in _verdict(event)] or [
        "No source has been judged for this use yet, so nobody knows whether the record is whole."
    ]
    if strange:
        said.append(f"{strange} connection{'s' if strange > 1 else ''} that no grant explains fell into this time.")
    if "gap" in verdicts:
        return FromLog(WHOLE, NO, tuple(said))
    whole = bool(verdicts) and set(verdicts) <= GOOD and not strange
    return FromLog(WHOLE, YES if whole else UNSURE, tuple(said))


def _verdict(event: LoggedEvent) -> list[str]:
    given = event.fields
    missing = ", ".join(one_line(each, 80) for each in given.get("ranges", [])[:MOST_SAID])
    reasons = [dates(one_line(each, 300)) for each in given.get("reasons", [])[:MOST_SAID]]
    found = [f"The record is {given['verdict']}, judged at {utc(event.at)}."]
    return [*found, *([f"Missing: {missing}."] if missing else []), *reasons]


def _unexplained(review: Review) -> int:
    """Sessions on the system, in the time of this use, that nothing explains."""
    grant = review.grant
    if grant is None or grant.opened_at is None or grant.ended_at is None:
        return 0
    from_at, to_at = (int(each.timestamp() * 1000) for each in (grant.opened_at, grant.ended_at))
    found = in_window("session.unmatched", from_at, to_at + LATE_MS)
    return sum(
        event.fields["system_id"] == str(grant.system_id) and from_at <= event.fields["started_at"] < to_at
        for event in found
    )


def _gone(events: Iterable[LoggedEvent]) -> FromLog:
    told = list(events)
    reads = [event for event in told if event.name == READ_BACK]
    shown = sum(event.name == REVEALED for event in told)
    if not reads:
        return FromLog(GONE, UNSURE, ("The target was not read back yet, so access may still be there.",))
    last = reads[-1].fields
    if not last["clear"]:
        left = ", ".join(one_line(each, 120) for each in last["remainders"][:MOST_SAID])
        return FromLog(
            GONE, NO, (f"When it was read back at {utc(last['read_at'])}, the target still showed: {left}.",)
        )
    lasting = any(event.fields.get("exposes_secret") for event in told if event.name in (ACTIVATED, REVEALED))
    sealed = any(event.fields.get("account_id") for event in told if event.name == ACTIVATED)
    left = "no session is left that the portal can see" if sealed else "neither the right nor a live session is left"
    said = [f"Read back from the {last['read_back_from']} at {utc(last['read_at'])}: {left}."]
    if shown:
        times = "once" if shown == 1 else f"{shown} times"
        said.append(
            f"The {'secret' if sealed else 'password'} was shown {times}; "
            + (LASTS if lasting else "it belonged to a login that is gone.")
        )
    sure = last["read_back_from"] == "target" and not lasting
    return FromLog(GONE, YES if sure else UNSURE, tuple(said))
