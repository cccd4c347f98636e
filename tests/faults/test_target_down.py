"""The target is down when access is to be opened, and when it is to be ended: honest words, tries as long as they make sense, an alarm,
and nothing called ended before the target was read."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection

from portal.clock import now
from portal.connectors.postgresql import watchdog
from portal.errors import WrongState
from portal.grants import actions, ending, opening, sweep
from portal.grants.models import Grant
from portal.notifications.models import Alert
from tests.browsing import browser_of
from tests.faults.shops import live_logins, log_in, make_shop, open_anyhow
from tests.servers import Postgres, running_target, wait_until
from tests.targets.silent import falling_silent
from tests.worlds import World, actor, authorised, make_world, names_of, opened, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Scene:
    """A target of one's own, to be stopped."""

    target: Postgres
    world: World

    def page(self, grant: Grant) -> str:
        """What the responder reads."""
        return browser_of(self.world.ann).get(f"/requests/{grant.request_id}/").content.decode()


@pytest.fixture
def scene() -> Iterator[Scene]:
    with running_target() as target, sealing():
        yield Scene(target, make_shop(target))


def _again(grant: Grant) -> Grant:
    """The pause is over."""
    Grant.objects.filter(pk=grant.pk).update(next_try_at=now())
    sweep.run_due("test")
    grant.refresh_from_db()
    return grant


def _told(grant: Grant) -> list[str]:
    return [name.removeprefix("grant.") for name in names_of(grant.request_id) if name.startswith("grant.")]


def test_opening_says_that_the_target_is_down_and_opens_when_it_is_back(scene: Scene) -> None:
    scene.target.stop()
    grant = opening.run(authorised(scene.world).pk)
    assert (grant.state, grant.opened_at) == ("opening", None)
    assert "does not answer" in grant.last_trouble
    assert grant.next_try_at is not None
    assert "does not answer" in scene.page(grant)
    _again(grant)
    assert (grant.state, grant.attempts) == ("opening", 2)
    assert (
        Alert.objects.filter(kind="grant.opening_failed", recipient=scene.world.ann).count() == 1
    )  # told once, not at each try
    scene.target.start()
    _again(grant)
    assert grant.state == "active"
    assert _told(grant) == [
        "authorised",
        "opening",
        "opening_failed",
        "opening",
        "opening_failed",
        "opening",
        "activated",
    ]
    log_in(scene.target, grant, scene.world).close()


def test_opening_is_given_up_while_it_makes_no_sense_any_more_and_what_may_be_half_open_is_closed(scene: Scene) -> None:
    scene.target.stop()
    grant = opening.run(authorised(scene.world).pk)
    Grant.objects.filter(pk=grant.pk).update(authorised_at=now() - timedelta(minutes=11))
    _again(grant)
    assert (grant.state, grant.end_cause) == ("closing", "failed")
    _again(grant)
    assert grant.state == "closing"  # the target was not read yet
    scene.target.start()
    _again(grant)
    assert (grant.state, grant.opened_at, live_logins(scene.target)) == ("ended", None, [])
    assert _told(grant)[-3:] == ["closing", "read_back", "ended"]


def test_end_with_the_target_down_is_still_live_everywhere_until_it_was_read_back(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending.alarms, "propagate", True)
    grant = overdue(open_anyhow(scene.world))
    scene.target.stop()
    for attempt in range(1, ending.ALARM_AT + 2):
        _again(grant)
        assert (grant.state, grant.attempts, grant.confirmed_at) == ("closing", attempt, None)
        assert grant.secret is not None
    for person in ("ann", "mo", "otto"):
        pages = [f"/requests/{grant.request_id}/"] + ([f"/cases/{grant.request_id}/"] if person != "ann" else [])
        for page in pages:
            said = browser_of(scene.world.people[person]).get(page).content.decode()
            assert "still live" in said.lower() or "may be live" in said.lower(), (person, page)
    alarmed = {record.message for record in caplog.records if record.name == "breakglass.alarm"}
    assert alarmed == {f"Access {grant.pk} could not be ended yet: it may still be live."}
    assert set(Alert.objects.filter(kind="grant.close_failed").values_list("recipient__name", "address")) == {
        ("Mo", ""),
        (None, "security@breakglass.example"),
    }
    assert "ended" not in _told(grant)
    scene.target.start()
    _again(grant)
    assert (grant.state, grant.secret, live_logins(scene.target)) == ("ended", None, [])
    tries = ["closing", "close_failed"] * (ending.ALARM_AT + 1)
    assert _told(grant) == ["authorised", "opening", "activated", "expired", *tries, "closing", "read_back", "ended"]


def test_target_that_hangs_keeps_no_other_from_its_end(scene: Scene) -> None:
    """One system's server is frozen; another's grant ends in the same look."""
    frozen = [open_anyhow(scene.world) for _ in range(3)]
    other = opened(make_world(slug="other", people=scene.world.people))
    for grant in (*frozen, other):
        overdue(grant)
    assert scene.target.process
    os.killpg(scene.target.process.pid, signal.SIGSTOP)
    try:
        sweep.run_due("test", patience_s=0.5)
        for _ in range(100):
            sweep.run_due("test", patience_s=0.2)
            other.refresh_from_db()
            if other.state == "ended":
                break
        assert other.state == "ended"
        assert Grant.objects.filter(pk__in=[grant.pk for grant in frozen], state="ended").count() == 0
    finally:
        os.killpg(scene.target.process.pid, signal.SIGCONT)


def test_opening_on_a_target_that_freezes_lets_go_of_the_grant_so_that_it_can_be_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It freezes after it let the watchdog in that an opening leaves behind."""
    monkeypatch.setattr(watchdog, "START_S", 0.5)
    with running_target() as target, sealing(), falling_silent(target.port, only="breakglass watchdog") as port:
        world = make_shop(target, port=port)
        grant = authorised(world)
        thread = threading.Thread(target=_open, args=(grant,))
        thread.start()
        wait_until(lambda: bool(live_logins(target)), "the login to be made")
        actions.revoke(by=actor(world.mo), grant=grant, reason="Not now.")
        wait_until(lambda: ending.run(grant.pk).state == "ended", "the grant to be ended")
        assert live_logins(target) == []
        thread.join()


def _open(grant: Grant) -> None:
    try:
        opening.run(grant.pk)
    except WrongState:
        pass  # it was ended meanwhile
    finally:
        connection.close()
