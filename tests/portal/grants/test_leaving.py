"""Somebody leaves while others are at work on what is theirs: nothing stays open, and nobody is taken back for a deadlock."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from portal.access_requests import actions as requests
from portal.access_requests import rules
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy
from portal.grants import actions, authorising, narrowing, sweep
from portal.grants.models import Grant
from portal.people.actions import leave
from tests.browsing import browser_of
from tests.servers import superuser_url, wait_until
from tests.worlds import REASON, World, actor, authorised, make_world, names_of, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        made = make_world()
        RoleAssignment.objects.filter(person=made.pia).update(system=None)
        yield made


class Beside:
    """An act in a thread of its own, with a connection of its own."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.came_to: object = None
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.came_to = self._act()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test asks for it
            self.came_to = error
        finally:
            connection.close()

    def waits(self) -> None:
        """Until it stands before a lock that somebody else holds."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with _other() as looking:
            wait_until(lambda: _one(looking, query) or not self._thread.is_alive(), "the act to wait for a lock")
        assert self._thread.is_alive(), self.came_to

    def over(self) -> object:
        """What it came to."""
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()
        return self.came_to


@contextmanager
def _other() -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as other:
        yield other
        other.rollback()


def _one(other: psycopg.Connection, query: str) -> int:
    found = other.execute(query).fetchone()
    other.rollback()
    return int(found[0]) if found else 0


def _hold(other: psycopg.Connection, row: RoleAssignment | Eligibility) -> None:
    table = type(row)._meta.db_table
    other.execute(f"SELECT FROM {table} WHERE id = %s FOR UPDATE", [row.pk])


def _leaving(world: World) -> Beside:
    return Beside(lambda: narrowing.note_leaving(by=actor(world.pia), person=world.ann))


def _state(request: AccessRequest) -> str:
    return Grant.objects.get(request=request).state


def test_request_approved_while_the_leaving_waits_is_ended_with_the_rest(world: World) -> None:
    request = request_of(world)
    approver = RoleAssignment.objects.create(
        person=world.ann, role="approver", system=world.system, proposed_by=world.pia, approved_by=world.quinn,
        proposed_at=now(), approved_at=now(), from_at=now(),
    )  # fmt: skip
    with _other() as holder:
        _hold(holder, approver)
        leaving = _leaving(world)
        leaving.waits()
        approval = Beside(lambda: authorising.approve(by=actor(world.ines), request=request))
        approval.waits()
        holder.rollback()
        assert leaving.over() == world.ann
    assert isinstance(approval.over(), RefusedByPolicy)
    assert not Grant.objects.exists()


def test_leaving_that_waits_for_an_approval_ends_what_was_approved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of(world)
    begun = _begin_after(rules, "may_use_locked", lambda: _leaving(world), monkeypatch)
    authorising.approve(by=actor(world.ines), request=request)
    assert begun[0].over() == world.ann
    assert (_state(request), names_of(request.pk)[-1]) == ("failed", "grant.failed")


def test_leaving_and_more_time_do_not_stand_in_each_others_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = opened(world)
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=15, reason="Not done.")
    begun = _begin_after(actions, "may_use_locked", lambda: _leaving(world), monkeypatch)
    actions.decide_extension(by=actor(world.ines), extension=asked, give=True)
    assert begun[0].over() == world.ann
    grant.refresh_from_db()
    assert (grant.state, grant.end_cause) == ("closing", "revoked")


def _begin_after(
    module: object, name: str, begin: Callable[[], Beside], monkeypatch: pytest.MonkeyPatch
) -> list[Beside]:
    """Begin another act as soon as a function of ours has its locks, and go on when that act waits for them."""
    real, begun = getattr(module, name), list[Beside]()

    def and_then(*args: object, **named: object) -> object:
        found = real(*args, **named)
        if not begun:
            begun.append(begin())
            begun[0].waits()
        return found

    monkeypatch.setattr(module, name, and_then)
    return begun


@pytest.mark.parametrize("model", [Eligibility, RoleAssignment])
def test_row_that_ended_while_it_was_waited_for_carries_nothing(
    world: World, model: type[Eligibility | RoleAssignment]
) -> None:
    request = request_of(world)
    with _other() as holder:
        row = model._base_manager.get(person=world.ann)
        _hold(holder, row)
        approval = Beside(lambda: authorising.approve(by=actor(world.ines), request=request))
        approval.waits()
        holder.execute(
            f"UPDATE {model._meta.db_table} SET ended_at = clock_timestamp(), ended_by = 'x', ended_cause = 'x' WHERE id = %s",
            [row.pk],
        )
        holder.commit()
    assert isinstance(approval.over(), RefusedByPolicy)
    assert not Grant.objects.exists()


@pytest.mark.parametrize("act", ["approve", "decline", "more time"])
def test_role_that_ended_while_it_was_waited_for_decides_nothing(world: World, act: str) -> None:
    asked = actions.ask_extension(by=actor(world.ann), grant=opened(world), minutes=15, reason="Not done.")
    request, ines = request_of(world, reason=REASON + " Now another disk."), actor(world.ines)
    acts: dict[str, Callable[[], object]] = {
        "approve": lambda: authorising.approve(by=ines, request=request),
        "decline": lambda: requests.decline(by=ines, request=request, comment="Not now."),
        "more time": lambda: actions.decide_extension(by=ines, extension=asked, give=True),
    }
    role = RoleAssignment.objects.get(person=world.ines)
    with _other() as holder:
        _hold(holder, role)
        deciding = Beside(acts[act])
        deciding.waits()
        holder.execute(
            f"UPDATE {role._meta.db_table} SET ended_at = clock_timestamp(), ended_by = 'x', ended_cause = 'x' WHERE id = %s",
            [role.pk],
        )
        holder.commit()
    assert isinstance(deciding.over(), NotAllowed)
    asked.refresh_from_db()
    request.refresh_from_db()
    assert (asked.decision, request.state) == ("", "awaiting")


def test_list_approved_while_the_leaving_waits_is_ended_too(world: World) -> None:
    waiting = Eligibility.objects.create(
        person=world.ann, privilege=world.privilege, proposed_by=world.pia, proposed_at=now(), from_at=now(),
        to_at=now() + timedelta(days=1),
    )  # fmt: skip
    with _other() as holder:
        _hold(holder, waiting)
        leaving = _leaving(world)
        leaving.waits()
        holder.execute(
            "UPDATE portal_eligibility SET approved_at = now(), approved_by_id = %s WHERE id = %s",
            [world.quinn.pk, waiting.pk],
        )
        holder.commit()
    assert leaving.over() == world.ann
    waiting.refresh_from_db()
    assert waiting.ended_cause == "left"


def test_asking_again_and_being_taken_off_the_list_do_not_stand_in_each_others_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes off the list tells the responder, whose own row the asking holds."""
    grant, held = authorised(world), Eligibility.objects.get(person=world.ann)
    begun = _begin_after(lists, "revoke_eligibility", lambda: Beside(lambda: request_of(world, minutes=5)), monkeypatch)
    narrowing.revoke_eligibility(by=actor(world.pia), eligibility=held)
    assert isinstance(begun[0].over(), NotAllowed)
    assert _state(grant.request) == "failed"


def test_sweep_ends_what_is_open_of_somebody_who_left(world: World) -> None:
    grant, waiting = opened(world), authorised(world, "ben")
    for name in ("ann", "ben"):
        leave(by=actor(world.pia), person=world.people[name])  # and nothing else of theirs ended
    sweep.run_due("test")
    for each in (grant, waiting):
        each.refresh_from_db()
    assert [(each.state, each.end_cause) for each in (grant, waiting)] == [("ended", "revoked"), ("failed", "revoked")]
    assert "grant.revoked" in names_of(grant.request_id)


def test_deadlock_with_others_takes_a_second_try_and_no_page_of_trouble(world: World) -> None:
    browser = browser_of(world.pia)
    role = RoleAssignment.objects.get(person=world.ann)
    with _other() as holder:
        holder.execute("SET deadlock_timeout = '60s'")  # so that the page is what the database takes back
        _hold(holder, role)
        answer = Beside(lambda: browser.post(f"/people/{world.ann.pk}/left/").status_code)
        answer.waits()
        _hold(holder, Eligibility.objects.get(person=world.ann))
        holder.rollback()
        assert answer.over() == 302
    world.ann.refresh_from_db()
    assert world.ann.left_at is not None
