"""More time on its way to the target: nothing is carried to what was ended meanwhile, and a target that cannot take it is left in peace."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from portal.clock import now
from portal.connectors.base import Closing, Target
from portal.connectors.simulated import Simulated, controls
from portal.errors import WrongState
from portal.grants import actions, ending, extending, sweep
from portal.grants.models import Extension, Grant
from portal.grants.targets import alone, closing_of, target_of
from tests.worlds import World, actor, make_world, names_of, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


@pytest.fixture
def grant(world: World) -> Grant:
    """Open, with more time given that the target does not carry yet."""
    grant = opened(world)
    give(world, grant)
    grant.refresh_from_db()
    return grant


def give(world: World, grant: Grant) -> Extension:
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=15)
    actions.decide_extension(by=actor(world.jon), extension=asked, give=True)
    return asked


class Watched(Simulated):
    """Counts what it is asked to extend, and has something happen right after it did."""

    def __init__(self) -> None:
        self.asked = 0

    def extend(self, target: Target, closing: Closing, *, expires_at_ms: int) -> None:
        self.asked += 1
        super().extend(target, closing, expires_at_ms=expires_at_ms)
        self.afterwards()

    def afterwards(self) -> None:
        """Nothing more."""


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched()
    monkeypatch.setattr(extending, "connector_of", lambda _: watched)
    return watched


def test_what_was_ended_while_the_target_was_told_carries_no_later_end(
    world: World, grant: Grant, target: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        target, "afterwards", lambda: actions.revoke(by=actor(world.mo), grant=grant, reason="Not now.")
    )
    with pytest.raises(WrongState):
        extending.run(grant.pk)
    assert names_of(grant.request_id)[-1] == "grant.revoked"
    assert ending.run(grant.pk).state == "ended"
    assert "grant.extension_applied" not in names_of(grant.request_id)


def test_what_was_ended_before_the_lock_was_ours_is_not_extended_on_the_target(
    world: World, grant: Grant, target: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended_first(seen: Grant) -> AbstractContextManager[bool]:
        actions.revoke(by=actor(world.mo), grant=grant, reason="Not now.")
        assert ending.run(grant.pk).state == "ended"
        return alone(seen)

    monkeypatch.setattr(extending, "alone", ended_first)
    extending.run(grant.pk)
    assert target.asked == 0
    assert names_of(grant.request_id)[-1] == "grant.ended"


def test_login_that_is_gone_is_not_asked_for_at_each_look(world: World, grant: Grant, target: Watched) -> None:
    """The target ended it right before more time was given."""
    Simulated().close(target_of(world.system), closing_of(grant))
    sweep.run_due("test")
    sweep.run_due("test")
    grant.refresh_from_db()
    assert (target.asked, grant.state, grant.attempts) == (1, "active", 1)
    assert "nothing was extended" in grant.last_trouble
    Grant.objects.filter(pk=grant.pk).update(next_try_at=now())
    sweep.run_due("test")
    assert target.asked == 2


def test_target_that_was_down_carries_the_later_end_when_it_is_back(
    world: World, grant: Grant, target: Watched
) -> None:
    controls.write(target_of(world.system), down=True)
    sweep.run_due("test")
    grant.refresh_from_db()
    assert (target.asked, grant.attempts) == (1, 1)
    assert "does not answer" in grant.last_trouble
    controls.write(target_of(world.system))
    Grant.objects.filter(pk=grant.pk).update(next_try_at=now())
    sweep.run_due("test")
    grant.refresh_from_db()
    assert (target.asked, grant.attempts, grant.next_try_at, grant.last_trouble) == (2, 0, None, "")
    assert names_of(grant.request_id)[-1] == "grant.extension_applied"


def test_trouble_with_more_time_is_not_taken_for_trouble_with_the_end(
    world: World, grant: Grant, target: Watched
) -> None:
    controls.write(target_of(world.system), down=True)
    sweep.run_due("test")
    assert target.asked == 1
    assert actions.give_back(by=actor(world.ann), grant=grant).last_trouble == ""
