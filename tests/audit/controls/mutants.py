"""Every clause and rule of a test, and every single condition in it, made always true and always false.

A condition is what stands between ``and``, ``or``, ``where`` and ``on``, at any depth, also inside subqueries and
arguments of functions.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from audit.controls.model import ControlTest, StandIns

Place = tuple[str, str, Callable[[str], ControlTest]]
Token = tuple[str, int, int]
TOKEN = re.compile(r"'[^']*'|\w+|\S")
ENDS = {",", "join", "left", "cross", "group", "order", "limit"}


@dataclass(frozen=True)
class Mutant:
    """A test with one condition replaced."""

    where: str
    condition: str
    value: str
    test: ControlTest


def mutants(test: ControlTest) -> Iterator[Mutant]:
    """All mutants of a test; a rule whose whole text is one condition gives two."""
    for where, sql, put in _places(test):
        for start, end in sorted({(0, len(sql)), *conditions(sql)}):
            for value in ("1", "0"):
                if sql[start:end] != value:
                    yield Mutant(where, sql[start:end], value, put(f"{sql[:start]}{value}{sql[end:]}"))


def _places(test: ControlTest) -> Iterator[Place]:
    """Each text of a test that holds conditions, with a function that gives the test with another text there."""
    for number, clause in enumerate(test.must):
        yield f"must {clause.name}", clause.sql, partial(_rule, test, "must", number)
    for kind in ("open", "inconclusive"):
        for number, rule in enumerate(getattr(test, kind)):
            yield f"{kind} {number + 1}", rule.sql, partial(_rule, test, kind, number)
    if test.population.where:
        yield "where", test.population.where, partial(_where, test)
    if test.stand_ins:
        yield "stand_ins", test.stand_ins.where, partial(_stand_ins, test, test.stand_ins)


def _rule(test: ControlTest, kind: str, number: int, sql: str) -> ControlTest:
    rules = getattr(test, kind)
    changed: Any = {kind: (*rules[:number], replace(rules[number], sql=sql), *rules[number + 1 :])}
    return replace(test, **changed)


def _where(test: ControlTest, sql: str) -> ControlTest:
    return replace(test, population=replace(test.population, where=sql))


def _stand_ins(test: ControlTest, rows: StandIns, sql: str) -> ControlTest:
    return replace(test, stand_ins=replace(rows, where=sql))


def conditions(sql: str) -> set[tuple[int, int]]:
    """Places of all single conditions in a text, as start and end."""
    tokens = [(match.group().lower(), match.start(), match.end()) for match in TOKEN.finditer(sql)]
    return set(_conditions(tokens))


def _conditions(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Conditions of one level, then of everything in parentheses below it."""
    level = _Level(logical=bool(tokens) and tokens[0][0] != "select")
    number = 0
    while number < len(tokens):
        if tokens[number][0] == "(":
            close = _closing(tokens, number)
            yield from _conditions(tokens[number + 1 : close])
            level.run += tokens[number : close + 1]
            number = close
        else:
            level.take(tokens[number])
        number += 1
    level.end(logical=False)
    yield from level.found


@dataclass
class _Level:
    """What is read of one level: the run of words so far, and whether it stands where a condition may."""

    logical: bool
    split: bool = False
    run: list[Token] = field(default_factory=list)
    found: list[tuple[int, int]] = field(default_factory=list)

    def take(self, token: Token) -> None:
        """One word, which may end a condition."""
        if token[0] in ("and", "or"):
            self.split = True
            self.end(logical=self.logical, split=True)
        elif token[0] in ("where", "on"):
            self.end(logical=True, split=True)
        elif token[0] in ENDS:
            self.end(logical=token[0] == ",")
        else:
            self.run.append(token)

    def end(self, *, logical: bool, split: bool = False) -> None:
        """End the run; alone in its place, not parted from others, it is no condition of its own."""
        if self.run and self.logical and self.split:
            self.found.append((self.run[0][1], self.run[-1][2]))
        self.run, self.logical, self.split = [], logical, split


def _closing(tokens: list[Token], opened: int) -> int:
    depth = 0
    for number in range(opened, len(tokens)):
        depth += (tokens[number][0] == "(") - (tokens[number][0] == ")")
        if depth == 0:
            return number
    raise ValueError("parentheses do not match")
