"""A personnel list as the personnel system gives it: bytes in, typed lines out, or every fault with its line.

CSV (RFC 4180) in UTF-8, parted by comma, semicolon or tab, with a head. Columns: ``email`` and ``name`` must be there; ``unit``, ``manager`` (a
mail address), ``left_on`` and ``moved_on`` (2026-11-30: the last day, the first day in the new place) may be. Others are named and not read.
Text stays text: nothing in it is computed here, and what could be taken for a formula is made inert wherever it leaves the portal as a table.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from portal.plain_text import faults as text_faults

LARGEST = 8_000_000  # bytes
MOST_LINES = 100_000
NEEDED, KNOWN = ("email", "name"), ("email", "name", "unit", "manager", "left_on", "moved_on")
LONGEST = {"email": 254, "name": 120, "unit": 120, "manager": 254, "left_on": 10, "moved_on": 10}
ADDRESS = re.compile(r"[^@\s,;<>\"']+@[^@\s,;<>\"']+")
MOST_FAULTS = 20


@dataclass(frozen=True)
class Fault:
    """What is wrong in one line; the head is line 1. It never repeats what stands there."""

    line: int
    says: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.says}"


class BrokenList(ValueError):
    """The file is no personnel list; ``faults`` are the first of them, in the order of the file."""

    def __init__(self, faults: list[Fault], more: int = 0) -> None:
        """Keep the faults, and how many more there are."""
        super().__init__(" ".join(map(str, faults)))
        self.faults = faults
        self.sentences = [*map(str, faults), *([f"{more} more lines have faults."] if more > 0 else [])]


@dataclass(frozen=True)
class Line:
    """One person of the list. ``left_at`` and ``moved_at`` are the moments in UTC that their days stand for."""

    number: int
    email: str
    name: str
    unit: str = ""
    manager: str = ""
    left_at: datetime | None = None
    moved_at: datetime | None = None


@dataclass(frozen=True)
class ReadList:
    """A whole list: its lines by mail address, which columns it has, and which of them nobody reads."""

    lines: Mapping[str, Line]
    columns: frozenset[str]
    left_out: tuple[str, ...] = field(default=())


def parse_list(content: bytes) -> ReadList:
    """Read all of it, or nothing.

    Raises:
        BrokenList: it cannot be read whole.
    """
    rows = _rows(_text(content))
    head, columns = _head(next(rows, (1, [])))
    lines: dict[str, Line] = {}
    faults: list[Fault] = []
    for number, cells in rows:
        if not any(cells):
            continue
        found = _line(number, cells, head)
        if isinstance(found, Line) and found.email in lines:
            found = Fault(number, f"the mail address stands in line {lines[found.email].number} too.")
        if isinstance(found, Fault):
            faults.append(found)
        elif len(lines) == MOST_LINES:
            raise BrokenList([Fault(number, f"a list has at most {MOST_LINES:,} people.")])
        else:
            lines[found.email] = found
    if not faults and not lines:
        faults = [Fault(1, "nobody is on this list.")]
    if faults:
        raise BrokenList(faults[:MOST_FAULTS], len(faults) - MOST_FAULTS)
    return ReadList(lines, columns, tuple(each for each in head if each and each not in KNOWN))


def _text(content: bytes) -> str:
    if len(content) > LARGEST:
        raise BrokenList([Fault(1, f"the file is larger than {LARGEST // 1_000_000} megabytes.")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BrokenList([Fault(line, "this is not UTF-8. Save the file as CSV in UTF-8.")]) from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Cells with the number of the line on which their row begins."""
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, [each.strip() for each in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BrokenList(
            [Fault(begins, "a quotation mark or a cell has no end, or stands in the wrong place.")]
        ) from error


def _head(row: tuple[int, list[str]]) -> tuple[list[str], frozenset[str]]:
    head = [each.lower() for each in row[1]]
    missing = [name for name in NEEDED if name not in head]
    doubled = sorted({name for name in KNOWN if head.count(name) > 1})
    if missing:
        raise BrokenList(
            [Fault(1, f"the head must name the columns {' and '.join(NEEDED)}; {' and '.join(missing)} is missing.")]
        )
    if doubled:
        raise BrokenList([Fault(1, f"the column {doubled[0]} stands there twice.")])
    return head, frozenset(head) & frozenset(KNOWN)


def _line(number: int, cells: list[str], head: list[str]) -> Line | Fault:
    if len(cells) != len(head):
        return Fault(number, f"it has {len(cells)} cells, and the head has {len(head)}.")
    said = {name: value for name, value in zip(head, cells, strict=True) if name in KNOWN}
    wrong = next(_faults(said), None)
    if wrong:
        return Fault(number, wrong)
    days = {name: _day(said.get(name, "")) for name in ("left_on", "moved_on")}
    unread = next((name for name, day in days.items() if day is False), None)
    if unread:
        return Fault(number, f"{unread} is no day such as 2026-11-30.")
    left, moved = days["left_on"], days["moved_on"]
    return Line(
        number, said["email"].lower(), said["name"], said.get("unit", ""), said.get("manager", "").lower(),
        _midnight(left, days=1) if isinstance(left, date) else None, _midnight(moved) if isinstance(moved, date) else None,
    )  # fmt: skip


def _faults(said: Mapping[str, str]) -> Iterator[str]:
    for name, value in said.items():
        if len(value) > LONGEST[name]:
            yield f"{name} is longer than {LONGEST[name]} characters."
        if next(text_faults(value, lines=False), None):
            yield f"{name} holds line breaks, control characters or marks that turn the reading order around."
        if name in NEEDED and not value:
            yield f"{name} is empty."
        if name in ("email", "manager") and value and not ADDRESS.fullmatch(value):
            yield f"{name} is no mail address."


def _day(value: str) -> date | bool | None:
    """The day; nothing where none is given; ``False`` where it is none."""
    if not value:
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else False
    except ValueError:
        return False


def _midnight(day: date, days: int = 0) -> datetime:
    """The beginning of the day in UTC, or of a later one: who works until the 30th has left with the 1st."""
    return datetime.combine(min(day, date.max - timedelta(days=1)) + timedelta(days=days), datetime.min.time(), UTC)
