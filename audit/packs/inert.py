"""Texts that others chose, made harmless for paper, for JSON lines and for a spreadsheet, without losing what they say."""

import unicodedata
from collections.abc import Mapping
from functools import cache

from audit.packs.render import ASSETS

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
KEPT = frozenset("\n\t")
SHORTENED_AT = 400


def visible(text: str) -> str:
    """Controls, bidi marks, halves of surrogate pairs, and what the packaged fonts cannot draw, written as ``⟨U+202E⟩``."""
    return text.translate(_Marks())


class _Marks(dict[int, str]):
    """Fills itself: the mark of a character, or the character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character not in KEPT and (_unseen(character) or code not in drawable()):
            return mark(code)
        return character


def mark(code: int) -> str:
    """How a character is written that is not drawn."""
    return f"\u27e8U+{code:04X}\u27e9"


def _unseen(character: str) -> bool:
    """Control, format (bidi marks are such), surrogate, private, unassigned, and separators of lines and paragraphs."""
    return unicodedata.category(character)[0] == "C" or unicodedata.category(character) in ("Zl", "Zp")


@cache
def drawable() -> frozenset[int]:
    """Characters that the packaged fonts have."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - it comes with WeasyPrint and is needed once

    found: set[int] = set()
    for path in (ASSETS / "fonts").glob("*.ttf"):
        with TTFont(path, lazy=True) as font:
            found |= font.getBestCmap().keys()
    return frozenset(found)


def cell(text: object) -> str:
    """A cell of a CSV file: no spreadsheet takes it for a formula, and no control changes how it is read."""
    shown = visible_controls(str(text))
    return f"'{shown}" if shown.lstrip(" ").startswith(FORMULA) and not _is_number(shown) else shown


def visible_controls(text: str) -> str:
    """As `visible`, characters without a glyph kept: a CSV file has no fonts."""
    return "".join(mark(ord(each)) if each not in KEPT and _unseen(each) else each for each in text)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdecimal()


def shortened(text: str, at: int = SHORTENED_AT) -> str:
    """The beginning of a long text, saying how much is left out."""
    left = len(text) - at
    return text if left <= 0 else f"{text[:at]} … ({left:,} more characters)"


def person(pseudonym: str, names: Mapping[str, str]) -> str:
    """A person, a process, a list or an address as people call it; one whose name was erased by the pseudonym's beginning."""
    if not pseudonym:
        return "—"
    if pseudonym.startswith("process:"):
        return f"the portal ({pseudonym.removeprefix('process:')})"
    if pseudonym.startswith("list:"):
        return f"{pseudonym.removeprefix('list:')} list"
    if "@" in pseudonym:
        return pseudonym
    return names.get(pseudonym) or f"person {pseudonym[:8]}"
