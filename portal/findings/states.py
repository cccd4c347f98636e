"""States of a finding and the only moves between them."""

from portal.moves import by_name, move

RAISED, ASSIGNED, ANSWERED, CLOSED = "raised", "assigned", "answered", "closed"
STATES = {RAISED: "Raised", ASSIGNED: "Has an owner", ANSWERED: "Answered", CLOSED: "Closed"}
FINAL = frozenset({CLOSED})

MOVES = by_name(
    (
        move("assign", {RAISED, ASSIGNED}, ASSIGNED, event="finding.assigned"),
        move("answer", {ASSIGNED, ANSWERED}, ANSWERED, event="finding.answered"),
        move("close", {ANSWERED}, CLOSED, event="finding.closed"),
    )
)
