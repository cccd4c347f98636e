"""A sealer that is paused between what it put and its head, while another one takes its place; and one whose clock is an hour wrong. One history goes on."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection

from audit.log import tiles
from audit.log.checkpoint import parse_checkpoint
from audit.log.examination import examine
from audit.log.models import SealedEntry, StoredCheckpoint
from audit.log.sealer import Sealer
from audit.log.stores.directory import LOCK, DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from portal.embedded.databases import role_name
from tests.audit.log.logged import appended, run_signer
from tests.faults.programs import Program, running
from tests.servers import role_url, wait_until

HOUR_NS, MS = 3_600_000_000_000, 1_000_000
WAITS = "Another sealer is at work; this one waits for it to go."


def published(place: Path) -> int:
    head = place / "log/checkpoint"
    return parse_checkpoint(head.read_bytes()).checkpoint.size if head.exists() else 0


def whole(place: Path) -> int:
    """How many entries are published, after all of them and all that is stored were verified."""
    keys = [run_signer().verifier()]
    source = Folder(place / "log")
    verdict, head = check(source, Wanted(keys))
    report = examine(keys, published=source)
    assert (verdict.damages, head is not None, report.sentences()) == ([], True, [])
    return verdict.size


@contextmanager
def sealing(place: Path, name: str) -> Iterator[Program]:
    """A sealer of this log; each has a memory of its own, as on a machine of its own."""
    files = {"PORTAL_LOG_STORE": str(place / "log"), "PORTAL_LOG_SEEN_FILE": str(place / f"seen-{name}")}
    with running("sealer", role="sealer", environment=files) as program:
        yield program


@contextmanager
def nobody_moves_the_head(place: Path) -> Iterator[None]:
    """Whoever publishes meanwhile puts all its resources, and then waits for the lock of the head."""
    descriptor = os.open(place / "log" / LOCK, os.O_WRONLY)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def waits_for_the_head(program: Program) -> bool:
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "-> FLOCK" in line]
    return str(program.process.pid) in [words[5] for words in waiting]


def stopped(program: Program) -> bool:
    states = [
        each.read_text().rpartition(")")[2].split()[0]
        for each in Path(f"/proc/{program.process.pid}/task").glob("*/stat")
    ]
    return set(states) == {"T"}


def connections_of_sealers() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = %s",
            [role_name("sealer")],
        )
        return [pid for (pid,) in cursor.fetchall()]


def disconnect(pids: list[int]) -> None:
    """What a database does that fails over, or that hears nothing from a client for long. The sealer's own role may do it."""
    with psycopg.connect(role_url("sealer", str(connection.settings_dict["NAME"])), autocommit=True) as theirs:
        theirs.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS theirs (pid)", [pids])


@pytest.mark.faults
@pytest.mark.skipif(
    not Path("/proc/locks").exists(), reason="who waits for a lock of a file is read from Linux's /proc"
)
@pytest.mark.django_db(transaction=True)
def test_a_sealer_woken_between_its_tiles_and_its_head_moves_nothing_back(tmp_path: Path) -> None:
    appended(2)
    with sealing(tmp_path, "old") as old:
        wait_until(lambda: published(tmp_path) == 2, f"the first publication\n{old.said}", 60)
        with nobody_moves_the_head(tmp_path):
            appended(1)
            wait_until(lambda: waits_for_the_head(old), f"the resources to be put\n{old.said}", 60)
            os.kill(old.process.pid, signal.SIGSTOP)
            wait_until(lambda: stopped(old), "the first to be paused")
            theirs = connections_of_sealers()
        put = tmp_path / "log" / tiles.path(tiles.TileName(0, 0, 3))
        assert (put.exists(), published(tmp_path)) == (True, 2)
        with sealing(tmp_path, "new") as new:
            wait_until(lambda: WAITS in new.said, f"the second to wait for the first\n{new.said}", 60)
            disconnect(theirs)
            appended(4)
            wait_until(lambda: published(tmp_path) == 7, f"the second to publish\n{new.said}", 60)
            head = (tmp_path / "log/checkpoint").read_bytes()
            os.kill(old.process.pid, signal.SIGCONT)
            wait_until(lambda: old.said.count(WAITS) == 1, f"the first to wait for the second\n{old.said}", 60)
            assert ((tmp_path / "log/checkpoint").read_bytes(), whole(tmp_path)) == (head, 7)
            appended(1)
            wait_until(lambda: published(tmp_path) == 8, f"the second to go on\n{new.said}", 60)
        appended(1)
        wait_until(lambda: published(tmp_path) == 9, f"the first to take over again\n{old.said}", 60)
        assert "What is sealed is not published. Somebody else has published meanwhile." in old.said
    assert whole(tmp_path) == 9
    assert list(SealedEntry.objects.order_by("index").values_list("index", flat=True)) == list(range(9))


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hours", [1, -1])
def test_a_sealer_whose_clock_is_an_hour_wrong_seals_on_and_so_does_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """The clock jumps under a sealer that runs, and is set right again: nothing stops, and each checkpoint has the time of its own clock."""
    wrong, stop = threading.Event(), threading.Event()

    def time_ns() -> int:
        return time.time_ns() + (hours * HOUR_NS if wrong.is_set() else 0)

    monkeypatch.setattr("audit.log.sealer.time", SimpleNamespace(time_ns=time_ns, monotonic=time.monotonic))
    sealer = Sealer("default", run_signer(), stop, memory=tmp_path / "seen", store=DirectoryStore(tmp_path / "log"))
    thread = threading.Thread(target=sealer.run)
    thread.start()
    try:
        began = time.time_ns()
        for number, is_wrong in enumerate((False, True, False), 1):
            (wrong.set if is_wrong else wrong.clear)()
            appended(1)
            wait_until(lambda: published(tmp_path) == number, "the seal to be published")  # noqa: B023 - used in this turn
            assert (sealer.trouble, whole(tmp_path)) == ("", number)
        ended = time.time_ns()
    finally:
        stop.set()
        thread.join()
    off = [0, hours * HOUR_NS, 0]
    signed = list(StoredCheckpoint.objects.order_by("size").values_list("signed_at", flat=True))
    sealed = list(SealedEntry.objects.order_by("index").values_list("sealed_at", flat=True))
    assert sealed == signed
    assert [began // MS <= at - more // MS <= ended // MS for at, more in zip(signed, off, strict=True)] == [True] * 3
