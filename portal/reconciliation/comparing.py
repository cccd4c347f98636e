"""Holds the live tables of requests and grants against the log, once a day. The result is an event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from audit.log.append import Actor, action, append, process
from audit.log.heartbeats import beat
from audit.log.read import LoggedEvent, follow, of_subject
from portal.access_requests import states as request_states
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.grants import states as grant_states
from portal.grants.models import Grant
from portal.locks import alone
from portal.reconciliation.sources import last_tries

KIND = "comparison"
EVERY = timedelta(days=1)
BATCH = 2_000
MOST = 100  # differences that are named in the event
RECONCILIATION = process("reconciliation")


@dataclass(frozen=True)
class Table:
    """One table whose states the log tells as well. ``after`` gives the state after an event, as the log alone knows it."""

    model: type[AccessRequest] | type[Grant]
    prefix: str
    final: frozenset[str]
    events: tuple[str, ...]

    def after(self, event: LoggedEvent, before: str) -> str:
        """The state after the event."""
        if self.model is AccessRequest:
            return _request_after(event, before)
        return _GRANT_AFTER[event.name]


_GRANT_AFTER: Mapping[str, str] = {
    "grant.authorised": grant_states.AUTHORISED,
    **{move.event: move.target for move in grant_states.MOVES.values()},
}
_REQUEST_AFTER: Mapping[str, str] = {
    "request.made": request_states.AWAITING,
    **{move.event: move.target for move in request_states.MOVES.values()},
}


def _request_after(event: LoggedEvent, before: str) -> str:
    """A bypass is born approved; an approval that is not the last leaves it waiting."""
    if event.name == "request.made" and event.fields["mode"] == "bypass":
        return request_states.APPROVED
    if event.name == "request.approved" and event.fields["approvals"] < event.fields["approvals_needed"]:
        return before
    return _REQUEST_AFTER[event.name]


TABLES = (
    Table(AccessRequest, "request:", request_states.FINAL, tuple(_REQUEST_AFTER)),
    Table(Grant, "grant:", grant_states.FINAL, tuple(_GRANT_AFTER)),
)


def compare_due() -> int:
    """Compare if the last time is a day ago; returns how many differences were found."""
    with alone(KIND) as held:
        last = last_tries(KIND).get("all")
        if not held or (last is not None and now() - last.at < EVERY):
            return 0
        found = compare(by=RECONCILIATION)
        beat(f"{KIND}:all", {"differences": len(found)})
        return len(found)


def compare(*, by: Actor) -> list[str]:
    """Compare all that is not over, in the table or in the log; returns the differences as short texts."""
    found = [each for table in TABLES for each in differences(table)]
    record(by=by, found=found)
    return found


@action(event="reconciliation.compared")
def record(*, by: Actor, found: list[str]) -> None:
    """Say what a comparison found."""
    named = found if len(found) <= MOST else [*found[:MOST], f"and {len(found) - MOST} more"]
    append("reconciliation.compared", by=by, ok=not found, differences=named)


def differences(table: Table) -> list[str]:
    """Rows whose state is not what the log says."""
    told = _states_in_log(table)
    model: Any = table.model
    rows = {str(pk): state for pk, state in model.objects.exclude(state__in=table.final).values_list("pk", "state")}
    suspects = {key for key, state in told.items() if state not in table.final} | set(rows)
    return [text for key in sorted(suspects) if rows.get(key) != told.get(key) and (text := _looked_at(table, key))]


def _looked_at(table: Table, key: str) -> str:
    """Look again under the row's lock, unsealed events included: what moved meanwhile is no difference."""
    model: Any = table.model
    with transaction.atomic():
        row = model.objects.select_for_update(of=("self",)).filter(pk=key).first()
        told = _fold(table, of_subject(table.prefix + key, table.events)).get(key, "nothing")
        kept = row.state if row else "nothing"
    return "" if kept == told else f"{table.prefix}{key}: table {kept}, log {told}"


def _states_in_log(table: Table) -> dict[str, str]:
    states: dict[str, str] = {}
    after = 0
    while True:
        events = follow(after, table.events, BATCH)
        states |= _fold(table, events, states)
        if len(events) < BATCH:
            return states
        after = (events[-1].index or 0) + 1


def _fold(table: Table, events: Iterable[LoggedEvent], before: Mapping[str, str] | None = None) -> dict[str, str]:
    states = dict(before or {})
    for event in events:
        key = event.subject.removeprefix(table.prefix)
        states[key] = table.after(event, states.get(key, ""))
    return states
