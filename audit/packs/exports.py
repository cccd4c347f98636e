"""Activities as JSON lines and as CSV: the same rows and columns in both, in order of time on the target."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.inert_csv import csv_file
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
        AttachedFile(each.name, each.description, rows.get(each.name), each.size, each.sha256) for each in attachments
    ]


def activity_files(lines: Sequence[Line], folder: Path | None = None) -> list[Attachment]:
    """``activities.jsonl`` and ``activities.csv``; written into the folder, where there is one, since they may be large."""
    return [
        Attachment("activities.jsonl", _made(_json_lines(lines), folder, "jsonl"), "application/jsonl",
                   "Every action on the targets, one object a line"),
        Attachment("activities.csv", _made(_csv(COLUMNS, lines), folder, "csv"), "text/csv",
                   "The same rows; a cell that looks like a formula begins with '"),
    ]  # fmt: skip


def _made(parts: Iterator[bytes], folder: Path | None, name: str) -> bytes | Path:
    if folder is None:
        return b"".join(parts)
    path = folder / name
    with path.open("wb") as file:
        file.writelines(parts)
    return path


def _json_lines(lines: Iterable[Line]) -> Iterator[bytes]:
    """One JSON object a line, in ASCII, keys in the order of the columns; what is not known is null."""
    for line in lines:
        whole = {name: line.get(name) for name in COLUMNS}
        yield json.dumps(whole, separators=(",", ":")).encode() + b"\n"


def _csv(columns: Sequence[str], lines: Iterable[Line]) -> Iterator[bytes]:
    return csv_file(columns, ([line.get(name) for name in columns] for line in lines))
