"""The sealer as a process: its own role, one at a time, through kills and restarts of the database."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from audit.log import checkpoints
from audit.log.checkpoint import parse_checkpoint
from audit.log.examination import examine
from audit.log.heartbeats import all_beats
from audit.log.keys import generate
from audit.log.locks import Lock
from audit.log.models import QueueEntry, SealedEntry, StoredCheckpoint
from audit.log.publishing import read_head
from audit.log.sealer import LOCKED, MEND
from audit.log.stores.directory import DirectoryStore
from portal.embedded.databases import PORTAL_DATABASE, PORTAL_SETTINGS, ROLES, prepare_portal, role_name
from tests import servers
from tests.audit.log.logged import appended, doctored, run_signer, sealed
from tests.servers import wait_until

CHECKOUT = Path(__file__).parents[3]
Start = Callable[..., subprocess.Popen[bytes]]


@contextmanager
def starting(log: Path) -> Iterator[Start]:
    """A function that starts sealers, all ended afterwards; what they print goes into ``log``."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "sealer"], cwd=CHECKOUT, env={**os.environ, **environment},
                stdout=output, stderr=output,
            )  # fmt: skip
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Sealers of the test's database, in the sealer's own role."""
    name = connection.settings_dict["NAME"]
    with starting(tmp_path / "log") as start_one:
        yield lambda **more: start_one(**{"SEALER_DATABASE_URL": servers.role_url("sealer", name)} | more)


def printed(tmp_path: Path) -> str:
    return (tmp_path / "log").read_text()


def all_sealed() -> bool:
    return not QueueEntry.objects.exists()


def sound() -> bool:
    return examine([run_signer().verifier()]).ok


@pytest.mark.django_db(transaction=True)
def test_sealer_seals_in_its_own_role_beats_and_ends_when_told(start: Start, tmp_path: Path) -> None:
    process = start()
    (event,) = appended(1)
    assert checkpoints.wait_for_inclusion(event, 30).index == 0
    wait_until(lambda: [(b.process, b.detail.get("size")) for b in all_beats()] == [("sealer", 1)], "a heartbeat")
    process.send_signal(signal.SIGTERM)
    assert process.wait(90) == 0
    assert "Traceback" not in printed(tmp_path)


@pytest.mark.django_db(transaction=True)
def test_second_sealer_waits_and_takes_over(start: Start, tmp_path: Path) -> None:
    first = start()
    wait_until(lambda: "Sealing for" in printed(tmp_path), "the first to work")
    second = start()
    wait_until(lambda: "Another sealer is at work" in printed(tmp_path), "the second to wait")
    assert printed(tmp_path).count("Sealing for") == 1
    first.kill()
    first.wait()
    (event,) = appended(1)
    assert checkpoints.wait_for_inclusion(event, 30)
    assert printed(tmp_path).count("Sealing for") == 2
    second.terminate()
    assert second.wait(90) == 0


@pytest.mark.django_db(transaction=True)
def test_waiting_sealer_ends_when_told(start: Start, tmp_path: Path) -> None:
    start()
    wait_until(lambda: "Sealing for" in printed(tmp_path), "the first to work")
    second = start()
    wait_until(lambda: "Another sealer is at work" in printed(tmp_path), "the second to wait")
    second.terminate()
    assert second.wait(90) == 0


@pytest.mark.django_db(transaction=True)
def test_sealer_that_is_killed_again_and_again_loses_and_doubles_nothing(start: Start) -> None:
    total = 0
    for turn in range(6):
        process = start()
        before = SealedEntry.objects.count()
        while SealedEntry.objects.count() == before:
            total += len(appended(5))
            time.sleep(0.02)
        total += len(appended(40))
        time.sleep(turn * 0.03)  # not waited for: the kill is to fall at another point of its work each time
        process.kill()
        process.wait()
        assert sound()
    start()
    wait_until(all_sealed, "the rest to be sealed")
    assert SealedEntry.objects.count() == total
    assert sound()


@pytest.mark.django_db(transaction=True)
def test_sealer_goes_on_past_an_event_that_was_changed(start: Start, tmp_path: Path) -> None:
    first, second, third = appended(3)
    doctored("UPDATE audit_event SET name = 'person.left' WHERE id = %s", second)
    start()
    for event in (first, third, *appended(1)):
        assert checkpoints.wait_for_inclusion(event, 30)
    assert list(QueueEntry.objects.values_list("event_id", flat=True)) == [second]
    assert printed(tmp_path).count("are not sealed; number") == 1


@pytest.mark.django_db(transaction=True)
def test_log_that_was_set_back_is_not_signed_over_after_a_restart(start: Start, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    process = start(PORTAL_LOG_SEEN_FILE=str(seen))
    (event,) = appended(1)
    checkpoints.wait_for_inclusion(event, 30)
    wait_until(seen.exists, "the checkpoint to be remembered")
    process.terminate()
    process.wait(90)
    doctored("DELETE FROM audit_sealed_entry; DELETE FROM audit_tile; DELETE FROM audit_checkpoint")
    appended(1)
    start(PORTAL_LOG_SEEN_FILE=str(seen))
    sentence = "Nothing is sealed. This log has signed 1 entries, and only 0 are stored."
    wait_until(lambda: sentence in printed(tmp_path), "the alarm")
    wait_until(lambda: [b.detail["trouble"] for b in all_beats()] == [sentence], "the operator to be told")
    assert not SealedEntry.objects.exists()
    assert printed(tmp_path).count(sentence) <= 2, "once to each handler of alarms, not at every turn"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("remembers", [True, False])
def test_sealer_that_was_killed_before_it_wrote_down_what_it_sealed_says_the_right_size(
    remembers: bool, start: Start, tmp_path: Path
) -> None:
    sealed(1)
    seen = tmp_path / "seen"
    if remembers:
        (note,) = StoredCheckpoint.objects.values_list("note", flat=True)
        seen.write_text(note)
    sealed(1)
    start(**({"PORTAL_LOG_SEEN_FILE": str(seen)} if remembers else {}))
    wait_until(lambda: [beat.process for beat in all_beats()] == ["sealer"], "the first heartbeat")
    assert [beat.detail["size"] for beat in all_beats()] == [2]
    assert not remembers or parse_checkpoint(seen.read_bytes()).checkpoint.size == 2


@pytest.mark.django_db(transaction=True)
def test_torn_memory_stops_the_sealer_and_a_lost_one_is_told(start: Start, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    process = start(PORTAL_LOG_SEEN_FILE=str(seen))
    (event,) = appended(1)
    checkpoints.wait_for_inclusion(event, 30)
    wait_until(seen.exists, "the checkpoint to be remembered")
    process.terminate()
    process.wait(90)
    whole = seen.read_bytes()
    seen.write_bytes(whole[:40])
    assert start(PORTAL_LOG_SEEN_FILE=str(seen)).wait(90) == 1
    assert printed(tmp_path).splitlines()[-1].endswith(MEND)
    assert seen.read_bytes() == whole[:40]
    seen.unlink()
    start(PORTAL_LOG_SEEN_FILE=str(seen))
    wait_until(
        lambda: f"{seen} is not there; the stored log of 1 entries is believed." in printed(tmp_path), "it to be told"
    )
    wait_until(lambda: seen.exists() and seen.read_bytes() == whole, "it to be remembered again")


@pytest.mark.django_db(transaction=True)
def test_what_was_sealed_beside_a_refused_event_is_remembered_and_the_heartbeat_says_why_it_was_refused(
    start: Start, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    appended(1)
    stray = QueueEntry.objects.create(event_id=uuid.uuid4())
    start(PORTAL_LOG_SEEN_FILE=str(seen))
    wait_until(lambda: seen.exists() and parse_checkpoint(seen.read_bytes()).checkpoint.size == 1, "what is remembered")
    against = {str(stray.seq): f"There is no event {stray.event_id}."}
    wait_until(lambda: [b.detail.get("against") for b in all_beats()] == [against], "the heartbeat to say why")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", ["UPDATE audit_heartbeat SET at = now()", "LOCK TABLE audit_heartbeat"])
def test_who_locks_the_heartbeat_of_the_sealer_holds_up_no_seal(start: Start, tmp_path: Path, statement: str) -> None:
    """Every process of the web tier may write heartbeats, so a transaction of one that stays open locks them."""
    start()
    wait_until(lambda: [b.process for b in all_beats()] == ["sealer"], "a heartbeat")
    with psycopg.connect(servers.role_url("web", connection.settings_dict["NAME"])) as web:
        web.execute(statement)
        wait_until(lambda: "Somebody keeps the heartbeat of the sealer locked" in printed(tmp_path), "it to be told")
        (event,) = appended(1)
        assert checkpoints.wait_for_inclusion(event, 30).index == 0
        web.rollback()


@pytest.mark.django_db(transaction=True)
def test_who_keeps_the_lock_of_sealing_is_alarmed_about_and_sealing_goes_on_afterwards(
    start: Start, tmp_path: Path
) -> None:
    """Every login may take it, and nobody else would notice whom the sealer waits for."""
    start()
    wait_until(lambda: [b.process for b in all_beats()] == ["sealer"], "a heartbeat")
    with psycopg.connect(servers.role_url("web", connection.settings_dict["NAME"]), autocommit=True) as web:
        web.execute("SELECT pg_advisory_lock(%s)", [int(Lock.SEALING)])
        (event,) = appended(1)
        wait_until(lambda: [b.detail["trouble"] for b in all_beats()] == [LOCKED], "it to be told")
        assert f"{LOCKED}\n" in printed(tmp_path)
    assert checkpoints.wait_for_inclusion(event, 30).index == 0
    wait_until(lambda: [b.detail["trouble"] for b in all_beats()] == [""], "it to be over")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORTAL_LOG_KEY_FILE", "", "PORTAL_LOG_KEY_FILE is not set; manage.py log_keys makes a key."),
        ("PORTAL_LOG_KEY_FILE", "/none", "The key file /none cannot be read: No such file or directory."),
        ("PORTAL_LOG_KEY_SERVICE", "/none", "The key service at /none does not answer"),
        ("PORTAL_LOG_KEY_FILE", "manage.py", "A key of the log cannot be read."),
        ("PORTAL_LOG_PUBLIC_KEY", "log.example", "A key of the log cannot be read."),
        ("PORTAL_LOG_PUBLIC_KEY", generate("log.example")[1], "does not hold the public half of"),
        ("SEALER_DATABASE_URL", "words", "SEALER_DATABASE_URL cannot be read as the address of a database."),
        ("PORTAL_LOG_SEEN_FILE", "manage.py", "manage.py is not a checkpoint of this log."),
        ("PORTAL_LOG_SEEN_FILE", "audit", "audit cannot be read: Is a directory."),
    ],
    ids=[
        "no key",
        "no file",
        "no service",
        "no key in it",
        "no public key",
        "another's public key",
        "no database",
        "no checkpoint",
        "no file of its own",
    ],
)
def test_sealer_that_cannot_begin_says_why(
    start: Start, tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    assert start(**{variable: value}).wait(90) == 1
    assert sentence in printed(tmp_path).splitlines()[-1]


@pytest.mark.django_db(transaction=True)
def test_sealer_outlives_restarts_of_the_database(tmp_path: Path) -> None:
    passwords = dict.fromkeys(ROLES, "only-for-this-test")
    with servers.running_postgres(PORTAL_SETTINGS) as postgres, starting(tmp_path / "log") as start_one:
        prepare_portal(postgres.url(), passwords)
        owner, sealer = (
            postgres.url(role_name(role), passwords[role], PORTAL_DATABASE) for role in ("owner", "sealer")
        )
        environment = {**os.environ, "DATABASE_URL": owner}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=CHECKOUT, env=environment, check=True)
        start_one(DATABASE_URL=owner, SEALER_DATABASE_URL=sealer)
        append_elsewhere(owner)
        wait_until(partial(sealed_elsewhere, owner, 1), "the first event to be sealed")
        for number, end in enumerate((postgres.stop, postgres.kill), start=1):
            end()
            wait_until(partial(noticed, tmp_path, number), "it to notice")
            postgres.start()
            append_elsewhere(owner)
            wait_until(partial(sealed_elsewhere, owner, number + 1), "the next event to be sealed")


def noticed(tmp_path: Path, times: int) -> bool:
    return printed(tmp_path).count("does not answer the sealer") >= times


def append_elsewhere(url: str) -> None:
    """One event by a process of its own, in another database than the test's."""
    code = (
        "import django; django.setup()\n"
        "from tests.audit.log.logged import appended\n"
        "appended(1)"
    )  # fmt: skip
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env={**os.environ, "DATABASE_URL": url}, check=True)


def sealed_elsewhere(url: str, count: int) -> bool:
    with closing(psycopg.connect(url)) as other:
        return other.execute("SELECT count(*) FROM audit_sealed_entry").fetchone() == (count,)


@pytest.mark.django_db(transaction=True)
def test_sealer_publishes_and_seals_nothing_beside_what_is_published(start: Start, tmp_path: Path) -> None:
    """A database that was set back, at a sealer that remembers nothing itself: the published head is what remembers."""
    store = DirectoryStore(tmp_path / "published")
    appended(3)
    process = start(PORTAL_LOG_STORE=str(store.folder))
    wait_until(lambda: head_size(store) == 3, "the publication")
    process.send_signal(signal.SIGTERM)
    assert process.wait(90) == 0
    doctored("TRUNCATE audit_checkpoint, audit_sealed_entry, audit_tile, audit_queue")
    appended(1)
    start(PORTAL_LOG_STORE=str(store.folder))
    wait_until(
        lambda: "Nothing is sealed, for what is published is not what is stored" in printed(tmp_path), "the alarm"
    )
    assert "3 entries are published, and the stored log is empty" in printed(tmp_path)
    assert (SealedEntry.objects.count(), QueueEntry.objects.count(), head_size(store)) == (0, 1, 3)


@pytest.mark.django_db(transaction=True)
def test_sealing_goes_on_while_the_store_cannot_be_written_and_is_published_after(start: Start, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "published")
    start(PORTAL_LOG_STORE=str(store.folder))
    appended(1)
    wait_until(lambda: head_size(store) == 1, "the first publication")
    moved = store.folder.rename(tmp_path / "away")
    store.folder.write_text("in the way")
    appended(2)
    wait_until(lambda: all_sealed() and "What is sealed is not published" in printed(tmp_path), "the alarm")
    store.folder.unlink()
    moved.rename(store.folder)
    wait_until(lambda: head_size(store) == 3, "what was sealed meanwhile")


def head_size(store: DirectoryStore) -> int:
    head = read_head(store, [run_signer().verifier()])
    return head.checkpoint.size if head else 0


@pytest.mark.django_db(transaction=True)
def test_a_store_that_hangs_holds_up_no_seal(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket behind an address that takes connections and never answers, at a sealer that remembers."""
    memory = tmp_path / "seen"
    process = start(PORTAL_LOG_SEEN_FILE=str(memory))
    appended(1)
    wait_until(memory.exists, "what is remembered")
    process.send_signal(signal.SIGTERM)
    assert process.wait(90) == 0
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        address = f"s3://log?region=us-east-1&endpoint=http://127.0.0.1:{hanging.getsockname()[1]}"
        start(PORTAL_LOG_SEEN_FILE=str(memory), PORTAL_LOG_STORE=address)
        wait_until(lambda: "What is sealed is not published" in printed(tmp_path), "the first try", 60)
        for _ in range(3):
            (event,) = appended(1)
            checkpoints.wait_for_inclusion(event, 5)
