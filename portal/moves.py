"""Named moves between states, as plain data, and how one is made."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from portal.errors import ChangedMeanwhile, WrongState


@dataclass(frozen=True)
class Move:
    """One named move. The name is the verb of the action, of the button and of the log."""

    name: str
    sources: frozenset[str]
    target: str
    event: str


def move(name: str, sources: Iterable[str], target: str, event: str) -> Move:
    """Write a move in one line of a table."""
    return Move(name, frozenset(sources), target, event)


def by_name(moves: Iterable[Move]) -> dict[str, Move]:
    """Index a table; two moves of one name are a mistake of ours."""
    table: dict[str, Move] = {}
    for each in moves:
        if each.name in table:
            raise ValueError(f"{each.name} stands twice")
        table[each.name] = each
    return table


Row = TypeVar("Row", bound=Any)


def make(row: Row, chosen: Move, *, says: str, **changes: object) -> Row:
    """Make a move on a locked row, by one compare-and-set on its old state.

    Raises:
        WrongState: the move does not start in the row's state; ``says`` is the sentence.
        ChangedMeanwhile: somebody else moved the row since it was read.
    """
    if row.state not in chosen.sources:
        raise WrongState(says, about=row)
    found = type(row)._base_manager.filter(pk=row.pk, state=row.state)
    if found.update(state=chosen.target, **changes) != 1:
        raise ChangedMeanwhile(says, about=row)
    row.state = chosen.target
    for key, value in changes.items():
        setattr(row, key, value)
    return row
