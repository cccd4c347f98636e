"""Where a case stands, in one word for machines and some for people."""

from dataclasses import dataclass

from audit.cases.case import Case
from audit.cases.opened import Grant


@dataclass(frozen=True)
class Status:
    """A status with its looks."""

    code: str
    label: str
    tone: str
    icon: str


STATUSES = {
    each.code: each
    for each in (
        Status("awaiting", "Waiting for approval", "attention", "clock"),
        Status("declined", "Declined", "quiet", "ban"),
        Status("withdrawn", "Withdrawn", "quiet", "arrow-left"),
        Status("lapsed", "Lapsed", "quiet", "hourglass"),
        Status("authorised", "May be opened", "accent", "circle-dashed"),
        Status("opening", "Opening", "accent", "circle-dashed"),
        Status("open", "Open", "glass", "lock-open"),
        Status("closing", "Ending: still live until read back", "glass", "hourglass"),
        Status("failed", "Not opened", "attention", "alert-triangle"),
        Status("ended", "Ended, not reviewed yet", "attention", "clipboard-list"),
        Status("reviewed", "Reviewed", "good", "clipboard-check"),
        Status("unknown", "Not told by the log", "quiet", "help-circle"),
    )
}
VERDICTS = {
    "complete": ("Complete", "good", "circle-check"),
    "reconciled": ("Reconciled", "good", "circle-check"),
    "gap": ("Gap", "attention", "alert-triangle"),
    "pending": ("Pending", "attention", "clock"),
    "unknown": ("Unknown", "quiet", "help-circle"),
    "not covered": ("Not covered", "quiet", "help-circle"),
}


def status_of(case: Case) -> Status:
    """The status that the case's events give."""
    return STATUSES[_code(case)]


def _code(case: Case) -> str:
    if case.asked is None:
        return "unknown"
    if case.ended_as:
        return case.ended_as
    if case.grant is not None:
        return _of_grant(case.grant, reviewed=bool(case.review and case.review.done_at))
    return "authorised" if case.decided_at is not None else "awaiting"


def _of_grant(grant: Grant, *, reviewed: bool) -> str:
    if grant.failed or (grant.confirmed_at is not None and grant.opened_at is None):
        return "failed"
    if grant.confirmed_at is not None:
        return "reviewed" if reviewed else "ended"
    if grant.over:
        return "closing"
    if grant.opened_at is not None:
        return "open"
    return "opening" if grant.attempts else "authorised"
