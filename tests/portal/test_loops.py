"""Jobs side by side: one that fails or hangs holds up no other, and the process says that it lives."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections

from audit.log.models import Heartbeat
from portal import loops
from portal.embedded.state import CHECKOUT
from portal.loops import Job
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
calls: list[str] = []
release = threading.Event()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    calls.clear()
    release.clear()
    monkeypatch.setattr(loops, "BEAT_S", 0.1)
    yield
    release.set()


def works(word: str = "works") -> None:
    calls.append(word)


def fails() -> None:
    calls.append("fails")
    raise ValueError("no luck")


def hangs() -> None:
    calls.append("hangs")
    release.wait(30)


def reads() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        calls.append(str(cursor.fetchone()[0]))


def last_word() -> None:
    calls.append("last")


def job(function: str, every_s: float = 0.02, **given: object) -> Job:
    return Job(function, f"{__name__}.{function}", every_s, lambda: given)


@contextmanager
def running(*jobs: Job, at_end: tuple[str, ...] = ()) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(
        target=loops.run, args=(jobs,), kwargs={"process": "loop", "stop": stop, "at_end": at_end}
    )
    thread.start()
    try:
        yield stop
    finally:
        release.set()
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def course(name: str) -> dict[str, object]:
    row = Heartbeat.objects.filter(process="loop").first()
    return row.detail.get(name, {}) if row else {}


def test_jobs_that_fail_hang_or_do_not_exist_hold_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    with running(job("works"), job("fails"), job("hangs"), Job("absent", "portal.nowhere.at_all", 0.02)):
        wait_until(lambda: calls.count("works") > 20 and calls.count("fails") > 3, "runs of the others")
        wait_until(lambda: course("absent").get("trouble"), "the trouble to be told")
        told = {name: course(name)["trouble"] for name in ("works", "fails", "absent", "hangs")}
    assert told == {
        "works": "",
        "fails": "ValueError: no luck",
        "absent": "ModuleNotFoundError: No module named 'portal.nowhere'",
        "hangs": "",
    }
    assert calls.count("hangs") == 1
    assert sum("job fails failed" in record.getMessage() for record in caplog.records) == 1, (
        "the same trouble is told once"
    )


def test_heartbeat_goes_on_and_stops_with_the_process() -> None:
    with running(job("works")):
        wait_until(lambda: course("works").get("runs"), "the first beat")
        first = Heartbeat.objects.get(process="loop").at
        wait_until(lambda: Heartbeat.objects.get(process="loop").at > first, "the next beat")


def test_job_is_given_its_arguments_anew_for_each_run() -> None:
    numbers = iter(range(1000))
    with running(Job("works", f"{__name__}.works", 0.02, lambda: {"word": str(next(numbers))})):
        wait_until(lambda: len(calls) > 2, "three runs")
    assert calls[:3] == ["0", "1", "2"]


def test_interval_is_kept() -> None:
    with running(job("works", every_s=60), job("reads")):
        wait_until(lambda: len(calls) > 10, "runs of the other")
    assert calls.count("works") == 1


def test_connection_that_was_cut_is_made_anew() -> None:
    with running(job("reads")):
        wait_until(lambda: len(calls) > 2, "some runs")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND usename = current_user"
            )
        before = len(calls)
        wait_until(lambda: len(calls) > before + 3 and not course("reads")["trouble"], "runs after the cut")


def test_what_comes_last_is_called_even_after_an_error() -> None:
    with running(job("works"), at_end=(f"{__name__}.fails", f"{__name__}.last_word")):
        wait_until(lambda: calls, "a run")
    assert calls[-2:] == ["fails", "last"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_ends_clean_on_a_signal(number: int) -> None:
    database = connections["default"].settings_dict
    address = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = os.environ | {"DATABASE_URL": address, "REDIS_URL": "redis://127.0.0.1:1/0"}
    watch = subprocess.Popen(
        [sys.executable, "manage.py", "watch"], cwd=CHECKOUT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: Heartbeat.objects.filter(process="watch").exists(), "watch to live")
        wait_until(lambda: Heartbeat.objects.filter(process="sweep:watch").exists(), "its first sweep")
        watch.send_signal(number)
        _, told = watch.communicate(timeout=60)
    finally:
        watch.kill()
        watch.wait()
    assert (watch.returncode, "Traceback" in told) == (0, False), told
