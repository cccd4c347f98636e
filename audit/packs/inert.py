"""Texts that others chose, made harmless for paper without losing what they say; for a spreadsheet: `audit.inert_csv`."""

from collections.abc import Mapping
from functools import cache

from audit.inert_csv import KEPT, mark, unseen
from audit.packs.render import ASSETS

SHORTENED_AT = 400


def visible(text: str) -> str:
    """Controls, bidi marks, halves of surrogate pairs, and what the packaged fonts cannot draw, written as ``⟨U+202E⟩``."""
    return text.translate(_Marks())


class _Marks(dict[int, str]):
    """Fills itself: the mark of a character, or the character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character not in KEPT and (unseen(character) or code not in drawable()):
            return mark(code)
        return character


@cache
def drawable() -> frozenset[int]:
    """Characters that the packaged fonts have."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - it comes with WeasyPrint and is needed once

    found: set[int] = set()
    for path in (ASSETS / "fonts").glob("*.ttf"):
        with TTFont(path, lazy=True) as font:
            found |= font.getBestCmap().keys()
    return frozenset(found)


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
