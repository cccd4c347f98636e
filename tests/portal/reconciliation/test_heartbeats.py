"""Heartbeats are sent when due, by one process, and come back through the target's own log."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection

from audit.log.models import Heartbeat as LastSign
from audit.log.read import named
from portal.clock import ms
from portal.connectors.base import Heartbeat, Target, Unreachable
from portal.connectors.simulated import Simulated, controls
from portal.grants import ending
from portal.grants.actions import give_back
from portal.locks import alone
from portal.reconciliation import heartbeats
from portal.reconciliation.sources import declared, last_tries
from portal.systems.heartbeats import KIND
from portal.systems.targets import target
from tests.at_once import at_once
from tests.portal.reconciliation.conftest import declare, withdraw
from tests.servers import wait_until
from tests.worlds import World, actor, opened, sealing


def sent() -> list[str]:
    return [event.fields["nonce"] for event in named(["source.heartbeat_sent"])]


def on_target(world: World) -> list[str]:
    log = world.state.with_name(world.state.name + ".log.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [line["statement"] for line in lines if line["kind"] == "heartbeat"]


def test_heartbeat_is_done_on_the_target_and_then_logged(world: World) -> None:
    declare(world)
    assert (heartbeats.send_due(), heartbeats.send_due()) == (1, 0)
    assert on_target(world) == sent()
    assert len(sent()) == 1


def test_next_one_is_due_when_the_source_says(world: World) -> None:
    declare(world, heartbeat_ms=1)
    assert (heartbeats.send_due(), heartbeats.send_due()) == (1, 1)
    assert on_target(world) == sent()


@pytest.mark.parametrize("change", ["none", "withdrawn", "nothing"])
def test_no_heartbeat_where_none_could_come_back(world: World, change: str) -> None:
    if change != "nothing":
        declare(world, counting="none" if change == "none" else "dense")
    if change == "withdrawn":
        withdraw(world)
    assert (heartbeats.send_due(), sent(), on_target(world)) == (0, [], [])


def test_dead_target_leaves_no_event_and_says_why(world: World) -> None:
    controls.write(target(world.system), down=True)
    declare(world)
    assert (heartbeats.send_due(), sent()) == (0, [])
    tried = last_tries(KIND)[str(world.system.pk)]
    assert tried.trouble
    assert heartbeats.send_due() == 0
    assert last_tries(KIND)[str(world.system.pk)].at == tried.at, "tried again before it was due"


def test_two_processes_send_one(world: World) -> None:
    declare(world)
    assert sorted(map(str, at_once(4, heartbeats.send_due))) == ["0", "0", "0", "1"]
    assert (len(sent()), on_target(world)) == (1, sent())


def test_later_declaration_takes_the_place_of_the_earlier(world: World) -> None:
    declare(world, heartbeat_ms=1)
    declare(world, heartbeat_ms="often")
    (source,) = declared()
    assert source.every.total_seconds() == 10


def test_lock_is_free_again_afterwards_and_held_by_one(world: World) -> None:
    outcomes = []
    with alone("x") as first:
        other = threading.Thread(target=lambda: outcomes.append(_try_lock()))
        other.start()
        other.join()
    outcomes.append(_try_lock())
    assert (first, outcomes) == (True, [False, True])
    assert LastSign.objects.count() == 0


def _try_lock() -> bool:
    try:
        with alone("x") as held:
            return held
    finally:
        connection.close()


def test_opening_is_marked_before_its_window(world: World) -> None:
    declare(world)
    with sealing():
        grant = opened(world)
    (mark,) = named(["source.heartbeat_sent"])
    assert (on_target(world), mark.fields["system_id"]) == ([mark.fields["nonce"]], str(world.system.pk))
    assert mark.fields["sent_at"] <= ms(grant.opened_at)  # type: ignore[arg-type]  # it is open


@pytest.mark.parametrize("trouble", [Unreachable("It is away."), RuntimeError("a mistake")])
def test_mark_that_fails_hinders_no_opening(world: World, monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    def fail(*_: object) -> None:
        raise trouble

    declare(world)
    monkeypatch.setattr(Simulated, "heartbeat", fail)
    with sealing():
        assert opened(world).state == "active"
    assert sent() == []


def test_mark_that_hangs_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, real = threading.Event(), Simulated.heartbeat

    def hang(self: Simulated, target: Target, nonce: str) -> Heartbeat:
        let_go.wait(60)
        return real(self, target, nonce)

    declare(world)
    monkeypatch.setattr(Simulated, "heartbeat", hang)
    with sealing():
        assert opened(world).state == "active"
    assert sent() == []
    let_go.set()
    wait_until(sent, "the mark, once the target answers")
    wait_until(
        lambda: all(not each.name.startswith("heartbeat") for each in threading.enumerate()), "its thread to end"
    )


def test_one_is_due_behind_each_read_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(world, heartbeat_ms=3_600_000, lateness_ms=0)
    monkeypatch.setattr(heartbeats, "SETTLE", timedelta(milliseconds=300))
    with sealing():
        grant = opened(world)
    before = len(sent())
    assert heartbeats.send_due() == 0
    give_back(by=actor(world.ann), grant=grant)
    assert ending.run(grant.pk).state == "ended"
    wait_until(heartbeats.send_due, "one more")
    grant.refresh_from_db()
    assert len(sent()) == before + 1
    assert named(["source.heartbeat_sent"])[-1].fields["sent_at"] >= ms(grant.confirmed_at) + 300  # type: ignore[arg-type]  # ended
    assert heartbeats.send_due() == 0


def test_what_the_target_counted_goes_into_the_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(world)
    monkeypatch.setattr(Simulated, "heartbeat", lambda *_: Heartbeat(17, "since monday", "ab" * 32))
    heartbeats.send_due()
    said = named(["source.heartbeat_sent"])[0].fields
    assert (said["sessions_counted"], said["stats_epoch"], said["settings_sha256"]) == (17, "since monday", "ab" * 32)
