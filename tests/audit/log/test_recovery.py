"""A database that was set back gets its entries again from what is published; one history goes on."""

import threading
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.log import checkpoints
from audit.log.checking import StoreSource
from audit.log.examination import examine
from audit.log.models import Event, QueueEntry, SealedEntry
from audit.log.publisher import Publisher
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.recovery import CannotRecover, recover
from audit.log.sealer import Sealer
from audit.log.stores import StoreUnavailable
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.sources import Folder
from tests.audit.log.logged import appended, doctored, run_signer, sealed

pytestmark = pytest.mark.django_db
TABLES = "audit_checkpoint, audit_sealed_entry, audit_tile"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.PORTAL_LOG_STORE = str(tmp_path / "log")
    return tmp_path / "log"


def publish(folder: Path) -> None:
    publish_once(connection, DirectoryStore(folder), [run_signer().verifier()])


def set_back(size: int) -> None:
    """As a backup of that size would be: later events, their places, tiles and checkpoints gone."""
    doctored("CREATE TEMPORARY TABLE later AS SELECT event_id FROM audit_sealed_entry WHERE index >= %s", size)
    doctored("DELETE FROM audit_sealed_entry WHERE index >= %s", size)
    doctored("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM later)")
    doctored("DELETE FROM audit_personal_value WHERE event_id IN (SELECT event_id FROM later)")
    doctored("DELETE FROM audit_checkpoint WHERE size > %s", size)
    doctored("DROP TABLE later")


class Away(DirectoryStore):
    """Does not answer."""

    def read(self, path: str) -> bytes | None:
        raise StoreUnavailable(path)


def test_a_store_that_goes_away_lets_nobody_seal_beside_the_history_that_it_was_found_to_hold(folder: Path) -> None:
    """A replica that lost its end is promoted, under a sealer that remembers less than is published; then the store is out of reach for a moment."""
    sealed(3)
    tiles_then = list(connection.cursor().execute("SELECT level, index, hashes FROM audit_tile").fetchall())
    sealed(4)
    publish(folder)
    set_back(3)
    for level, index, hashes in tiles_then:
        doctored("UPDATE audit_tile SET hashes = %s WHERE level = %s AND index = %s", hashes, level, index)
    keys = [run_signer().verifier()]
    sealer = Sealer("default", run_signer(), threading.Event(), store=Away(folder), remembered=True)
    sealer.publisher = publisher = cast("Publisher", sealer._publishing())
    assert [is_blocked(publisher, store(folder)) for store in (DirectoryStore, Away)] == [True, True]
    again = cast("Publisher", sealer._publishing())  # over another connection to the database, when the first broke
    assert is_blocked(again, Away(folder))
    never = Publisher("default", Away(folder), keys, remembered=True)
    assert not is_blocked(never, Away(folder)), "it never answered, and the sealer remembers"
    recover(connection, Folder(folder), keys)
    assert not is_blocked(again, DirectoryStore(folder))
    assert not is_blocked(again, Away(folder))


def is_blocked(publisher: Publisher, store: DirectoryStore) -> bool:
    """Whether nothing may be sealed after a try to publish there."""
    publisher.store = store
    publisher._publish(lambda: publish_once(connection, store, publisher.keys))
    return publisher.blocked


def state() -> tuple[int, int, bytes | None]:
    last = checkpoints.latest()
    return Event.objects.count(), SealedEntry.objects.count(), last.root if last else None


@pytest.mark.parametrize("kept", [3, 0])
def test_what_was_lost_comes_back_from_what_is_published(folder: Path, kept: int) -> None:
    if kept:
        sealed(kept)
        tiles_then = list(connection.cursor().execute("SELECT level, index, hashes FROM audit_tile").fetchall())
    sealed(700)
    publish(folder)
    before = state()
    set_back(kept)
    doctored("DELETE FROM audit_tile")
    if kept:
        for row in tiles_then:
            doctored("INSERT INTO audit_tile (level, index, hashes) VALUES (%s, %s, %s)", *row)
    found = recover(connection, StoreSource(str(folder)), [run_signer().verifier()])
    assert found is not None
    events, *log = before
    assert (found.first, found.last, found.count, state()) == (kept, kept + 699, 700, (events + 1, *log))
    (told,) = named(["log.recovered"])
    assert (told.fields["first"], told.fields["last"]) == (found.first, found.last)
    report = examine([run_signer().verifier()], published=StoreSource(str(folder)))
    assert (report.sentences(), report.personal_erased, report.personal_lost) == ([], 0, 1400)
    sealed(5)
    publish(folder)
    assert examine([run_signer().verifier()], published=StoreSource(str(folder))).sentences() == []


def test_events_that_wait_are_sealed_after_what_came_back_and_none_twice(folder: Path) -> None:
    """The backup held an event that was sealed later; and since the failover a bypass was written."""
    early = appended(1)
    sealed(2)
    publish(folder)
    doctored(f"TRUNCATE {TABLES}")
    doctored("INSERT INTO audit_queue (event_id) VALUES (%s)", early[0])
    late = appended(1)
    assert recover(connection, StoreSource(str(folder)), [run_signer().verifier()]) is not None
    (told,) = named(["log.recovered"])
    assert list(QueueEntry.objects.order_by("seq").values_list("event_id", flat=True)) == [*late, told.id]
    sealed(0)
    after = list(SealedEntry.objects.order_by("index").values_list("event_id", flat=True))
    assert (after[:1], after[3:]) == (early, [*late, told.id])
    assert examine([run_signer().verifier()]).sentences() == []


def test_nothing_happens_where_all_is_there(folder: Path) -> None:
    sealed(3)
    publish(folder)
    sealed(1)
    before = state()
    assert (recover(connection, StoreSource(str(folder)), [run_signer().verifier()]), state()) == (None, before)


@pytest.mark.parametrize(
    "fault", ["another history", "an entry changed", "a bundle missing", "no checkpoint", "other bytes"]
)
def test_what_cannot_be_believed_brings_nothing_back(folder: Path, fault: str) -> None:
    sealed(300)
    publish(folder)
    bundle = folder / "tile/entries/000"
    if fault == "another history":
        doctored(f"TRUNCATE {TABLES}")
        doctored("DELETE FROM audit_event")
        sealed(2)
    elif fault == "other bytes":
        doctored(f"TRUNCATE {TABLES}")
        doctored("UPDATE audit_event SET body = body || '\\x20'::bytea WHERE id = (SELECT id FROM audit_event LIMIT 1)")
    else:
        set_back(0)
        doctored("DELETE FROM audit_tile")
    if fault == "an entry changed":
        data = bundle.read_bytes()
        bundle.write_bytes(data.replace(b'"v":1', b'"v":2', 1))
    elif fault == "a bundle missing":
        bundle.unlink()
    elif fault == "no checkpoint":
        (folder / "checkpoint").unlink()
    before = state()
    with pytest.raises(CannotRecover):
        recover(connection, StoreSource(str(folder)), [run_signer().verifier()])
    assert state() == before


def test_the_command_says_what_came_back_and_what_is_lost(folder: Path) -> None:
    sealed(3)
    publish(folder)
    set_back(0)
    doctored("DELETE FROM audit_tile")
    out = StringIO()
    call_command("recover_log", stdout=out)
    call_command("recover_log", stdout=out)
    lines = out.getvalue().splitlines()
    assert (lines[0].split(", of ")[0], lines[-1]) == (
        "Entries 0 to 2 were brought back", "The stored log has all that is published.",
    )  # fmt: skip
    (folder / "checkpoint").unlink()
    with pytest.raises(CommandError, match="Nothing was brought back"):
        call_command("recover_log", stdout=out)
