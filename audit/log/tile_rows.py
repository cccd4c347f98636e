"""Tiles as they are stored. No model: rows of eight thousand bytes are all that is wanted, in one query however many they are."""

from collections.abc import Sequence
from typing import Any

from audit.log import tiles

TILES = """
SELECT level, "index", hashes FROM audit_tile
JOIN unnest(%s::smallint[], %s::bigint[]) AS wanted (level, "index") USING (level, "index")
"""


def read_tiles(cursor: Any, wanted: Sequence[tiles.TileName]) -> dict[tuple[int, int], bytes]:
    """The bytes of stored tiles by level and index, as long as they are now; missing ones are left out."""
    cursor.execute(TILES, [[tile.level for tile in wanted], [tile.index for tile in wanted]])
    return {(level, index): bytes(hashes) for level, index, hashes in cursor.fetchall()}
