"""The two rounds of a review: a first reviewer's, and a second one's where the first found grave things. Both are taken and given away alike."""

from dataclasses import dataclass

from portal.clock import now
from portal.moves import make
from portal.people.models import Person
from portal.reviews.models import Review
from portal.reviews.states import MOVES, SECOND


@dataclass(frozen=True)
class Round:
    """Where the row keeps who has it and since when, and how its moves, entries and marks are told from the other round's."""

    who: str
    since: str
    move: str
    event: str
    mark: str


ROUNDS = {
    False: Round("reviewer", "claimed_at", "", "review.", ""),
    True: Round("second_reviewer", "second_claimed_at", "_second", "review.second_", "second-"),
}


def round_of(row: Review) -> Round:
    """The round that the review is in; the first where it is done."""
    return ROUNDS[row.state in SECOND]


def give(row: Review, move: str, to: Person | None, *, says: str, **changes: object) -> Round:
    """Make a move of the round that a locked review is in, after which a person has it, or nobody.

    Raises:
        WrongState, ChangedMeanwhile: see `portal.moves.make`.
    """
    this = round_of(row)
    held = {this.who: to, this.since: now() if to else None}
    make(row, MOVES[f"{move}{this.move}"], says=says, **held, **changes)
    return this
