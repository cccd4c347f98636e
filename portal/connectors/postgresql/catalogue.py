"""The catalogue of a target before and after a grant: what a responder could change and leave behind.

It is a comparison of facts: what another person changed in the meantime shows too. Logins of grants are left out
(their comings and goings are explained), as is the portal's own right over them. It cannot show what left the database:
files and programs on the host, shared libraries, data copied out.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from portal.connectors.base import Remainder, Snapshot, Target
from portal.connectors.postgresql.connection import Connection, connected
from portal.connectors.postgresql.roles import OURS

FILE = Path(__file__).with_name("catalogue.sql")
SYSTEM = "(n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname ~ '^pg_(toast|temp_)')"
HEAD = re.compile(r"^-- (server|database): (.+)$", re.MULTILINE)

# Compared by their own rules in the read-back.
APART = frozenset({"able login", "prepared transaction"})


@dataclass(frozen=True)
class Section:
    """One question; `shared` ones are asked once for the whole server."""

    name: str
    query: bytes
    shared: bool


@cache
def sections() -> tuple[Section, ...]:
    """The questions in the order of the file."""
    _, *parts = HEAD.split(FILE.read_text(encoding="utf-8"))
    triples = zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    return tuple(
        Section(name, query.replace(":ours", OURS).replace(":system", SYSTEM).encode(), scope == "server")
        for scope, name, query in triples
    )


def look(target: Target) -> Snapshot:
    """The catalogue as it is now, of the whole server and of each database in settings["databases"]."""
    names = tuple(target.settings.get("databases") or (target.settings["dbname"],))
    answers: dict[str, dict[str, str]] = {}
    unread: set[str] = set()
    for number, name in enumerate(names):
        prefix = f"{name}: " if len(names) > 1 else ""
        with connected(target, dbname=name) as connection:
            for section in sections():
                if section.shared and number:
                    continue
                rows = _ask(connection, section)
                if rows is None:
                    unread.add(section.name)
                    continue
                mark = "" if section.shared else prefix
                answers.setdefault(section.name, {}).update({mark + key: value for key, value in rows.items()})
    return Snapshot(time.time_ns() // 1_000_000, answers, tuple(sorted(unread)))


def _ask(connection: Connection, section: Section) -> dict[str, str] | None:
    """The answer, or None where the portal's login may not ask or this version answers otherwise; then it is told."""
    try:
        rows = connection.execute(section.query).fetchall()
    except psycopg.ProgrammingError:
        return None
    return {row["key"]: row["value"] or "" for row in rows if row["key"] is not None}


def compare(before: Snapshot, after: Snapshot) -> list[Remainder]:
    """Each difference as a sentence; sections that were not readable both times are not compared."""
    return [
        Remainder(f"{name} changed", f"{name[0].upper()}{name[1:]} {key}: {verb}.")
        for name in before.sections
        if name in after.sections and name not in APART
        for key, verb in _differences(before.sections[name], after.sections[name])
    ]


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str]]:
    new = [(key, "new") for key in after.keys() - before.keys()]
    gone = [(key, "gone") for key in before.keys() - after.keys()]
    changed = [(key, "changed") for key in before.keys() & after.keys() if before[key] != after[key]]
    return sorted(new + gone + changed)
