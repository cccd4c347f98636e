"""A case as rows: its times in order, its activities as lines of an export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audit.cases.case import Case
from audit.cases.done import Activity
from audit.cases.opened import Grant
from audit.log.read import LoggedEvent
from audit.packs.exports import Line
from audit.packs.filters import clock


@dataclass(frozen=True)
class Time:
    """Something that happened at a time (ms), by somebody."""

    at: int
    what: str
    by: str = ""


def times(case: Case) -> list[Time]:
    """What happened, in order."""
    return sorted(_times(case), key=lambda each: each.at)


def _times(case: Case) -> Iterator[Time]:
    asked = case.asked
    if asked is not None:
        yield Time(asked.at, "took access by bypass" if asked.mode == "bypass" else "asked for access", asked.by)
        yield from (Time(each.at, "gave what was owed", asked.by) for each in asked.more)
    yield from (Time(at, "has seen the request", person) for person, at in case.seen)
    yield from (Time(each.at, "approved" if each.approved else "declined", each.by) for each in case.decisions)
    if case.ended_as and case.ended_as != "declined" and case.decided_at is not None:
        yield Time(case.decided_at, f"the request was {case.ended_as}")
    for each in case.extensions:
        if each.asked_at is not None:
            yield Time(
                each.asked_at,
                f"asked for {each.minutes} more minute{'' if each.minutes == 1 else 's'}",
                asked.by if asked else "",
            )
        if each.decided_at is not None:
            yield Time(
                each.decided_at, "more time was given" if each.given else "more time was declined", each.decided_by
            )
    if case.grant is not None:
        yield from _of_grant(case.grant, asked.by if asked else "")
    yield from (Time(each.at, f"an attempt to {each.act} did not work") for each in case.troubles)
    if case.review is not None and case.review.submitted_at is not None:
        yield Time(case.review.submitted_at, "submitted the review", case.review.reviewer)
    second = case.review.second if case.review else None
    if second is not None:
        yield Time(second.asked_at, "a second reviewer was asked")
        if second.submitted_at is not None:
            word = "confirmed the review" if second.agrees else "disagreed with the review"
            yield Time(second.submitted_at, f"{word} as its second reviewer", second.reviewer)


def _of_grant(grant: Grant, responder: str) -> Iterator[Time]:
    rows = (
        (grant.opened_at, "access was opened on the target", ""),
        *((at, f"saw the {'secret' if grant.sealed else 'password'}", responder) for at in grant.revealed),
        (grant.over_at, OVER.get(grant.over, "the time was over"), grant.over_by),
        *_gone(grant),
    )
    yield from (Time(at, what, by) for at, what, by in rows if at is not None)
    if grant.failed and grant.ended_at is not None:
        yield Time(grant.ended_at, f"access was not opened: {grant.failed}", grant.over_by)


def _gone(grant: Grant) -> tuple[tuple[int | None, str, str], ...]:
    """A sealed account stays, and so does a secret that was shown, until it is replaced."""
    if not grant.sealed:
        return (
            (grant.removed_at, "the right was taken away on the target", ""),
            (grant.confirmed_at, "the target was read: right and sessions are gone", ""),
        )
    return (
        (grant.confirmed_at, "the target was read: no session is left that the portal can see", ""),
        (grant.replace_owed_at, "a new secret was owed: the one that was shown works until then", ""),
        (grant.replaced_at, "the secret was replaced: the one that was shown works no more", ""),
        (grant.replacement_tried_at, "the new secret was tried, and the target took it", ""),
    )


OVER = {"returned": "said that they are done", "expired": "the time was over", "revoked": "ended the access"}


def as_line(activity: Activity, case: Case, event: LoggedEvent | None, names: Mapping[str, str]) -> Line:
    """One activity of a case as a line of an export."""
    asked, fields = case.asked, event.fields if event else {}
    person = asked.by if asked else ""
    return {
        "activity_id": activity.id, "log_index": activity.index, "at": activity.at, "at_utc": clock(activity.at),
        "system_id": asked.system_id if asked else "", "system": asked.system if asked else "", "case_id": case.id,
        "grant_id": case.grant.id if case.grant else "", "person_id": person, "person": names.get(person, ""),
        "session_id": activity.session_id, "source_id": fields.get("source_id", ""), "source_number": activity.number,
        "class": activity.class_, "at_least": int(activity.at_least), "outcome": activity.outcome,
        "state_code": activity.state_code, "not_intended": int(activity.outside and not case.unnamed), "object": activity.object,
        "statement": activity.statement, "statement_length": activity.length, "received_at": fields.get("received_at"),
    }  # fmt: skip
