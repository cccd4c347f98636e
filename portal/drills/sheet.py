"""The drill sheet: it fills itself from the log of the case. Pure but for the events that it is given.

A step is ``ok``, ``failed``, ``open`` (may still come) or ``none`` (the system has no such thing, which is said).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from audit.log.read import LoggedEvent
from portal.drills import kept_accounts
from portal.drills.kept_accounts import Kept
from portal.drills.lines import Step, seconds
from portal.policy.rules import count

GOOD, UNSETTLED = frozenset({"complete", "reconciled"}), frozenset({"pending", "unknown"})
NO_SOURCE = "No log of this system is gathered, so nothing can come back from it."


@dataclass(frozen=True)
class Limits:
    """What the policy and the system say: minutes, and whether a log of the target is gathered."""

    alert_minutes: int
    removal_grace_minutes: int
    gathered: bool


def sheet(events: Sequence[LoggedEvent], limits: Limits, *, over: bool, accounts: Kept | None = None) -> list[Step]:
    """All steps in their order. ``over``: nothing more will come, so that what is still open has failed; but for a new secret, which has its own time."""
    named = _Named(events)
    steps = [
        _told(named, limits), _answered(named), _approved(named), _opened(named), _gathered(named, limits), _record(named, limits),
        _ended(named, limits), *(kept_accounts.steps(events, accounts) if accounts else ()),
    ]  # fmt: skip
    return [
        Step(each.name, "failed", each.told, each.at)
        if over and each.result == "open" and each.name != "rotated"
        else each
        for each in steps
    ]


def kept(steps: Iterable[dict[str, Any]]) -> list[Step]:
    """A sheet as it was found."""
    return [Step(**each) for each in steps]


class _Named:
    def __init__(self, events: Sequence[LoggedEvent]) -> None:
        self.events = events

    def all(self, *names: str) -> list[LoggedEvent]:
        return [each for each in self.events if each.name in names]

    def last(self, *names: str) -> LoggedEvent | None:
        return next(reversed(self.all(*names)), None)

    def first(self, *names: str) -> LoggedEvent | None:
        return next(iter(self.all(*names)), None)


def _told(named: _Named, limits: Limits) -> Step:
    queued = {
        each.fields["alert_id"]: each.at for each in named.all("alert.queued") if each.fields["kind"] == "request.asked"
    }
    sent = {each.fields["alert_id"]: each.fields["sent_at"] for each in named.all("alert.sent")}
    took = [sent[alert] - at for alert, at in queued.items() if alert in sent]
    if not queued:
        return Step("told", "failed", "Nobody was to be told.")
    said = f"{len(took)} of {count(len(queued), 'alert', 'alerts').lower()} left the portal"
    if len(took) < len(queued):
        return Step("told", "open", f"{said}.")
    in_time = max(took) <= limits.alert_minutes * 60_000
    late = (
        ""
        if in_time
        else f", later than the {count(limits.alert_minutes, 'minute', 'minutes').lower()} that the policy gives"
    )
    return Step(
        "told", "ok" if in_time else "failed", f"{said}, the last after {seconds(max(took))}{late}.", max(sent.values())
    )


def _answered(named: _Named) -> Step:
    asked = named.first("request.made")
    about = {each.fields["alert_id"] for each in named.all("alert.queued") if each.fields["kind"] == "request.asked"}
    answers = [
        each
        for each in named.all("request.seen", "request.approved", "request.declined", "alert.acknowledged")
        if (asked is None or each.by != asked.by)
        and (each.name != "alert.acknowledged" or each.fields["alert_id"] in about)
    ]
    if not answers:
        return Step("answered", "open", "Nobody has said that they have seen it.")
    people, first = {each.by for each in answers}, answers[0]
    after = f", the first after {seconds(first.at - asked.at)}" if asked else ""
    said = f"{count(len(people), 'person', 'people')} said that they have seen it, or decided{after}."
    return Step("answered", "ok", said, first.at)


def _approved(named: _Named) -> Step:
    last = named.last("request.approved")
    no = named.last("request.declined", "request.withdrawn", "request.lapsed")
    if no:
        words = {
            "request.declined": "It was declined.",
            "request.withdrawn": "It was taken back.",
            "request.lapsed": "Nobody decided in time.",
        }
        return Step("approved", "failed", words[no.name], no.at)
    if last is None:
        return Step("approved", "open", "Not yet.")
    given, needed = last.fields["approvals"], last.fields["approvals_needed"]
    return Step(
        "approved",
        "ok" if given >= needed else "open",
        f"{given} of {count(needed, 'approval', 'approvals').lower()}.",
        last.at,
    )


def _opened(named: _Named) -> Step:
    opened, decided = named.last("grant.activated"), named.last("request.approved")
    if opened is None:
        failed = named.last("grant.failed")
        return (
            Step("opened", "failed", "It could not be opened.", failed.at)
            if failed
            else Step("opened", "open", "Not yet.")
        )
    at = int(opened.fields["opened_at"])
    after = f" {seconds(at - decided.at)} after the last approval" if decided else ""
    return Step("opened", "ok", f"Open{after}.", at)


def _gathered(named: _Named, limits: Limits) -> Step:
    found = named.all("activity.recorded")
    if not limits.gathered:
        return Step("gathered", "none", NO_SOURCE)
    if not found:
        return Step("gathered", "open", "Nothing that was done came back yet.")
    last = found[-1]
    delay = max(0, last.fields["received_at"] - last.fields["happened_at"])
    return Step(
        "gathered",
        "ok",
        f"{count(len(found), 'action', 'actions')} came back, the last after {seconds(delay)}.",
        last.at,
    )


def _record(named: _Named, limits: Limits) -> Step:
    """Of each window of each source the newest verdict counts, and the record is as good as the worst of them."""
    if not limits.gathered:
        return Step("record", "none", NO_SOURCE)
    judged = {
        (each.fields.get("source_id"), each.fields.get("window_id")): each
        for each in named.all("completeness.judged")
        if each.fields.get("grant_id")
    }
    verdicts = {str(each.fields["verdict"]) for each in judged.values()}
    if not verdicts or verdicts & UNSETTLED:
        return Step("record", "open", "Not judged yet.")
    at, bad = max(each.at for each in judged.values()), sorted(verdicts - GOOD)
    said = f"The record of this access is {' and '.join(bad or sorted(verdicts))}."
    return Step("record", "failed" if bad else "ok", said, at)


def _ended(named: _Named, limits: Limits) -> Step:
    ended = named.last("grant.ended")
    if ended is None:
        return Step("ended", "open", "Not yet.")
    took = int(ended.fields["confirmed_at"]) - int(ended.fields["over_at"])
    in_time = took <= limits.removal_grace_minutes * 60_000
    return Step(
        "ended",
        "ok" if in_time else "failed",
        f"The target confirmed after {seconds(took)} that nothing is left.",
        int(ended.fields["confirmed_at"]),
    )
