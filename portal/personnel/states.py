"""States of a personnel list and the only moves between them."""

from portal.moves import by_name, move

READ, WAITS, DONE, DISCARDED = "read", "waits", "done", "discarded"
STATES = {READ: "Read", WAITS: "Waits for a second administrator", DONE: "Imported", DISCARDED: "Discarded"}
UNDECIDED = frozenset({READ, WAITS})

MOVES = by_name(
    (
        move("ask_second", {READ}, WAITS, event="personnel.second_asked"),
        move("carry_out", UNDECIDED, DONE, event="personnel.imported"),
        move("discard", UNDECIDED, DISCARDED, event="personnel.discarded"),
    )
)
