"""The stand-alone check: what is whole is called so, and each damage is named with its place."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.log import tiles
from audit.log.canonical import encode
from audit.log.checkpoint import parse_checkpoint, verify_checkpoint
from audit.log.signing import SignerKey, sign_note
from audit.log.verify.check import Wanted, check
from audit.log.verify.damage import Damage, Kind
from audit.log.verify.saying import TAKE_ANEW, sentences
from audit.log.verify.sources import Folder
from tests.audit.log.simulator import simulated
from tests.audit.log.verify.cut import AT, cut_log
from tests.audit.log.verify.published import publish, published

Named = list[tuple[Kind, int, int, str]]


def found(folder: Path, signer: SignerKey, **wanted: object) -> Named:
    verdict, _ = check(Folder(folder), Wanted([signer.verifier()], **wanted))  # type: ignore[arg-type]  # by name
    return [(each.kind, each.first, each.last, each.path) for each in verdict.damages]


@pytest.fixture(scope="module")
def sound(signer: SignerKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """257 bundles and a part, so three levels: 65,536 + 256 + 44 entries."""
    return published(signer, tmp_path_factory.mktemp("sound"), 65_836)


@pytest.fixture
def small(signer: SignerKey, tmp_path: Path) -> Path:
    """Two bundles and a part."""
    return published(signer, tmp_path / "log", 556)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 1000])
def test_sound_logs_are_whole_at_every_edge(signer: SignerKey, tmp_path: Path, size: int) -> None:
    verdict, head = check(Folder(published(signer, tmp_path, size)), Wanted([signer.verifier()]))
    assert (verdict.damages, verdict.size, verdict.checked) == ([], size, size)
    assert head is not None
    assert (head.root, verdict.whole_from) == (verdict.root, 0)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_log_of_three_levels_is_whole(sound: Path, signer: SignerKey, processes: int) -> None:
    told: list[tuple[int, int]] = []
    verdict, _ = check(
        Folder(sound),
        Wanted([signer.verifier()], processes=processes, tell=lambda done, size: told.append((done, size))),
    )
    assert (verdict.damages, verdict.checked, verdict.resumed) == ([], 65_836, 0)
    assert told[-1] == (65_836, 65_836)
    assert told == sorted(set(told))


def edited(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def rebundled(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    width = int(path.name) if path.parent.name.endswith(".p") else 256
    path.write_bytes(tiles.encode_bundle(change(tiles.parse_bundle(path.read_bytes(), width))))


def test_an_edited_entry_is_named(small: Path, signer: SignerKey) -> None:
    other = encode({"id": "other", "at": 1})
    rebundled(small / "tile/entries/001", lambda each: [*each[:3], other, *each[4:]])
    assert found(small, signer) == [(Kind.ENTRIES_CHANGED, 259, 259, "tile/entries/001")]


def test_entries_that_changed_places_are_named(small: Path, signer: SignerKey) -> None:
    rebundled(
        small / "tile/entries/002.p/44", lambda each: [each[1], each[0], *each[2:9], each[10], each[9], *each[11:]]
    )
    path = "tile/entries/002.p/44"
    assert found(small, signer) == [(Kind.ENTRIES_CHANGED, 512, 513, path), (Kind.ENTRIES_CHANGED, 521, 522, path)]


def test_a_dropped_and_a_doubled_entry_break_their_bundle(small: Path, signer: SignerKey) -> None:
    rebundled(small / "tile/entries/000", lambda each: each[:5] + each[6:])
    rebundled(small / "tile/entries/001", lambda each: [each[0], *each])
    assert found(small, signer) == [
        (Kind.BUNDLE_UNREADABLE, 0, 255, "tile/entries/000"), (Kind.BUNDLE_UNREADABLE, 256, 511, "tile/entries/001"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "first", "last"), [("tile/entries/001", 256, 511), ("tile/entries/002.p/44", 512, 555)]
)
def test_missing_entries_are_named_the_tail_as_well(
    small: Path, signer: SignerKey, path: str, first: int, last: int
) -> None:
    (small / path).unlink()
    assert found(small, signer) == [(Kind.BUNDLE_MISSING, first, last, path)]


@pytest.mark.parametrize(("path", "first", "last"), [("tile/0/001", 256, 511), ("tile/0/002.p/44", 512, 555)])
def test_a_damaged_or_missing_tile_of_leaves_is_named_while_its_entries_are_sound(
    small: Path, signer: SignerKey, path: str, first: int, last: int
) -> None:
    edited(small / path, flip(40))
    assert found(small, signer) == [(Kind.TILE_CHANGED, first, last, path)]
    (small / path).unlink()
    assert found(small, signer) == [(Kind.TILE_MISSING, first, last, path)]


def test_damaged_tiles_above_are_named_and_what_lies_below_is_still_proved(
    sound: Path, signer: SignerKey, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "log"))
    edited(folder / "tile/1/000", flip(8000))
    (folder / "tile/2/000.p/1").unlink()
    rebundled(folder / "tile/entries/250", lambda each: [each[1], each[0], *each[2:]])
    assert found(folder, signer) == [
        (Kind.TILE_CHANGED, -1, -1, "tile/1/000"), (Kind.TILE_MISSING, -1, -1, "tile/2/000.p/1"),
        (Kind.ENTRIES_CHANGED, 64_000, 64_001, "tile/entries/250"),
    ]  # fmt: skip


def test_swapped_tiles_and_swapped_bundles_are_both_named(small: Path, signer: SignerKey) -> None:
    for kind in ("0", "entries"):
        one, other = small / f"tile/{kind}/000", small / f"tile/{kind}/001"
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second)
        other.write_bytes(first)
    assert {(kind, first, path) for kind, first, _, path in found(small, signer)} == {
        (Kind.TILE_CHANGED, 0, "tile/0/000"), (Kind.TILE_CHANGED, 256, "tile/0/001"),
        (Kind.ENTRIES_CHANGED, 0, "tile/entries/000"), (Kind.ENTRIES_CHANGED, 256, "tile/entries/001"),
    }  # fmt: skip


def test_a_history_written_anew_under_the_old_checkpoint_is_unproven(
    small: Path, signer: SignerKey, tmp_path: Path
) -> None:
    other = simulated(signer)
    other.grow(556, "other")
    publish(other, tmp_path / "other")
    (tmp_path / "other" / "checkpoint").write_bytes((small / "checkpoint").read_bytes())
    assert found(tmp_path / "other", signer) == [(Kind.UNPROVEN, 0, 555, "")]


def test_checkpoints_that_prove_nothing(small: Path, signer: SignerKey, stranger: SignerKey) -> None:
    head = small / "checkpoint"
    text = parse_checkpoint(head.read_bytes()).note.text
    cases = {
        sign_note(text, [stranger]): Kind.CHECKPOINT_NOT_SIGNED,
        flip(len("log.example/portal\n55"))(head.read_bytes()): Kind.CHECKPOINT_NOT_SIGNED,
        b"checkpoint": Kind.CHECKPOINT_UNREADABLE,
    }
    for data, kind in cases.items():
        head.write_bytes(data)
        assert found(small, signer) == [(kind, -1, -1, "checkpoint")]
    head.unlink()
    assert found(small, signer) == [(Kind.NO_CHECKPOINT, -1, -1, "checkpoint")]


def test_a_log_shorter_than_seen_or_of_another_history_is_not_whole(signer: SignerKey, tmp_path: Path) -> None:
    log = simulated(signer, 300, 300)
    earlier, later = (
        verify_checkpoint(parse_checkpoint(note.note), [signer.verifier()]) for note in (log.notes[0], log.notes[1])
    )
    assert found(publish(log, tmp_path / "whole"), signer, seen=[earlier, later]) == []
    shorter = published(signer, tmp_path / "shorter", 300)
    assert found(shorter, signer, seen=[later]) == [(Kind.SHORTER, 300, 599, "checkpoint")]
    other = simulated(signer)
    other.grow(600, "other")
    assert found(publish(other, tmp_path / "other"), signer, seen=[earlier]) == [(Kind.FORKED, 0, 299, "checkpoint")]


def test_full_resources_stand_in_for_outgrown_partial_ones(signer: SignerKey, tmp_path: Path) -> None:
    """A reader holds a checkpoint of 300; meanwhile the log grew, and its partial files were removed."""
    log = simulated(signer, 300, 300)
    publish(log, tmp_path)
    (tmp_path / "checkpoint").write_bytes(log.notes[0].note)
    (tmp_path / "tile/1/000.p/1").write_bytes((tmp_path / "tile/1/000.p/2").read_bytes()[:32])
    assert found(tmp_path, signer) == []


@pytest.mark.parametrize(("path", "said"), [("tile/entries/002.p/44", True), ("tile/entries/001", False)])
def test_a_partial_file_that_is_missing_is_damage_and_how_to_copy_is_said(
    small: Path, signer: SignerKey, path: str, said: bool
) -> None:
    """The files of a torn copy are those of a log of which somebody took the end, so nothing is excused."""
    (small / path).unlink()
    verdict, _ = check(Folder(small), Wanted([signer.verifier()]))
    assert (verdict.whole, TAKE_ANEW in sentences(verdict)) == (False, said)


def test_after_a_signed_cut_the_rest_is_whole_from_its_index_on(signer: SignerKey, tmp_path: Path) -> None:
    folder = cut_log(tmp_path / "log", signer)
    verdict, _ = check(Folder(folder), Wanted([signer.verifier()]))
    epoch = "1970-01-01 00:00 UTC"
    said = f"Entry 599, of 1976-12-30 00:00 UTC, cut entries 0 to 255, of {epoch} to {epoch}: asked for by 'a', approved by 'b'."
    assert sentences(verdict)[1:] == [said, "WHOLE from entry 256 on; those before it were removed by a signed cut."]
    assert (verdict.damages, verdict.whole_from, verdict.checked) == ([], 256, 344)
    (folder / "tile/entries/001").unlink()
    assert found(folder, signer) == [(Kind.BUNDLE_MISSING, 256, 511, "tile/entries/001")]


@pytest.mark.parametrize(
    "changes",
    [
        {"minimum_index": 255},
        {"minimum_index": "256"},
        {"minimum_index": 2**53 - 1},
        {"from_index": 256},
        {"from_index": -256},
        {"to_at": 3},
        {"to_at": []},
        {"keep_until": AT + 1},
        {"approved_by": "a"},
        {"approved_by": ""},
    ],
)
def test_a_cut_that_contradicts_itself_is_damage_and_excuses_nothing(
    signer: SignerKey, tmp_path: Path, changes: dict[str, Any]
) -> None:
    gone = (Kind.BUNDLE_MISSING, 0, 255, "tile/entries/000")
    assert found(cut_log(tmp_path / "log", signer, **changes), signer) == [gone, (Kind.CUT_FALSE, 599, 599, "")]


def test_a_cut_of_what_came_after_it_excuses_nothing(signer: SignerKey, tmp_path: Path) -> None:
    folder = cut_log(tmp_path / "log", signer, minimum_index=768)
    assert found(folder, signer) == [(Kind.BUNDLE_MISSING, 0, 255, "tile/entries/000")]


def test_the_hashes_of_what_was_cut_stay_and_are_named_where_they_do_not(signer: SignerKey, tmp_path: Path) -> None:
    """Who may remove files takes those of the cut entries too: then no proof of them can be made, and the root by nobody's program."""
    folder = cut_log(tmp_path / "log", signer)
    edited(folder / "tile/0/000", flip(40))
    assert found(folder, signer) == [(Kind.TILE_CHANGED, 0, 255, "tile/0/000")]
    (folder / "tile/0/000").unlink()
    assert found(folder, signer) == [(Kind.TILE_MISSING, 0, 255, "tile/0/000")]
    (folder / "tile/1/000.p/2").unlink()
    assert (Kind.TILE_MISSING, 0, 255, "tile/0/000") in found(folder, signer)


def test_sentences_name_the_place() -> None:
    one = Damage(3, 3, Kind.ENTRIES_CHANGED, "tile/entries/000", "They are not those that were sealed.")
    many = Damage(0, 255, Kind.BUNDLE_MISSING, "tile/entries/000", "They are not there.")
    none = Damage(-1, -1, Kind.NO_CHECKPOINT, "checkpoint", "Without it nothing is proved.")
    assert [each.sentence() for each in (one, many, none)] == [
        "entries changed: entry 3, tile/entries/000. They are not those that were sealed.",
        "entries missing: entries 0 to 255, tile/entries/000. They are not there.",
        "no checkpoint: checkpoint. Without it nothing is proved.",
    ]
    assert json.dumps(one.kind) == '"entries changed"'
