"""The verifier against a simulated log: each fault is found, named, and held against its own range alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log import merkle
from audit.log.canonical import encode
from audit.log.ranges import RangeResult, StoredNote, TileCheck
from audit.log.signing import SignerKey
from tests.audit.log.simulator import START, STEP, SimulatedLog, simulated

COUNTS = (100, 200, 300)
FLAGS = ("dense", "hashes_ok", "root_ok", "signature_ok", "consistent")


def faults(results: list[RangeResult]) -> dict[tuple[int, int], list[str]]:
    """The flags that are down, by range."""
    down = {(r.from_index, r.to_index): [flag for flag in FLAGS if not getattr(r, flag)] for r in results}
    return {span: flags for span, flags in down.items() if flags}


@pytest.fixture
def log(signer: SignerKey) -> SimulatedLog:
    return simulated(signer, *COUNTS)


def test_sound_log_has_one_good_result_for_each_checkpoint(log: SimulatedLog) -> None:
    assert log.check() == [
        RangeResult(0, 99, START + 1, START + STEP, True, True, True, True, True),
        RangeResult(100, 299, START + STEP, START + 2 * STEP, True, True, True, True, True),
        RangeResult(300, 599, START + 2 * STEP, START + 3 * STEP, True, True, True, True, True),
    ]
    assert log.check(with_tiles=False) == log.check()
    assert log.wrong_tiles() == []


def test_empty_log_has_no_result(signer: SignerKey) -> None:
    assert simulated(signer).check() == []


def test_edited_body_is_found_in_its_range_alone(log: SimulatedLog) -> None:
    log.edit(150, encode({"id": "another"}))
    results = log.check()
    assert faults(results) == {(100, 299): ["hashes_ok", "root_ok"]}
    assert results[1].why == (
        "Entry 150 does not have the hash that was stored when it was sealed.",
        "So the entries do not have the root of the checkpoint.",
        "The bytes of 1 entry are not those that were sealed; the first is 150.",
    )


def test_edited_body_with_its_stored_hash_is_found_by_the_tree(log: SimulatedLog) -> None:
    log.edit(150, encode({"id": "another"}), hash_too=True)
    results = log.check()
    assert faults(results) == {(100, 299): ["hashes_ok", "root_ok"]}
    assert results[1].why[-1] == "The bytes of 1 entry are not those that were sealed; the first is 150."


def test_edited_body_without_tiles_leaves_no_later_range_sound(log: SimulatedLog) -> None:
    log.edit(150, encode({"id": "another"}), hash_too=True)
    assert faults(log.check(with_tiles=False)) == {
        (100, 299): ["root_ok", "consistent"],
        (300, 599): ["root_ok", "consistent"],
    }


def test_body_that_is_not_canonical_is_found_even_where_it_was_sealed_so(signer: SignerKey) -> None:
    log = simulated(signer, 3)
    body = b'{"id": "spaced"}'
    log.edit(1, body, hash_too=True)
    log.tiles[0, 0] = b"".join(entry.leaf_hash or b"" for entry in log.entries)
    log.notes.clear()
    log.sign()
    assert faults(log.check()) == {(0, 2): ["hashes_ok"]}


def test_swapped_leaves_are_found(log: SimulatedLog) -> None:
    first, second = log.entries[10], log.entries[11]
    log.edit(10, second.body, hash_too=True)
    log.edit(11, first.body, hash_too=True)
    results = log.check()
    assert faults(results) == {(0, 99): ["hashes_ok", "root_ok"]}
    assert results[0].why[-1] == "The bytes of 2 entries are not those that were sealed; the first is 10."
    assert log.wrong_tiles() == ["tile/0/000", "tile/1/000.p/2"]


def test_missing_entry_is_found_in_its_range_alone(log: SimulatedLog) -> None:
    del log.entries[150]
    results = log.check()
    assert faults(results) == {(100, 299): ["dense", "root_ok"]}
    assert results[1].why == ("Entry 150 is missing.", "So the entries do not have the root of the checkpoint.")
    assert log.wrong_tiles() == []


def test_several_entries_that_are_missing_are_each_named_once(log: SimulatedLog) -> None:
    del log.entries[297:303]
    del log.entries[150]
    results = log.check()
    assert [results[1].why[:2], results[2].why[0]] == [
        ("Entry 150 is missing.", "Entries 297 to 299 are missing."),
        "Entries 300 to 302 are missing.",
    ]
    assert log.wrong_tiles() == []


def test_each_tile_that_stands_in_for_missing_entries_is_read_once_for_all_of_them(log: SimulatedLog) -> None:
    reads: list[tuple[int, int, int]] = []

    def fetch(level: int, index: int, width: int) -> bytes:
        reads.append((level, index, width))
        return log.fetch(level, index, width)

    check = TileCheck(fetch)
    check.come_to(560)
    # Read to stand in, and compared once it is full.
    assert reads == [(0, 0, 256), (0, 0, 256), (0, 1, 256), (0, 1, 256), (0, 2, 48)]
    for entry in log.entries[560:]:
        check.add(merkle.leaf_hash(entry.body))
    assert check.finish() == []


def test_missing_last_entries_are_found(log: SimulatedLog) -> None:
    del log.entries[590:]
    results = log.check()
    assert faults(results) == {(300, 599): ["dense", "root_ok"]}
    assert results[2].why[0] == "Entries 590 to 599 are missing."


def test_entry_twice_is_found(log: SimulatedLog) -> None:
    log.entries.insert(20, log.entries[20])
    assert faults(log.check()) == {(0, 99): ["dense", "root_ok"]}


def test_signature_of_another_key_is_found(log: SimulatedLog, stranger: SignerKey) -> None:
    assert faults(log.check(stranger)) == {
        (0, 99): ["signature_ok"],
        (100, 299): ["signature_ok"],
        (300, 599): ["signature_ok"],
    }


def test_checkpoint_signed_by_another_key_is_found_in_its_range_alone(log: SimulatedLog, stranger: SignerKey) -> None:
    other = simulated(stranger, *COUNTS)
    log.notes[1] = other.notes[1]
    assert faults(log.check()) == {(100, 299): ["signature_ok"]}


def test_fork_signed_by_the_log_itself_is_found_by_a_checkpoint_kept_elsewhere(log: SimulatedLog) -> None:
    fork = simulated(log.signer, 100)
    fork.grow(200, "another")
    kept = log.notes[1]
    assert faults(fork.check()) == {}, "a fork that nobody else saw cannot be found"
    fork.notes.append(kept)
    assert faults(fork.check()) == {(300, 299): ["root_ok", "consistent"]}


def test_rollback_is_found_by_a_checkpoint_kept_elsewhere(log: SimulatedLog) -> None:
    back = simulated(log.signer, *COUNTS[:2])
    assert faults(back.check()) == {}, "a rollback that nobody else saw cannot be found"
    back.notes.append(log.notes[2])
    results = back.check()
    assert faults(results) == {(300, 599): ["dense", "root_ok", "consistent"]}
    assert results[2].why[0] == "Entries 300 to 599 are missing."


def test_rewritten_history_is_found_by_a_checkpoint_that_was_kept(log: SimulatedLog) -> None:
    rewritten = simulated(log.signer, 100)
    rewritten.grow(500, "another")
    rewritten.notes.insert(1, log.notes[1])
    found = faults(rewritten.check())
    assert found == {(100, 299): ["root_ok", "consistent"], (300, 599): ["consistent"]}


def test_missing_tile_is_found(log: SimulatedLog) -> None:
    del log.tiles[0, 1]
    assert faults(log.check()) == {}, "the entries alone have the roots"
    assert log.wrong_tiles() == ["tile/0/001"]


def test_missing_tile_and_edited_body_leave_no_later_range_sound(log: SimulatedLog) -> None:
    log.edit(50, encode({"id": "another"}))
    del log.tiles[0, 0]
    assert faults(log.check())[0, 99] == ["hashes_ok", "root_ok"]
    assert set(faults(log.check())) == {(0, 99), (100, 299), (300, 599)}


def test_tile_with_other_hashes_is_found(log: SimulatedLog) -> None:
    log.tiles[0, 2] = bytes(32) + log.tiles[0, 2][32:]
    assert log.wrong_tiles() == ["tile/0/002.p/88"]


def test_entries_without_a_checkpoint_are_found(log: SimulatedLog) -> None:
    del log.notes[2]
    results = log.check()
    assert faults(results) == {(300, 599): ["root_ok", "signature_ok", "consistent"]}
    assert results[2].why == ("No checkpoint covers these entries.",)


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (b"", "The checkpoint cannot be read."),
        (b"log\n300\nAAAA\n\n", "The checkpoint cannot be read."),
    ],
)
def test_checkpoint_that_cannot_be_read_is_found(log: SimulatedLog, note: bytes, reason: str) -> None:
    log.notes[1] = replace(log.notes[1], note=note)
    results = log.check()
    assert faults(results)[100, 299] == ["root_ok", "signature_ok", "consistent"]
    assert results[1].why[0].startswith(reason)


def test_checkpoint_stored_under_another_size_is_found(log: SimulatedLog) -> None:
    log.notes[1] = replace(log.notes[1], size=250)
    results = log.check()
    assert faults(results)[100, 249] == ["root_ok", "consistent"]
    assert results[1].why[0] == "The checkpoint stored for 250 entries speaks of 300."


@given(st.integers(0, 599), st.data())
def test_one_flipped_bit_of_any_entry_never_verifies(signer: SignerKey, index: int, data: st.DataObject) -> None:
    log = simulated(signer, *COUNTS)
    body = bytearray(log.entries[index].body)
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    body[bit // 8] ^= 1 << bit % 8
    log.edit(index, bytes(body), hash_too=True)
    assert [span[0] <= index <= span[1] for span in faults(log.check())] == [True]


@given(st.integers(0, 2), st.data())
def test_one_flipped_bit_of_any_checkpoint_never_verifies(signer: SignerKey, which: int, data: st.DataObject) -> None:
    log = simulated(signer, *COUNTS)
    note = bytearray(log.notes[which].note)
    bit = data.draw(st.integers(0, len(note) * 8 - 1))
    note[bit // 8] ^= 1 << bit % 8
    log.notes[which] = StoredNote(log.notes[which].size, bytes(note), log.notes[which].at)
    assert not log.check()[which].ok
