"""The paths of tiles and bundles, read back: only what `tiles.path` writes is one."""

import re

from audit.log import tiles
from audit.log.errors import ParseError

MAX_INDEX = 2**63 - 1
PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


def parse_path(text: str) -> tiles.TileName:
    """The tile or bundle that a path names.

    Raises:
        ParseError: It names none, or is not how `path` writes it.
    """
    found = PATH.fullmatch(text)
    if found is None:
        raise ParseError("This is not the path of a tile or bundle.")
    level, elements, partial = found.groups()
    digits = elements.replace("/", "").replace("x", "")
    if len(digits) > len(str(MAX_INDEX)) + 2:
        raise ParseError("The index of a tile is too large.")
    tile = tiles.TileName(None if level == "entries" else int(level), int(digits), int(partial or tiles.WIDTH))
    if (
        tile.index > MAX_INDEX
        or (tile.level or 0) > tiles.MAX_LEVEL
        or (partial and tile.width >= tiles.WIDTH)
        or tiles.path(tile) != text
    ):
        raise ParseError("This is not how the path of a tile or bundle is written.")
    return tile
