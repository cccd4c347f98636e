"""States of a swap that one member of a rota offers another, and the only moves between them."""

from portal.moves import by_name, move

OFFERED, TAKEN, DECLINED, WITHDRAWN = "offered", "taken", "declined", "withdrawn"
STATES = {OFFERED: "Offered", TAKEN: "Taken", DECLINED: "Declined", WITHDRAWN: "Withdrawn"}
FINAL = frozenset({TAKEN, DECLINED, WITHDRAWN})

MOVES = by_name(
    (
        move("take", {OFFERED}, TAKEN, event="rota.swap_taken"),
        move("decline", {OFFERED}, DECLINED, event="rota.swap_declined"),
        move("withdraw", {OFFERED}, WITHDRAWN, event="rota.swap_withdrawn"),
    )
)
