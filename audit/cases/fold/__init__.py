"""Folds the events of one case, in their order, into what can be said of it. Pure: same events, same case."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from audit.cases.case import Case
from audit.cases.done import ALWAYS_IN, Accepted, Activity
from audit.cases.fold import alerts, grants, judging, requests, target
from audit.cases.fold.state import Folding, Handler
from audit.log.read import LoggedEvent

HANDLERS: dict[str, Handler] = {}
for _family in (requests, alerts, grants, target, judging):
    HANDLERS.update(_family.HANDLERS)


def fold(case_id: object, events: Iterable[LoggedEvent]) -> Case:
    """The case as its events tell it, sealed or not yet. Events of one time keep the order in which they are given."""
    folding = Folding(str(case_id))
    for event in events:
        if event.index is not None:
            folding.position = max(event.index, folding.position if folding.position is not None else -1)
        if "by_name" in event.personal:
            folding.by_names[event.by] = event.personal["by_name"]
        handler = HANDLERS.get(event.name) or (requests.refused if event.name.endswith("_refused") else None)
        if handler:
            handler(folding, event)
    return _case(folding)


def with_secret(case: Case, replacements: Iterable[LoggedEvent]) -> Case:
    """The case with what became of its secret: a custodian replaces it after the use, so those entries are of the account, and name the grant."""
    if case.grant is None or not case.grant.secret_known:
        return case
    folding = Folding(case.id, grant=case.grant)
    for event in replacements:
        if event.name in grants.REPLACED and event.case != case.id:
            grants.HANDLERS[event.name](folding, event)
    return replace(case, grant=folding.grant)


def _case(done: Folding) -> Case:
    return Case(
        done.id, done.asked, tuple(done.decisions), tuple(done.seen), tuple(done.questions.values()),
        done.ended_as, done.decided_at, tuple(done.alerts.values()),
        done.grant, tuple(done.extensions.values()), tuple(done.troubles), tuple(done.read_backs), tuple(done.sessions.values()),
        tuple(_activities(done)), tuple(done.verdicts.values()), done.review, judging.accepted(done), tuple(done.findings.values()),
        tuple(done.refusals), done.position, done.by_names,
    )  # fmt: skip


def _activities(done: Folding) -> list[Activity]:
    """Failed ones first, then those outside the intent, each by their time on the target."""
    intended = ALWAYS_IN.union(done.asked.classes if done.asked else ())
    accepted = judging.accepted(done)
    known = [_activity(done, intended, accepted, each) for each in done.activities.values()]
    return sorted(known, key=lambda each: (not each.failed, not each.outside, each.at, each.session_id, each.number))


def _activity(done: Folding, intended: frozenset[str], accepted: Accepted, each: Activity) -> Activity:
    """With what came later; most actions stay as they were written, and there may be many."""
    changes: dict[str, Any] = {}
    if each.class_ not in intended:
        changes["outside"] = True
    if accepted.holds(each.id, each.session_id, each.class_, each.index):
        changes["accepted"] = True
    if each.id in done.learned:
        changes["outcome"], changes["state_code"] = done.learned[each.id]
    return replace(each, **changes) if changes else each
