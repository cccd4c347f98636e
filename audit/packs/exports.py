"""Activities as JSON lines and as CSV: the same rows and columns in both, in order of time on the target."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.packs.inert import cell
from audit.packs.render import Attachment

COLUMNS = (
    "activity_id", "log_index", "at", "at_utc", "system_id", "system", "case_id", "grant_id", "person_id", "person",
    "session_id", "source_id", "source_number", "class", "at_least", "outcome", "state_code", "not_intended", "object",
    "statement", "statement_length", "received_at",
)  # fmt: skip
Line = Mapping[str, Any]


@dataclass(frozen=True)
class AttachedFile:
    """An attachment as the cover lists it; ``rows`` where it has any."""

    name: str
    description: str
    rows: int | None
    bytes: int
    sha256: str


def listed(attachments: Iterable[Attachment], rows: Mapping[str, int]) -> list[AttachedFile]:
    """The attachments with count and hash."""
    return [
        AttachedFile(
            each.name, each.description, rows.get(each.name), len(each.data), hashlib.sha256(each.data).hexdigest()
        )
        for each in attachments
    ]


def activity_files(lines: Sequence[Line]) -> list[Attachment]:
    """``activities.jsonl`` and ``activities.csv``."""
    return [
        Attachment("activities.jsonl", json_lines(lines), "application/jsonl", "Every action on the targets, one object a line"),
        Attachment("activities.csv", as_csv(COLUMNS, lines), "text/csv", "The same rows; a cell that looks like a formula begins with '"),
    ]  # fmt: skip


def json_lines(lines: Iterable[Line]) -> bytes:
    """One JSON object a line, in ASCII, keys in the order of the columns; what is not known is null."""
    return b"".join(json.dumps(_whole(line), separators=(",", ":")).encode() + b"\n" for line in lines)


def _whole(line: Line) -> dict[str, Any]:
    return {name: line.get(name) for name in COLUMNS}


def as_csv(columns: Sequence[str], lines: Iterable[Line]) -> bytes:
    """RFC 4180 in UTF-8; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        writer.writerow([_cell(line.get(name)) for name in columns])
    return out.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: object) -> object:
    if value is None or isinstance(value, int):
        return "" if value is None else int(value)
    return cell(value)
