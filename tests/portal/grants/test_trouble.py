"""What goes wrong in a way that no connector tells of: everybody concerned hears of it, in words that give nothing away, and others go on."""

from collections.abc import Callable, Iterator

import pytest

from portal.clock import now
from portal.connectors.base import Closed, Closing, Opened, Opening, Step, Target, Unreachable, no_step
from portal.connectors.simulated import Simulated
from portal.errors import WrongState
from portal.grants import actions, ending, opening, sweep, watchdogs
from portal.grants.models import Grant
from portal.grants.targets import target_of
from portal.grants.trouble import UNFORESEEN, logger
from portal.notifications.models import Alert
from portal.secrets import encrypt
from tests.browsing import browser_of
from tests.worlds import World, actor, authorised, make_world, names_of, opened, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)
FOREIGN = encrypt("the portal's own", "system:of another database")
UNREADABLE = "The portal cannot read the password that it keeps for this system; it has to be entered again."


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def restored_under_another_key(world: World) -> None:
    world.system.secret = FOREIGN
    world.system.save()


class Failing(Simulated):
    """A connector with a mistake in it, whose error speaks of a secret."""

    def open(self, target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
        super().open(target, opening, step=step)
        raise RuntimeError("hunter2")

    def close(self, target: Target, closing: Closing, *, step: Step = no_step) -> Closed:
        super().close(target, closing, step=step)
        raise RuntimeError("hunter2")


def again(grant: Grant) -> Grant:
    """The pause is over."""
    Grant.objects.filter(pk=grant.pk).update(next_try_at=now())
    sweep.run_due("test")
    grant.refresh_from_db()
    return grant


@pytest.mark.parametrize(("code", "sentence"), [("PasswordUnreadable", UNREADABLE), ("RuntimeError", UNFORESEEN)])
def test_end_that_fails_unforeseen_alarms_owner_and_security_list(
    world: World, code: str, sentence: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    grant = overdue(opened(world))
    monkeypatch.setattr(logger, "propagate", True)
    with monkeypatch.context() as changed:
        if code == "PasswordUnreadable":
            restored_under_another_key(world)
        else:
            changed.setattr(ending, "connector_of", lambda _: Failing())
        for _ in range(ending.ALARM_AT):
            again(grant)
    assert (grant.state, grant.attempts, grant.last_trouble) == ("closing", ending.ALARM_AT, sentence)
    told = Alert.objects.filter(kind="grant.close_failed")
    assert set(told.values_list("recipient__name", "address")) == {("Mo", ""), (None, "security@breakglass.example")}
    assert {alert.facts["sentence"] for alert in told} == {sentence}
    assert ("hunter2" in caplog.text) is (code == "RuntimeError")
    world.system.secret = None
    world.system.save()
    assert again(grant).state == "ended"
    assert names_of(grant.request_id).count("grant.close_failed") == ending.ALARM_AT


def test_responder_reads_why_nothing_opens_when_the_targets_password_cannot_be_read(world: World) -> None:
    restored_under_another_key(world)
    grant = opening.run(authorised(world).pk)
    assert (grant.state, grant.end_cause, grant.last_trouble) == ("failed", "failed", UNREADABLE)
    assert names_of(grant.request_id)[-2:] == ["grant.opening_failed", "grant.failed"]
    assert UNREADABLE in browser_of(world.ann).get(f"/requests/{grant.request_id}/").content.decode()
    told = Alert.objects.filter(kind="grant.opening_failed", facts__sentence=UNREADABLE, facts__again=0)
    assert set(told.values_list("recipient__name", flat=True)) == {"Ann", "Mo"}


def test_opening_that_lost_its_own_password_is_given_up_and_closed(world: World) -> None:
    grant = authorised(world)
    opening.begin(by=opening.PORTAL, grant=grant)
    Grant.objects.filter(pk=grant.pk).update(verifier=FOREIGN.hex())
    assert opening.run(grant.pk).state == "closing"
    assert ending.run(grant.pk).state == "ended"


def test_opening_that_fails_unforeseen_is_told_and_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = authorised(world)
    with monkeypatch.context() as changed:
        changed.setattr(opening, "connector_of", lambda _: Failing())
        grant = again(opening.run(grant.pk))
    assert (grant.state, grant.attempts, grant.last_trouble) == ("opening", 2, UNFORESEEN)
    assert set(Alert.objects.filter(kind="grant.opening_failed").values_list("recipient__name", "facts__sentence")) == {
        ("Ann", UNFORESEEN),
        ("Mo", UNFORESEEN),
    }
    assert again(grant).state == "active"


def test_trouble_of_an_opening_never_delays_an_end_that_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = authorised(world)

    class RevokedMeanwhile(Simulated):
        def open(self, target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
            super().open(target, opening, step=step)
            actions.revoke(by=actor(world.mo), grant=grant, reason="Not now.")
            raise Unreachable("Cut off.")

    with monkeypatch.context() as changed:
        changed.setattr(opening, "connector_of", lambda _: RevokedMeanwhile())
        with pytest.raises(WrongState):
            opening.run(grant.pk)
    grant.refresh_from_db()
    assert (grant.state, grant.last_trouble) == ("closing", "")
    assert grant.next_try_at is not None
    assert grant.next_try_at <= now()


def test_password_that_cannot_be_read_any_more_is_refused_in_a_sentence(world: World) -> None:
    grant = opened(world)
    Grant.objects.filter(pk=grant.pk).update(secret=FOREIGN)
    with pytest.raises(WrongState, match="cannot be read any more"):
        actions.reveal(by=actor(world.ann), grant=grant)
    assert names_of(grant.request_id)[-1] == "grant.act_refused"


# --- watchdogs


class OneFails(Simulated):
    """A watchdog that cannot be started, or cannot be stopped, for a reason that nobody foresaw."""

    def __init__(self, on: str, held: list[str]) -> None:
        self.on, self.held = on, held

    def watchdog(self, target: Target) -> "OneFails | None":  # type: ignore[override]  # it is its own watchdog
        if target.system_id == self.on:
            raise RuntimeError("no")
        self.held.append(target.system_id)
        return self

    def alive(self) -> bool:
        return True

    def stop(self) -> None:
        self.held.pop()
        raise RuntimeError("no")


@pytest.fixture
def _no_watchdogs() -> Iterator[None]:
    watchdogs._held.clear()
    yield
    watchdogs._held.clear()


def _unreadable(worlds: list[World], _: pytest.MonkeyPatch) -> None:
    restored_under_another_key(worlds[0])


def _unforeseen(worlds: list[World], changed: pytest.MonkeyPatch) -> None:
    changed.setattr(watchdogs, "connector_of", lambda _: OneFails(str(worlds[0].system.pk), []))


@pytest.mark.parametrize("goes_wrong", [_unreadable, _unforeseen])
@pytest.mark.usefixtures("_no_watchdogs")
def test_trouble_with_one_system_keeps_no_other_from_its_watchdog(
    goes_wrong: Callable[[list[World], pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_world()
    others = [make_world(slug=slug, people=first.people) for slug in ("second", "third")]
    with monkeypatch.context() as changed:
        goes_wrong([first, *others], changed)
        assert watchdogs.hold() == 2
        assert set(watchdogs._held) == {str(each.system.pk) for each in others}
        watchdogs.release()
    assert watchdogs._held == {}


@pytest.mark.usefixtures("_no_watchdogs")
def test_watchdog_that_cannot_be_stopped_keeps_no_other_held(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []
    first = make_world()
    make_world(slug="second", people=first.people)
    monkeypatch.setattr(watchdogs, "connector_of", lambda _: OneFails("", held))
    assert (watchdogs.hold(), len(held)) == (2, 2)
    watchdogs.release()
    assert held == []


def test_targets_password_is_read_where_it_belongs(world: World) -> None:
    world.system.secret = encrypt("its own", f"system:{world.system.pk}")
    password = target_of(world.system).password
    assert password
    assert password.reveal() == "its own"
