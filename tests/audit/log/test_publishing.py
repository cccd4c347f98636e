"""Publication: what a reader of the head needs is there before the head is, and no other history is published beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from audit.log import merkle, tiles
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.models import Event, SealedEntry, StoredCheckpoint
from audit.log.publishing import SetBack, changed_tiles, passed_over, publish_once
from audit.log.sealing import SealingError
from audit.log.stores import HEAD, Conflict, Overtaken, Still, always
from audit.log.stores.directory import DirectoryStore
from tests.audit.log.logged import doctored, run_signer, sealed
from tests.audit.log.paused import PUTS, woken_after

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "log")


def publish(store: DirectoryStore) -> int:
    found = publish_once(connection, store, [run_signer().verifier()])
    return found.checkpoint.size if found else 0


def whole(folder: Path) -> VerifiedCheckpoint:
    """Read as a stranger would: every entry that the head names, hashed, and every tile held against them."""
    head = verify_checkpoint(parse_checkpoint((folder / HEAD).read_bytes()), [run_signer().verifier()])
    leaves: list[bytes] = []
    for index in range((head.size + 255) // 256):
        width = tiles.width(0, index, head.size)
        data = (folder / tiles.path(tiles.TileName(None, index, width))).read_bytes()
        leaves += [merkle.leaf_hash(entry) for entry in tiles.parse_bundle(data, width)]
    assert merkle.root(leaves) == head.root
    grown = tiles.grow(0, leaves, {})
    for tile in tiles.of_tree(head.size):
        assert (folder / tiles.path(tile)).read_bytes() == grown[tile.level or 0, tile.index][: tile.width * 32]
    return head


def paths(folder: Path) -> list[str]:
    found = (each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    return sorted(str(each.relative_to(folder)) for each in found)


def test_nothing_sealed_publishes_nothing(store: DirectoryStore) -> None:
    assert (publish(store), store.folder.exists()) == (0, False)


def test_the_signed_head_must_be_served_at_checkpoint(store: DirectoryStore) -> None:
    sealed(2)
    publish(store)
    head = parse_checkpoint((store.folder / "checkpoint").read_bytes())
    assert verify_checkpoint(head, [run_signer().verifier()]).size == 2


def test_each_publication_is_whole_and_outgrown_parts_go(store: DirectoryStore) -> None:
    for more, size in ((1, 1), (254, 255), (1, 256), (1, 257), (300, 557)):
        sealed(more)
        assert (publish(store), publish(store)) == (size, size)
        assert whole(store.folder).size == size
    assert paths(store.folder) == [
        HEAD,
        "tile/0/000", "tile/0/001", "tile/0/002.p/45", "tile/1/000.p/1", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/45",
    ]  # fmt: skip


def test_sealed_entries_hold_no_personal_value_in_clear(store: DirectoryStore) -> None:
    sealed(3)
    publish(store)
    published = b"".join(each.read_bytes() for each in store.folder.rglob("*") if each.is_file())
    assert [word for word in (b"Ada Lovelace", b"ada@example.org") if word in published] == []


@dataclass(frozen=True)
class Watched(DirectoryStore):
    """Notes what a reader finds under the old head at each step."""

    steps: list[str] = field(default_factory=list)

    def put(self, resources: dict[str, bytes], still: Still = always) -> None:
        super().put(resources, still)
        self.steps.append("put")
        if self.read(HEAD) is not None:
            whole(self.folder)

    def move_head(self, before: bytes | None, after: bytes) -> None:
        super().move_head(before, after)
        self.steps.append("head")
        whole(self.folder)

    def forget(self, folders: list[str]) -> None:
        self.steps.append("forget")
        super().forget(folders)
        whole(self.folder)


def test_a_reader_between_two_steps_finds_a_whole_log(tmp_path: Path) -> None:
    store = Watched(tmp_path / "log")
    for more in (200, 9000):
        sealed(more)
        publish(store)
    assert store.steps == ["put", "head", "put", "put", "head", "forget"]


def test_partial_tiles_are_served_for_each_size_of_which_a_checkpoint_was_produced(store: DirectoryStore) -> None:
    """Also where it never was the head: a witness shows the one that it has cosigned."""
    sealed(300)
    publish(store)
    for more in (3, 2, 250, 1):
        sealed(more)
    publish(store)
    for size, note in StoredCheckpoint.objects.filter(size__gte=512).values_list("size", "note"):
        (store.folder / HEAD).write_text(note)
        assert whole(store.folder).size == size
    assert paths(store.folder)[1:] == [
        "tile/0/000", "tile/0/001", "tile/0/002.p/43", "tile/0/002.p/44", "tile/1/000.p/1", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/43", "tile/entries/002.p/44",
    ]  # fmt: skip


@given(st.lists(st.integers(1, 70_000), max_size=5), st.integers(1, 70_000))
def test_no_tile_of_a_signed_size_is_passed_over(sizes: list[int], new: int) -> None:
    signed = [size for size in sizes if size < new]
    there = set(passed_over(signed, new)) | set(tiles.of_tree(new))
    for size in signed:
        for tile in tiles.of_tree(size):
            full = tiles.width(tile.level or 0, tile.index, new) == tiles.WIDTH
            assert tile in there or (full and tiles.TileName(tile.level, tile.index, tiles.WIDTH) in there)


@pytest.mark.parametrize(("old", "new"), [(0, 1), (255, 256), (256, 257), (65_535, 65_537), (300, 70_000)])
def test_only_tiles_of_another_width_are_published_again(old: int, new: int) -> None:
    assert set(changed_tiles(old, new)) == set(tiles.of_tree(new)) - set(tiles.of_tree(old))


def test_a_database_that_was_set_back_publishes_nothing(store: DirectoryStore) -> None:
    sealed(3)
    publish(store)
    before = paths(store.folder)
    doctored("DELETE FROM audit_checkpoint")
    with pytest.raises(SetBack, match="3 entries are published, and the stored log is empty"):
        publish(store)
    assert paths(store.folder) == before


def test_another_history_of_the_same_or_a_larger_size_publishes_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    sealed(3)
    publish(store)
    ours = store.read(HEAD)
    doctored("TRUNCATE audit_checkpoint, audit_sealed_entry, audit_tile")
    for more, words in ((2, "only 2 are stored"), (1, "not the one of which 3"), (4, "not the one of which 3")):
        sealed(more)
        with pytest.raises(SetBack, match=words):
            publish(store)
    assert store.read(HEAD) == ours


def test_an_entry_edited_after_its_sealing_is_not_published(store: DirectoryStore) -> None:
    sealed(3)
    event = SealedEntry.objects.get(pk=1).event_id
    doctored("UPDATE audit_event SET body = body || '\\x20'::bytea WHERE id = %s", event)
    with pytest.raises(SealingError, match="entries from 0 to 2 are not those that were sealed"):
        publish(store)
    assert (Event.objects.count(), store.read(HEAD)) == (3, None)


def test_bytes_of_another_history_left_by_a_publication_that_broke_off_stop_it(store: DirectoryStore) -> None:
    sealed(2)
    store.put({"tile/0/000.p/2": bytes(64)})
    with pytest.raises(Conflict):
        publish(store)
    assert store.read(HEAD) is None


@dataclass(frozen=True)
class Slept(DirectoryStore):
    """Falls asleep before it moves the head; another sealer, awake, publishes meanwhile."""

    other: Sequence[DirectoryStore] = ()

    def move_head(self, before: bytes | None, after: bytes) -> None:
        for each in self.other:
            sealed(5)
            publish(each)
        super().move_head(before, after)


def test_a_publisher_that_slept_moves_nothing_back(store: DirectoryStore) -> None:
    sealed(3)
    with pytest.raises(Overtaken):
        publish(Slept(store.folder, [store]))
    assert whole(store.folder).size == 8
    assert publish(store) == 8


@pytest.mark.parametrize("puts", range(PUTS + 1))
def test_a_publisher_of_a_lost_history_puts_nothing_more_once_it_is_woken(
    store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    woken_after(puts, store, tmp_path / "other", monkeypatch)
