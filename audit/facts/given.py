"""What lies beside the facts: period, parameters, the limits of each request, and what earlier packs left open."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

from audit.facts.parameters import Parameter, Value, same_kind
from audit.facts.schema import as_json

MILLISECONDS = {"second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
POLICIES_IN_FORCE = """
SELECT requests.id, policies.figures FROM requests JOIN policies ON policies.system_id = requests.system_id
WHERE policies.effective_from <= requests.requested_at
  AND (policies.effective_to IS NULL OR policies.effective_to > requests.requested_at)
ORDER BY policies.id"""
REQUESTS = """
SELECT requests.id, requests.mode, systems.criticality
FROM requests LEFT JOIN systems ON systems.id = requests.system_id ORDER BY requests.id"""


@dataclass(frozen=True)
class CutAway:
    """Entries before an index that are gone under retention, as the log says at ``said_index``; times in milliseconds since 1970 UTC.

    They were written from ``from_at`` to ``to_at``, and all of them were promised until ``keep_until``.
    """

    minimum_index: int
    said_index: int
    said_at: int
    from_at: int
    to_at: int
    keep_until: int


@dataclass(frozen=True)
class Period:
    """From ``start_at`` up to, not including, ``end_at``, as known ``as_of``; milliseconds since 1970 UTC."""

    start_at: int
    end_at: int
    as_of: int


def lay_given(
    db: sqlite3.Connection,
    *,
    period: Period,
    parameters: Mapping[str, Parameter],
    carried_over: Iterable[tuple[str, str]] = (),
    unreadable: Iterable[tuple[str, str]] = (),
    unfed: Iterable[str] = (),
    cuts: Iterable[CutAway] = (),
) -> None:
    """Make and fill what the head ``given`` of ``facts.yaml`` names; the facts themselves come first.

    ``carried_over`` holds pairs of test and row, ``unreadable`` pairs of table and row, ``unfed`` names of tables.
    """
    _one_row(db, "period", {"start_at": period.start_at, "end_at": period.end_at, "as_of": period.as_of})
    _one_row(db, "ms", MILLISECONDS)
    _one_row(db, "params", {name: _stored(each.value) for name, each in parameters.items()})
    lay_limits(db, parameters)
    _pairs(db, "carried_over", ("test_id", "row_id"), carried_over)
    _pairs(db, "unreadable", ("table_name", "row_id"), unreadable)
    db.execute("DROP TABLE IF EXISTS unfed")
    db.execute("CREATE TABLE unfed (table_name TEXT) STRICT")
    db.executemany("INSERT INTO unfed VALUES (?)", [(table,) for table in sorted(set(unfed))])
    _cuts(db, cuts)


def lay_limits(db: sqlite3.Connection, parameters: Mapping[str, Parameter]) -> None:
    """Make ``limits`` anew: for each request, and for ``default``, the stricter of the yardstick and the policies."""
    inside = {name: each for name, each in parameters.items() if each.in_policy}
    default = {name: _stored(each.default()) for name, each in inside.items()}
    db.execute("DROP TABLE IF EXISTS limits")
    db.execute(f"CREATE TABLE limits (request_id TEXT PRIMARY KEY NOT NULL, {_columns(default)}) STRICT")
    rows = [["default", *default.values()]]
    figures = _figures(db)
    for request, mode, criticality in db.execute(REQUESTS).fetchall():
        applies = ("default", mode, "critical_system" if criticality == "critical" else None)
        rows.append([request, *(_stored(_limit(each, applies, figures.get(request, []))) for each in inside.values())])
    db.executemany(f"INSERT INTO limits VALUES ({', '.join('?' * (len(inside) + 1))})", rows)  # noqa: S608  marks only


def _figures(db: sqlite3.Connection) -> dict[str, list[Mapping[str, Value]]]:
    """Per request, what each policy version tightened that was in force on its system when it was made."""
    found: dict[str, list[Mapping[str, Value]]] = {}
    for request, figures in db.execute(POLICIES_IN_FORCE):
        found.setdefault(request, []).append(json_map(figures))
    return found


def json_map(text: str | None) -> Mapping[str, Value]:
    """A map stored as JSON; nothing stored is an empty map."""
    loaded = json.loads(text or "{}")
    return loaded if isinstance(loaded, dict) else {}


def _limit(parameter: Parameter, applies: Iterable[str | None], figures: Iterable[Mapping[str, Value]]) -> Value:
    applies = tuple(applies)
    values = parameter.entries(applies)
    for each in figures:
        if parameter.name in each:
            values += [
                new for new in parameter.entries(applies, each[parameter.name]) if same_kind(parameter.default(), new)
            ]
    return parameter.strictest(values) if values else parameter.default()


def _stored(value: Value) -> Any:
    return as_json(value) if isinstance(value, list | Mapping) else value


def _columns(values: Mapping[str, Any]) -> str:
    kinds = {int: "INTEGER", float: "REAL", str: "TEXT"}
    return ", ".join(f"{name} {kinds[type(value)]}" for name, value in values.items())


def _one_row(db: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    db.execute(f"DROP TABLE IF EXISTS {table}")
    db.execute(f"CREATE TABLE {table} ({_columns(values)}) STRICT")
    db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", tuple(values.values()))  # noqa: S608  our own


def _cuts(db: sqlite3.Connection, cuts: Iterable[CutAway]) -> None:
    names = [each.name for each in fields(CutAway)]
    db.execute("DROP TABLE IF EXISTS cuts")
    db.execute(
        f"CREATE TABLE cuts (id TEXT PRIMARY KEY NOT NULL, {', '.join(f'{name} INTEGER' for name in names)}) STRICT"
    )
    rows = [(f"cut:{each.minimum_index}", *astuple(each)) for each in cuts]
    db.executemany(f"INSERT INTO cuts VALUES ({', '.join('?' * (len(names) + 1))})", rows)  # noqa: S608  marks only


def _pairs(db: sqlite3.Connection, table: str, columns: tuple[str, str], rows: Iterable[tuple[str, str]]) -> None:
    first, second = columns
    db.execute(f"DROP TABLE IF EXISTS {table}")
    db.execute(f"CREATE TABLE {table} ({first} TEXT, {second} TEXT) STRICT")
    db.executemany(f"INSERT INTO {table} VALUES (?, ?)", sorted(set(rows)))  # noqa: S608  the name is our own
