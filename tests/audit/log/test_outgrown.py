"""Partial tiles that were outgrown stay for a while, so that a copy under an earlier checkpoint is whole; and they go in the end."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from audit.log.outgrown import AT_ONCE, KEPT_S, MOST, Outgrown
from audit.log.publisher import Publisher
from audit.log.publishing import publish_once
from audit.log.stores import HEAD, StoreUnavailable
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from tests.audit.log.logged import run_signer, sealed


@dataclass
class Clock:
    """Stands until it is moved."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "log")


def publish(store: DirectoryStore, waiting: Outgrown, more: int) -> None:
    sealed(more)
    publish_once(connection, store, [run_signer().verifier()], waiting)


def partial(store: DirectoryStore) -> list[str]:
    return sorted(str(each.relative_to(store.folder)) for each in store.folder.rglob("*.p"))


BOTH = ["tile/0/000.p", "tile/entries/000.p"]
EDGE = ["tile/0/001.p", "tile/1/000.p", "tile/entries/001.p"]


@pytest.mark.django_db
def test_a_reader_of_an_earlier_checkpoint_finds_all_of_it_for_an_hour(store: DirectoryStore) -> None:
    clock = Clock()
    waiting = Outgrown(clock=clock)
    publish(store, waiting, 200)
    earlier, now = (store.folder / HEAD).read_bytes(), []
    publish(store, waiting, 100)
    for seconds in (KEPT_S - 1, KEPT_S):
        clock.now = seconds
        publish(store, waiting, 0)
        now.append(partial(store))
    assert now == [sorted(BOTH + EDGE), EDGE]
    (store.folder / HEAD).write_bytes(earlier)
    verdict, _ = check(Folder(store.folder), Wanted([run_signer().verifier()]))
    assert (verdict.damages, verdict.size) == ([], 200)


@pytest.mark.django_db
def test_what_a_publisher_that_was_killed_left_goes_an_hour_after_the_next_one_begins(store: DirectoryStore) -> None:
    publish(store, Outgrown(), 200)
    publish(store, Outgrown(), 100)
    clock = Clock()
    waiting = Outgrown(clock=clock)
    publish(store, waiting, 1)
    assert partial(store) == sorted(BOTH + EDGE)
    clock.now = KEPT_S
    publish(store, waiting, 1)
    assert partial(store) == EDGE


class Kept(DirectoryStore):
    """Does not answer when something shall go."""

    def forget(self, folders: list[str]) -> None:
        raise StoreUnavailable(folders[0])


def test_what_could_not_be_removed_is_tried_again(tmp_path: Path, store: DirectoryStore) -> None:
    store.put({"tile/0/000.p/8": b"part"})
    waiting = Outgrown(kept_s=0, begun=True)
    with pytest.raises(StoreUnavailable):
        waiting.forget(Kept(store.folder), 200, 300)
    assert partial(store) == ["tile/0/000.p"]
    waiting.forget(store, 300, 300)
    assert partial(store) == []


@pytest.mark.django_db
def test_a_store_that_removes_nothing_is_told_once_and_what_is_published_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = [run_signer().verifier()]
    publisher = Publisher("default", Kept(tmp_path / "log"), keys, remembered=False, outgrown=Outgrown(kept_s=0))
    for more in (200, 100, 1):
        sealed(more)
        publisher._publish(lambda: publisher._published(connection))
    assert publisher.published is not None
    assert (publisher.published.checkpoint.size, publisher.trouble, publisher.blocked) == (301, "", False)
    assert [each.getMessage() for each in caplog.records if each.name == "breakglass.alarm"] == [
        "Partial tiles that were outgrown are still there. tile/0/000.p"
    ]


def test_no_more_wait_than_so_many_and_no_more_go_at_once_than_so_many(tmp_path: Path) -> None:
    gone: list[str] = []

    class Told(DirectoryStore):
        def forget(self, folders: list[str]) -> None:
            gone.extend(folders)

    waiting = Outgrown(clock=Clock())
    waiting.forget(Told(tmp_path), 0, 1)
    for size in range(1, 256 * (MOST + 3), 64):
        waiting.forget(Told(tmp_path), size, size + 64)
    assert (len(waiting.waiting), gone) == (2 * MOST, [
        "tile/0/000.p", "tile/entries/000.p", "tile/0/001.p", "tile/entries/001.p", "tile/0/002.p", "tile/entries/002.p",
    ])  # fmt: skip
    fresh = Outgrown(kept_s=0)
    del gone[:]
    fresh.forget(Told(tmp_path), 2**24, 2**24)
    assert (len(gone), gone[0], len(fresh.waiting)) == (AT_ONCE, "tile/2/000.p", 1 + MOST + 2 * MOST - AT_ONCE)
