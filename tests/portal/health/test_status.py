"""Live, ready and the status page: each part is seen to stop, and nothing is said to those who may not know."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.log.append import append, clock, process
from audit.log.heartbeats import beat
from audit.log.models import Heartbeat
from portal.clock import ms, now
from portal.connectors.simulated import controls
from portal.embedded import ports
from portal.health import queries
from portal.health.parts import PARTS, PROCESSES
from portal.health.rows import Row
from portal.notifications.models import Alert
from portal.reconciliation import heartbeats
from portal.systems.targets import target
from tests.browsing import browser_of
from tests.portal.notifications.conftest import queue
from tests.portal.reconciliation.conftest import declare
from tests.witnesses import ONE
from tests.worlds import World, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def rows(part: str) -> dict[str, Row]:
    return {row.name: row for row in queries.status()[part]}


def test_live_asks_nothing_and_ready_asks_the_database() -> None:
    client = Client()
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/health/live").json() == {"live": True}
    assert len(asked) == 0
    assert client.get("/health/ready").json() == {"ready": True, "database": "ok", "log": "ok"}
    assert client.post("/health/live").status_code == 405


def test_ready_says_that_sealing_is_late(world: World) -> None:
    with transaction.atomic():
        append("log.refused", by=process("test"), from_at=0, to_at=1, count=1)
    later = ms(now() + timedelta(seconds=11))
    with clock(lambda: later):
        assert Client().get("/health/ready").json() == {"ready": True, "database": "ok", "log": "late"}
        assert rows("parts")["Last seal"].state == "late"


def test_processes_turn_from_unknown_to_healthy_to_down() -> None:
    names = {name: about.label for name, about in PROCESSES.items()}
    assert {row.state for row in queries.status()["processes"]} == {"unknown"}
    for name in names:
        beat(name)
    assert {row.state for row in queries.status()["processes"]} == {"healthy"}
    for name, label in names.items():
        Heartbeat.objects.filter(process=name).update(at=now() - timedelta(seconds=13))
        assert {row.name: row.state for row in queries.status()["processes"]} == {
            each: "down" if each == label else "healthy" for each in names.values()
        }
        beat(name)


def test_process_that_lives_in_trouble_says_so() -> None:
    beat("watch", {"outbox": {"trouble": "OSError: x"}, "sweep": {"trouble": ""}})
    beat("sealer", {"trouble": "The key is gone."})
    beat("gather", {"a": "", "b": "the file is gone"})
    told = {row.name: (row.state, row.says) for row in queries.status()["processes"] if row.state != "unknown"}
    assert told == {
        "Watch": ("late", "In trouble: outbox."), "Sealer": ("late", "The key is gone."), "Gather": ("late", "the file is gone"),
    }  # fmt: skip


def watch_says(**courses: Mapping[str, object]) -> Row:
    beat("watch", courses)
    return rows("processes")["Watch"]


def test_job_of_watch_that_hangs_turns_its_line() -> None:
    """Watch itself goes on saying that it lives."""
    fresh, old, older = (ms(now() - timedelta(seconds=age)) for age in (50, 61, 3 * 3600 - 60))
    going = {"outbox": fresh, "comparison": older}
    assert watch_says(**{name: {"runs": 3, "done_at": at} for name, at in going.items()}).state == "healthy"
    row = watch_says(
        outbox={"runs": 3, "done_at": old, "trouble": ""}, cases={"runs": 0, "done_at": None, "since": fresh}
    )
    assert (row.state, row.says.startswith("Hangs: outbox has not come to an end since")) == ("late", True)
    row = watch_says(cases={"runs": 0, "done_at": None, "since": old})
    assert (row.state, row.says.startswith("Hangs: cases has not")) == ("late", True)


def test_task_that_hangs_turns_the_line_of_the_worker_while_beat_hands_out_work() -> None:
    for name in ("worker", "beat", "task:outbox", "task:comparison"):
        beat(name)
    Heartbeat.objects.filter(process="task:comparison").update(at=now() - timedelta(days=1))
    assert rows("processes")["Worker"].state == "healthy"
    Heartbeat.objects.filter(process="task:outbox").update(at=now() - timedelta(seconds=61))
    row = rows("processes")["Worker"]
    assert (row.state, row.says.startswith("Hangs: outbox has not come to an end since")) == ("late", True)
    Heartbeat.objects.filter(process="beat").update(at=now() - timedelta(seconds=13))
    assert rows("processes")["Worker"].state == "healthy"


def test_each_line_says_what_it_is_for_and_what_comes_later(world: World, settings: Any) -> None:
    settings.PORTAL_LOG_STORE = settings.PORTAL_BACKUP_TO = "/somewhere"
    settings.PORTAL_LOG_WITNESSES = f"required {ONE.cosigner().text()} http://a"
    settings.PORTAL_TIMESTAMP_URL = "http://b"
    told = [(row.does, row.late) for part in ("processes", "parts") for row in rows(part).values()]
    assert len(told) == len(PROCESSES) + len(PARTS)
    assert all(does and late for does, late in told)
    page = browser_of(world.pia).get("/status/").content.decode()
    assert "Reads what the targets&#x27; own logs say was done." in page


def test_outbox_is_late_when_its_oldest_waits_a_minute(world: World) -> None:
    assert rows("parts")["Outbox"].says == "Nothing waits."
    queue(world, "ines", "jon")
    assert rows("parts")["Outbox"].state == "healthy"
    Alert.objects.filter(recipient=world.jon).update(queued_at=now() - timedelta(seconds=61), last_trouble="timeout")
    row = rows("parts")["Outbox"]
    assert (row.state, row.says) == ("late", "2 waiting, 1 of them failed once or more; the oldest since then.")


def test_broker_that_is_down_is_said(settings: object) -> None:
    assert rows("parts")["Broker"].state == "healthy"
    settings.REDIS_URL = f"redis://:hidden@127.0.0.1:{ports.free_port()}/0"  # type: ignore[attr-defined]
    row = rows("parts")["Broker"]
    assert (row.state, "hidden" in row.says) == ("down", False)


def seen(world: World) -> None:
    with transaction.atomic():
        append(
            "source.heartbeat_seen", by=process("gather"), subject=f"source:{world.system.pk}", source_id=world.system.pk,
            system_id=world.system.pk, nonce="n" * 16, seen_at=ms(now()), received_at=ms(now()),
        )  # fmt: skip


def test_source_goes_by_the_heartbeats_that_came_back(world: World) -> None:
    declare(world, heartbeat_ms=1)
    assert rows("sources")["Billing"].state == "unknown"
    seen(world)
    assert rows("well")["Billing"].state == "healthy"
    controls.write(target(world.system), down=True)
    heartbeats.send_due()
    row = rows("sources")["Billing"]
    assert (row.state, bool(row.says)) == ("late", True)
    later = now() + timedelta(seconds=60)
    assert [row.state for row in queries.source_rows({}, later)] == ["down"]


def test_source_out_of_reach_is_said_to_be_so(world: World) -> None:
    declare(world, counting="none")
    assert rows("well")["Billing"].state == "not_covered"


def test_what_needs_somebody_stands_first_and_sources_that_are_well_are_folded(world: World) -> None:
    declare(world, heartbeat_ms=1)
    page = browser_of(world.pia).get("/status/").content.decode()
    caption, processes = "Sources that need somebody", ">Processes<"
    assert -1 < page.index(caption) < page.index(processes)
    assert '<div id="well"></div></details>' in page
    seen(world)
    page = browser_of(world.pia).get("/status/").content.decode()
    fold = page[page.index('<details class="fold">') : page.index('<div id="verified">')]
    assert (caption in page, "1 source that needs nobody" in fold, "Its log arrives." in fold) == (False, True, True)


def test_a_line_that_is_amiss_stands_before_those_that_are_well(settings: object) -> None:
    settings.REDIS_URL = f"redis://:hidden@127.0.0.1:{ports.free_port()}/0"  # type: ignore[attr-defined]
    told = [row.needs_somebody for row in queries.status()["parts"]]
    assert (told, rows("parts")["Broker"].needs_somebody) == (sorted(told, reverse=True), True)


@pytest.mark.parametrize(
    ("name", "status"), [("pia", 200), ("otto", 200), ("mo", 200), ("ann", 403), ("kim", 403), ("zoe", 403)]
)
def test_who_sees_the_status(world: World, name: str, status: int) -> None:
    assert browser_of(world.people[name]).get("/status/").status_code == status


def test_status_costs_the_same_for_one_source_and_for_many(world: World) -> None:
    declare(world)
    pia, counts = browser_of(world.pia), []
    for turn in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert pia.get("/status/").status_code == 200
        counts.append(len(asked))
        for number in range(5):
            other = make_world(slug=f"other-{turn}-{number}", on_target="x", people=world.people)
            declare(other)
    assert counts[0] == counts[1]


def test_page_looks_again_by_itself_with_the_same_part(world: World) -> None:
    page = browser_of(world.pia).get("/status/").content.decode()
    assert (
        'id="status" hx-get="/status/" hx-trigger="every 5s" hx-select="#status" hx-select-oob="#well-count,#well,#verified" hx-swap="outerHTML"'
        in page
    )


@pytest.fixture
def _sealer(world: World) -> Iterator[None]:
    with sealing():
        yield


@pytest.mark.usefixtures("_sealer")
def test_last_seal_is_read_from_the_log(world: World) -> None:
    from tests.servers import wait_until

    queue(world, "ines")
    wait_until(lambda: rows("parts")["Last seal"].state == "healthy", "a seal")
    assert rows("parts")["Last seal"].at is not None
    assert json.dumps(Client().get("/health/ready").json()) == '{"ready": true, "database": "ok", "log": "ok"}'
