"""One block of ``tests.yaml`` into a control test; strict, because an operator's blocks come the same way."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.controls.model import (
    KINDS,
    SEVERITIES,
    CatalogueRefused,
    Clause,
    ControlTest,
    Exemption,
    Population,
    StandIns,
)
from audit.controls.words import braces
from audit.facts.schema import load_schema

ID = re.compile(r"[A-Z]{1,4}-\d{2,3}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
TAKEN = re.compile(r"id|result|(open|inconclusive)(_\d+)?")
TURNS = ("fail", "pass", "both")
REQUIRED = {"id", "title", "kind", "severity", "population", "must", "parameters", "exception"}
OPTIONAL = {"open", "inconclusive", "stand_ins"}
POPULATION = {"of", "from", "at", "span", "where", "shows"}
QUOTED = re.compile(r"'[^']*'")


def read_test(block: Mapping[str, Any]) -> ControlTest:
    """Read one test.

    Raises:
        CatalogueRefused: a part is missing, unknown, or not of the form that the head of ``tests.yaml`` describes.
    """
    try:
        return _read(block)
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if isinstance(error, CatalogueRefused):
            raise
        name = block.get("id") if isinstance(block, Mapping) else block
        raise CatalogueRefused(f"The test {name} is not of the form that tests.yaml describes: {error!r}.") from error


def _read(block: Mapping[str, Any]) -> ControlTest:
    name = str(block["id"])
    if not ID.fullmatch(name):
        raise CatalogueRefused(f"A test is named by letters, a dash and two or three digits; {name} is not.")
    _keys(name, block, REQUIRED, OPTIONAL)
    clauses = tuple(Clause(_name(name, each), fragment(name, sql)) for each, sql in block["must"].items())
    names = tuple(clause.name for clause in clauses)
    if not names:
        raise CatalogueRefused(f"{name} has no clause.")
    test = ControlTest(
        id=name,
        title=str(block["title"]),
        kind=_one_of(name, block["kind"], KINDS),
        severity=_one_of(name, block["severity"], SEVERITIES),
        population=_population(name, block["population"]),
        must=clauses,
        open=tuple(_exemptions(name, block.get("open", ()), names, turning=False)),
        inconclusive=tuple(_exemptions(name, block.get("inconclusive", ()), names, turning=True)),
        stand_ins=_stand_ins(name, block["stand_ins"]) if "stand_ins" in block else None,
        parameters=tuple(str(each) for each in block["parameters"]),
        exception=str(block["exception"]),
    )
    if unknown := braces(test.exception) - {"n", "N", *test.parameters, *test.population.shows}:
        raise CatalogueRefused(
            f"{name} speaks of {{{sorted(unknown)[0]}}}, which it neither shows nor lists as a parameter."
        )
    if overlap := set(names) & set(test.population.shows):
        raise CatalogueRefused(f"{name} uses the name {sorted(overlap)[0]} twice.")
    return test


def fragment(name: str, sql: Any) -> str:
    """A piece of SQL that stays inside the parentheses it is put into."""
    text = " ".join(str(sql).split())
    bare = QUOTED.sub("''", text)
    if not text or any(mark in bare for mark in (";", "--", "/*", '"', "`", "[")) or bare.count("'") % 2:
        raise CatalogueRefused(
            f"{name} holds SQL with a comment, a semicolon, an open quote or none at all: {text[:80]}"
        )
    depth = 0
    for mark in bare:
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            break
    if depth:
        raise CatalogueRefused(f"{name} holds SQL whose parentheses do not match: {text[:80]}")
    return text


def _population(name: str, block: Mapping[str, Any]) -> Population:
    _keys(name, block, {"of"}, POPULATION - {"of"})
    if ("at" in block) == ("span" in block):
        raise CatalogueRefused(f"{name} needs either the time or the span that places a row in the period.")
    of = _table(name, block["of"])
    span = [fragment(name, each) for each in block["span"]] if "span" in block else []
    return Population(
        of=of,
        source=fragment(name, block.get("from", of)),
        at=tuple(fragment(name, each) for each in _times(name, block["at"])) if "at" in block else (),
        span=(span[0], span[1]) if span else None,
        where=fragment(name, block["where"]) if "where" in block else None,
        shows={_name(name, each): fragment(name, sql) for each, sql in block.get("shows", {}).items()},
    )


def _times(name: str, given: Any) -> list[Any]:
    """The time, or the times, of which any places a row in the period."""
    times = given if isinstance(given, list) else [given]
    if not times:
        raise CatalogueRefused(f"{name} names no time that places a row in the period.")
    return times


def _exemptions(
    name: str, blocks: Sequence[Mapping[str, Any]], names: tuple[str, ...], *, turning: bool
) -> Iterator[Exemption]:
    for block in blocks:
        _keys(name, block, {"if", "says", "turns"} if turning else {"if", "says"}, {"clauses"})
        spoken_of = tuple(block.get("clauses", names))
        if unknown := set(spoken_of) - set(names):
            raise CatalogueRefused(f"{name} has no clause {sorted(unknown)[0]}.")
        turns = _one_of(name, block["turns"], TURNS) if turning else ""
        yield Exemption(fragment(name, block["if"]), str(block["says"]), spoken_of, turns)


def _stand_ins(name: str, block: Mapping[str, Any]) -> StandIns:
    _keys(name, block, {"of", "at", "where", "says"}, set())
    return StandIns(
        _table(name, block["of"]), fragment(name, block["at"]), fragment(name, block["where"]), str(block["says"])
    )


def _keys(name: str, block: Mapping[str, Any], required: set[str], optional: set[str]) -> None:
    if missing := required - block.keys():
        raise CatalogueRefused(f"{name} lacks {sorted(missing)[0]}.")
    if unknown := block.keys() - required - optional:
        raise CatalogueRefused(f"{name} holds {sorted(map(str, unknown))[0]}, which means nothing here.")


def _table(name: str, table: Any) -> str:
    if table not in load_schema().tables:
        raise CatalogueRefused(f"{name} reads {table}, and there is no such table of facts.")
    return str(table)


def _name(name: str, given: Any) -> str:
    if not NAME.fullmatch(str(given)) or TAKEN.fullmatch(str(given)):
        raise CatalogueRefused(
            f"{name} names a column {given}; a name is small letters, and not one that the runner uses."
        )
    return str(given)


def _one_of(name: str, given: Any, allowed: Sequence[str]) -> str:
    if given not in allowed:
        raise CatalogueRefused(f"{name} says {given}; it must be one of {', '.join(allowed)}.")
    return str(given)
