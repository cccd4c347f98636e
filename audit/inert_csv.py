"""Rows as a CSV file in which nothing is a formula to a spreadsheet. For the papers of audit and the lists of the portal alike."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
KEPT = frozenset("\n\t")
LINES_AT_ONCE = 500


def cell(text: object) -> str:
    """A cell of a CSV file: no spreadsheet takes it for a formula, and no control changes how it is read."""
    shown = visible_controls(str(text))
    return f"'{shown}" if shown.lstrip(" ").startswith(FORMULA) and not _is_number(shown) else shown


def visible_controls(text: str) -> str:
    """Controls, bidi marks and halves of surrogate pairs written as ``⟨U+202E⟩``."""
    return "".join(mark(ord(each)) if each not in KEPT and unseen(each) else each for each in text)


def mark(code: int) -> str:
    """How a character is written that is not drawn."""
    return f"\u27e8U+{code:04X}\u27e9"


def unseen(character: str) -> bool:
    """Control, format (bidi marks are such), surrogate, private, unassigned, and separators of lines and paragraphs."""
    return unicodedata.category(character)[0] == "C" or unicodedata.category(character) in ("Zl", "Zp")


def csv_file(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, some hundred lines at once: however long a list is, little of it is in memory.

    Times are written in UTC (ISO 8601), yes and no as 1 and 0, what is not known as nothing.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for number, row in enumerate(rows, 1):
        writer.writerow([_written(value) for value in row])
        if number % LINES_AT_ONCE == 0:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    data = out.getvalue().encode("utf-8", "backslashreplace")
    out.seek(0)
    out.truncate()
    return data


def _written(value: object) -> object:
    if value is None or isinstance(value, int):
        return "" if value is None else int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return cell(value)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdecimal()
