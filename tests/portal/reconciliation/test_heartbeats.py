"""Heartbeats are sent when due, by one process, and come back through the target's own log."""

import json
import threading

import pytest
from django.db import connection

from audit.log.models import Heartbeat
from audit.log.read import named
from portal.connectors.simulated import controls
from portal.locks import alone
from portal.reconciliation import heartbeats
from portal.reconciliation.sources import declared, last_tries
from portal.systems.targets import target
from tests.at_once import at_once
from tests.portal.reconciliation.conftest import declare, withdraw
from tests.worlds import World


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
    tried = last_tries(heartbeats.KIND)[str(world.system.pk)]
    assert tried.trouble
    assert heartbeats.send_due() == 0
    assert last_tries(heartbeats.KIND)[str(world.system.pk)].at == tried.at, "tried again before it was due"


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
    assert Heartbeat.objects.count() == 0


def _try_lock() -> bool:
    try:
        with alone("x") as held:
            return held
    finally:
        connection.close()
