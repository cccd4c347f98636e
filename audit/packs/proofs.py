"""The proofs that are attached to evidence: for every entry that it rests on, one C2SP tlog-proof that carries the entry.

A stranger checks them with the log's public key alone (docs/auditor/without-us.md).
"""

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from django.db import connection

from audit.facts.fold import HANDLERS
from audit.log.canonical import parse_entry
from audit.log.errors import ParseError
from audit.log.proof import FIRST_LINE
from audit.log.proofs import proof_texts
from audit.packs.evidence import Evidence
from audit.packs.position import Position
from audit.packs.render import Attachment

NAME = "log-proofs.txt"
ABOUT = "Proofs that the entries are in the log, each with its entry (C2SP tlog-proof)"
CROWDS = frozenset(name for name in HANDLERS if name.startswith(("activity.", "session.")))
FOR_ALL = (
    "person.",
    "role.",
    "eligibility.",
    "policy.",
    "system.",
)  # what belongs to no system and stands in the facts of each pack
OF_CASES = """
SELECT s.index FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE s.index < %s AND e."case" = ANY(%s)
"""
OF_NO_CASE = """
SELECT s.index, e.name, e.body FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE s.index < %s AND e."case" = '' AND e.name = ANY(%s)
"""


def of_pack(evidence: Evidence, folder: Path) -> Attachment:
    """Of its cases, of the activities and verdicts it prints, and of the rules and people of its systems; written into the folder."""
    path = folder / NAME
    size, systems = evidence.position.size, frozenset(evidence.scope.systems)
    lines = (int(line["log_index"]) for line in evidence.lines if line.get("log_index") is not None)
    windows = (event.index for event in evidence.windows if event.index is not None)
    cases = _of_cases(size, [case.id for case in evidence.cases])
    with path.open("wb") as file:
        file.writelines(
            proof_texts(chain(lines, windows, cases, _standing(size, systems)), evidence.position.checkpoint())
        )
    return Attachment(NAME, path, "text/plain", ABOUT, "Source")


def of_entries(indexes: Iterable[int | None], position: Position) -> Attachment:
    """Of these entries."""
    texts = proof_texts((index for index in indexes if index is not None), position.checkpoint())
    return Attachment(NAME, b"".join(texts), "text/plain", ABOUT, "Source")


def counted(files: Iterable[Attachment]) -> dict[str, int]:
    """How many proofs the attached file of proofs holds, by its name."""
    return {
        each.name: sum(1 for line in _lines(each.data) if line == FIRST_LINE.encode() + b"\n")
        for each in files
        if each.name == NAME
    }


def _lines(data: bytes | Path) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield from io.BytesIO(data)
        return
    with data.open("rb") as file:
        yield from file


def _of_cases(size: int, cases: list[str]) -> Iterator[int]:
    with connection.cursor() as cursor:
        cursor.execute(OF_CASES, [size, cases])
        yield from (index for (index,) in cursor.fetchall())


def _standing(size: int, systems: frozenset[str]) -> Iterator[int]:
    """Entries of no case that facts of these systems are folded from. Those of other systems are nobody's to read here."""
    with connection.cursor() as cursor:
        cursor.execute(OF_NO_CASE, [size, sorted(HANDLERS.keys() - CROWDS)])
        while rows := cursor.fetchmany(2000):
            yield from (index for index, name, body in rows if _is_theirs(name, bytes(body), systems))


def _is_theirs(name: str, body: bytes, systems: frozenset[str]) -> bool:
    try:
        system = parse_entry(body)["fields"].get("system_id")
    except (ParseError, KeyError, AttributeError):
        return False
    return system in systems if system is not None else name.startswith(FOR_ALL)
