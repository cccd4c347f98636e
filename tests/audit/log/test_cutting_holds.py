"""What is held stays when old entries are cut, whichever of the two comes first."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from audit.log import cutting, holds
from audit.log.append import Entry, append_many, clock
from audit.log.cutting import Removed, StillLocked
from audit.log.erasing import LOCK, lock
from audit.log.holds import Held, held_bundles
from audit.log.publisher import CUT_REST_S, Publisher
from audit.log.stores.directory import DirectoryStore
from tests.audit.log.cut_log import (
    CASE,
    LATER,
    OLD,
    cut_in,
    folder,
    hold,
    lifted,
    old_log,
    outsider,
    published,
    removed_from,
    report,
    say_cut,
    written,
)
from tests.audit.log.logged import TEST, run_signer
from tests.servers import role_url, wait_until

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


class Watched(DirectoryStore):
    """It counts the bundles that are read, and keeps all under lock."""

    read_paths: tuple[str, ...] = ()
    until: datetime | None = None

    def read(self, path: str) -> bytes | None:
        self.read_paths += (path,) if "entries" in path else ()
        return super().read(path)

    def locked_until(self, path: str) -> datetime | None:  # noqa: ARG002 - all the same
        return self.until


def test_an_entry_that_cannot_be_read_ends_no_cut_and_is_held_for_whom_it_names() -> None:
    bundles = [
        (0, [b"{"]),
        (1, [b"no entry of anna"]),
        (2, [b"no entry of case-1"]),
        (3, [b"of case-2"]),
        (4, [b'{"case":"case-1"}']),
    ]
    held = Held(frozenset({"case-1"}), frozenset({"anna"}))
    with connection.cursor() as cursor:
        assert held_bundles(cursor, held, bundles) == {1, 2, 4}


def test_what_is_locked_is_not_read_and_a_cut_that_failed_rests(folder: Path) -> None:
    old_log()
    say_cut()
    published(folder)
    store = Watched(folder)
    store.until = datetime(2040, 1, 2, tzinfo=UTC)
    with pytest.raises(StillLocked):
        cut_in(store)
    assert store.read_paths == ()
    publisher = Publisher("default", store, [run_signer().verifier()], remembered=True)
    publisher._published(connection)
    store.until = None
    publisher._published(connection)
    assert ("under Object Lock" in publisher.uncut, (folder / "tile/entries/001").exists()) == (True, True)
    publisher.cut_rests_until -= CUT_REST_S
    publisher._published(connection)
    assert (publisher.uncut, (folder / "tile/entries/001").exists()) == ("", False)


def test_who_keeps_the_lock_of_holds_holds_up_no_publication(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every login may take it; a publisher that waited for it would publish nothing more."""
    old_log()
    say_cut()
    published(folder)
    monkeypatch.setattr(holds, "PATIENCE", "100ms")
    publisher = Publisher("default", DirectoryStore(folder), [run_signer().verifier()], remembered=True)
    with psycopg.connect(role_url("web", connection.settings_dict["NAME"]), autocommit=True) as web:
        web.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert publisher._published(connection) is not None
    assert publisher.uncut == "Somebody has been setting a hold or erasing for half a minute."


@pytest.mark.parametrize(
    ("about", "kept"),
    [({"case": CASE}, (0,)), ({"case": LATER}, (1,)), ({"person": "p"}, (0, 1)), ({"person": "nobody-here"}, ())],
)
def test_bundles_with_entries_under_a_hold_stay_until_two_lift_it(
    folder: Path, capsys: Any, about: dict[str, str], kept: tuple[int, ...]
) -> None:
    old_log()
    say_cut()
    written(hold(**about))
    store = published(folder)
    assert removed_from(store) == Removed(2 - len(kept), kept)
    assert [(folder / f"tile/entries/00{number}").exists() for number in (0, 1)] == [
        number in kept for number in (0, 1)
    ]
    assert (outsider(folder, capsys)[0], report(folder).sentences()) == (0, [])
    written(lifted(by="a"))  # one person's word
    assert removed_from(published(folder)) == Removed(0, kept)
    written(lifted())
    assert removed_from(published(folder)) == Removed(len(kept), ())


def test_a_case_in_which_a_held_person_is_named_elsewhere_is_held_whole(folder: Path) -> None:
    old_log()
    with clock(lambda: OLD):
        written(
            Entry("page.viewed", TEST, {"person_id": "held-one", "page": "the case", "quarter": 0}, case=CASE)
        )  # above the minimum
    say_cut()
    written(hold(person="held-one"))
    assert removed_from(published(folder)) == Removed(1, (0,))


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


def beside(do: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    got: list[object] = []

    def work() -> None:
        try:
            got.append(do())
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, got


def test_a_removal_waits_for_a_hold_that_is_being_set_and_keeps_what_is_its(folder: Path) -> None:
    old_log()
    say_cut()
    store = published(folder)
    with transaction.atomic():
        lock()
        append_many([hold(case=CASE)])
        thread, got = beside(lambda: removed_from(store))
        wait_until(somebody_waits, "the removal to wait")
    thread.join(60)
    assert got == [Removed(1, (0,))]


def test_a_hold_waits_for_the_bundles_that_are_being_removed_and_keeps_those_after_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_hold() -> None:
        with transaction.atomic():
            lock()
            append_many([hold(case=LATER)])

    class Slow(DirectoryStore):
        def cut(self, paths: list[str]) -> None:
            if not threads:
                threads.append(beside(set_hold)[0])
                wait_until(somebody_waits, "the hold to wait")
            super().cut(paths)

    threads: list[threading.Thread] = []
    monkeypatch.setattr(cutting, "AT_ONCE", 1)
    old_log()
    say_cut()
    published(folder)
    assert removed_from(Slow(folder)) == Removed(1, (1,))
    threads[0].join(60)


def test_the_sealer_looks_again_when_a_hold_is_lifted_and_says_what_stays(folder: Path) -> None:
    old_log()
    say_cut()
    written(hold(case=CASE))
    published(folder)
    publisher = Publisher("default", DirectoryStore(folder), [run_signer().verifier()], remembered=True)
    publisher._published(connection)
    assert publisher.of_cut() == {"minimum": 512, "kept": 1, "trouble": ""}
    written(lifted())
    publisher._published(connection)
    assert publisher.of_cut() == {"minimum": 512, "kept": 0, "trouble": ""}
