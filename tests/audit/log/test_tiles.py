"""Tiles as C2SP tlog-tiles cuts them; tests named ``must`` carry a sentence of that page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log import merkle, tiles
from audit.log.errors import ParseError
from audit.log.tiles import TileName

LEAVES = [merkle.leaf_hash(b"entry %d" % number) for number in range(70_000)]


def grown(*sizes: int) -> dict[tuple[int, int], bytes]:
    """The tiles of a log that grew to each of these sizes in turn."""
    stored: dict[tuple[int, int], bytes] = {}
    before = 0
    for size in sizes:
        edge = {(tile.level or 0, tile.index): stored[tile.level or 0, tile.index] for tile in tiles.right_edge(before)}
        stored |= tiles.grow(before, LEAVES[before:size], edge)
        before = size
    return stored


def reader(stored: dict[tuple[int, int], bytes]) -> tiles.Fetch:
    return lambda level, index, width: stored[level, index][: width * 32]


WHOLE = grown(70_000)


def test_must_tile_index_be_padded_three_digit_elements_all_but_the_last_with_an_x() -> None:
    assert tiles.path(TileName(0, 1_234_067, 256)) == "tile/0/x001/x234/067"
    assert tiles.path(TileName(0, 1000, 256)) == "tile/0/x001/000"


@pytest.mark.parametrize(
    ("tile", "text"),
    [
        (TileName(0, 0, 256), "tile/0/000"),
        (TileName(63, 999, 1), "tile/63/999.p/1"),
        (TileName(1, 7, 255), "tile/1/007.p/255"),
        (TileName(None, 273, 112), "tile/entries/273.p/112"),
    ],
)
def test_path_says_level_index_and_width(tile: TileName, text: str) -> None:
    assert tiles.path(tile) == text


@pytest.mark.parametrize("tile", [TileName(64, 0, 1), TileName(-1, 0, 1), TileName(0, -1, 1), TileName(0, 0, 257)])
def test_path_of_a_tile_that_cannot_be_is_refused(tile: TileName) -> None:
    with pytest.raises(ValueError, match="A tile's"):
        tiles.path(tile)


def test_tiles_of_a_tree_are_those_of_the_specification_examples() -> None:
    named = list(tiles.of_tree(70_000))
    partial = [tile for tile in named if tile.width < 256]
    assert partial == [TileName(0, 273, 112), TileName(1, 1, 17), TileName(2, 0, 1)] == tiles.right_edge(70_000)
    assert [tile for tile in named if tile.width == 256] == [
        *(TileName(0, n, 256) for n in range(273)),
        TileName(1, 0, 256),
    ]
    assert list(tiles.of_tree(256)) == [TileName(0, 0, 256), TileName(1, 0, 1)]


def test_empty_tiles_must_not_be_served() -> None:
    assert list(tiles.of_tree(0)) == []
    assert all(tile.width for size in (1, 255, 256, 257, 65_536) for tile in tiles.of_tree(size))


def test_grown_tiles_are_exactly_those_of_the_tree() -> None:
    assert {key: len(data) // 32 for key, data in WHOLE.items()} == {
        (tile.level, tile.index): tile.width for tile in tiles.of_tree(70_000)
    }


def test_full_tiles_must_be_256_hashes_of_full_tiles_below() -> None:
    assert {len(WHOLE[0, n]) for n in range(273)} == {8192}
    assert WHOLE[1, 0] == b"".join(merkle.root(LEAVES[n * 256 : (n + 1) * 256]) for n in range(256))
    assert WHOLE[2, 0] == merkle.root(LEAVES[:65_536])


def test_partial_tiles_must_not_be_hashed_into_a_tile_above() -> None:
    assert len(WHOLE[1, 1]) == 17 * 32
    assert grown(255) == {(0, 0): b"".join(LEAVES[:255])}


@pytest.mark.parametrize(
    "sizes", [(1, 2, 3, 70_000), (255, 256, 257, 65_535, 65_536, 65_537, 70_000), (69_999, 70_000)]
)
def test_tiles_do_not_depend_on_how_the_log_grew(sizes: tuple[int, ...]) -> None:
    assert grown(*sizes) == WHOLE


@pytest.mark.parametrize("size", [*range(66), 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000])
def test_root_from_tiles_is_the_root(size: int) -> None:
    assert tiles.tree_root(size, reader(WHOLE)) == merkle.root(LEAVES[:size])


def test_root_needs_the_right_edge_alone() -> None:
    edge = {(tile.level or 0, tile.index) for tile in tiles.right_edge(70_000)}
    stored = {key: data for key, data in WHOLE.items() if key in edge}
    assert tiles.tree_root(70_000, reader(stored)) == merkle.root(LEAVES)


@given(st.integers(1, 70_000), st.data())
def test_proofs_from_tiles_verify_and_read_only_what_is_named(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    needed = {(t.level or 0, t.index): t.width for t in tiles.needed_for_inclusion(index, size)}
    root = tiles.tree_root(size, reader(WHOLE))
    stored = {key: WHOLE[key][: width * 32] for key, width in needed.items()}
    merkle.verify_inclusion(tiles.inclusion_proof(index, size, reader(stored)), LEAVES[index], root)
    assert len(needed) <= 6

    needed = {(t.level or 0, t.index): t.width for t in tiles.needed_for_consistency(old, size)}
    stored = {key: WHOLE[key][: width * 32] for key, width in needed.items()}
    merkle.verify_consistency(
        tiles.consistency_proof(old, size, reader(stored)), tiles.tree_root(old, reader(WHOLE)), root
    )
    assert len(needed) <= 6


def test_tile_with_too_few_hashes_is_a_parse_error() -> None:
    short = {**WHOLE, (0, 0): WHOLE[0, 0][:-32]}
    with pytest.raises(ParseError):
        tiles.inclusion_proof(0, 70_000, reader(short))
    with pytest.raises(ParseError):
        tiles.parse_tile(bytes(33), 1)


def test_must_bundle_be_entries_behind_their_length_as_big_endian_uint16() -> None:
    data = tiles.encode_bundle([b"", b"ab", b"x" * 65_535])
    assert data == b"\x00\x00" + b"\x00\x02ab" + b"\xff\xff" + b"x" * 65_535
    assert tiles.parse_bundle(data, 3) == [b"", b"ab", b"x" * 65_535]
    with pytest.raises(ValueError, match="65535"):
        tiles.encode_bundle([bytes(65_536)])


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_bundle_read_again_is_the_entries_written(entries: list[bytes]) -> None:
    assert tiles.parse_bundle(tiles.encode_bundle(entries), len(entries)) == entries


@given(st.binary(max_size=30), st.integers(0, 6))
def test_any_bytes_are_a_bundle_or_a_parse_error(data: bytes, count: int) -> None:
    try:
        entries = tiles.parse_bundle(data, count)
    except ParseError:
        return
    assert tiles.encode_bundle(entries) == data
