"""What is due is done, whoever asks: beat and ``manage.py watch`` call the same function, independently.

Ends come before openings, and all of them before warnings. Grants' processes run side by side, each with a database connection of its
own, and a slow target holds up neither the others nor the next look. Ends have hands of their own: what opens may wait for the log's seal.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connection

from audit.log.append import Actor, action, process
from audit.log.heartbeats import beat
from portal.access_requests.facts import who_where_what
from portal.clock import now
from portal.errors import Refused
from portal.grants import ending, extending, narrowing, opening, stopping
from portal.grants.actions import locked
from portal.grants.lanes import Lanes, Work, wait_for
from portal.grants.models import Grant
from portal.grants.queries import due_to_expire, due_to_try, extensions_to_apply, open_of_who_left, to_warn
from portal.grants.states import ACTIVE, CLOSING
from portal.notifications.outbox import tell
from portal.sweeping import done

WARNED_AT_ONCE = 20  # the rest with the next look: warnings must not hold up an end
ALL_S = 60.0
END = "end"
_ends, _others = Lanes(), Lanes()
_stops = Lanes(for_one=8)  # what an emergency stop ended is of one system often, and everybody waits for it


def run_due(trigger: str = "watch", patience_s: float = ALL_S) -> int:
    """End, open, extend and warn what is due now; returns how many processes were due. ``trigger`` is who asked: beat or watch.

    After ``patience_s`` those that are still at work are left to go on by themselves.
    """
    at = now()
    due = _due(at)
    if len(due) == 1 and patience_s >= ALL_S:
        due[0].run(due[0].grant)
    elif due:
        ends = _ends.begin([work for work in due if work.kind[1] == END], _let_go)
        others = _others.begin([work for work in due if work.kind[1] != END], _let_go)
        wait_for([*ends, *others], patience_s)
    for grant in to_warn(at)[:WARNED_AT_ONCE]:
        done(_room(grant.pk), warn, by=process("sweep"), grant=grant)
    beat(f"sweep:{trigger}", {"processes": len(due)})
    return len(due)


def end_soon(ids: Sequence[UUID], patience_s: float) -> None:
    """Begin the ends of many at once in this process, as the sweep would, and wait a little. Who is slow goes on beside the page that shows it."""
    systems = dict(Grant.objects.filter(pk__in=ids).values_list("pk", "system_id"))
    works = [Work(pk, (systems[pk], END), partial(done, _room(pk), ending.run)) for pk in ids if pk in systems]
    wait_for(_stops.begin(works, _let_go), patience_s)


def _due(at: datetime) -> list[Work]:
    """Each grant once. A time that is over goes before everything else, then what a target must be told before it ends something."""
    tries = due_to_try(at)
    runs: tuple[tuple[str, Callable[[UUID], object], list[UUID]], ...] = (
        (END, ending.run, due_to_expire(at)),
        (END, narrowing.end_of_one_who_left, open_of_who_left()),
        (END, stopping.end_of_stopped, stopping.open_on_stopped()),
        ("extend", extending.run, extensions_to_apply(at)),
        (END, ending.run, [pk for pk, state in tries if state == CLOSING]),
        ("open", opening.run, [pk for pk, state in tries if state != CLOSING]),
    )
    chosen: dict[UUID, tuple[str, Callable[[UUID], object]]] = {}
    for name, run, ids in runs:
        for pk in ids:
            chosen.setdefault(pk, (name, run))
    systems = dict(Grant.objects.filter(pk__in=chosen).values_list("pk", "system_id"))
    return [
        Work(pk, (systems[pk], name), partial(done, _room(pk), run))
        for pk, (name, run) in chosen.items()
        if pk in systems
    ]


def _let_go() -> None:
    """Close the hand's own connection: the next work reaches the database anew, also after a restart of it."""
    connection.close()


def _room(pk: UUID) -> str:
    return f"grant {pk}"


@action(event="alert.queued")
def warn(*, by: Actor, grant: Grant) -> None:
    """Tell the responder once that the time is nearly over."""
    row = locked(grant)
    if row.state != ACTIVE or row.warned_at is not None:
        raise Refused("Warned already.", about=row)
    row.warned_at = now()
    row.save(update_fields=["warned_at"])
    tell(
        by=by, people=[row.person], kind="grant.ending_soon", case=row.log_case, about=row.log_subject, grant_id=row.pk,
        path=f"/requests/{row.request_id}/", facts={**who_where_what(row.request), "expires_at": row.expires_at},
    )  # fmt: skip
