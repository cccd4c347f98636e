"""States of a sealed account, of a rotation of its secret, and of a set of offline cards, and the only moves between them."""

from portal.moves import by_name, move

PROPOSED, SEALED, HELD, RETIRED, DECLINED = "proposed", "sealed", "held", "retired", "declined"
STATES = {
    PROPOSED: "Waits for a second administrator",
    SEALED: "Sealed",
    HELD: "With its holder",
    RETIRED: "Out of use",
    DECLINED: "Declined",
}
IN_USE = frozenset({SEALED, HELD})

MOVES = by_name(
    (
        move("approve", {PROPOSED}, SEALED, event="sealed.registered"),
        move("decline", {PROPOSED}, DECLINED, event="sealed.declined"),
        move("check_out", {SEALED}, HELD, event="sealed.checked_out"),
        move("check_in", {HELD}, SEALED, event="sealed.checked_in"),
        move("retire", {SEALED}, RETIRED, event="sealed.retired"),
    )
)

OWED, ROTATED, DONE = "owed", "rotated", "done"
ROTATION_STATES = {OWED: "New secret owed", ROTATED: "New secret, not tested", DONE: "New secret, tested"}
ROTATION_MOVES = by_name(
    (
        move("rotate", {OWED}, ROTATED, event="sealed.rotated"),
        move("pass", {ROTATED}, DONE, event="sealed.tested"),
        move("fail", {ROTATED}, OWED, event="sealed.tested"),
    )
)

COMING, MADE, OUT, USED, REPLACED = "coming", "made", "out", "used", "replaced"
CARD_STATES = {
    COMING: "Made, not yet on the target",
    MADE: "On the target, to be printed",
    OUT: "With its custodians",
    USED: "Used: to be replaced",
    REPLACED: "Replaced",
}
CARDS_ALIVE = frozenset({MADE, OUT})
TO_PRINT = frozenset({COMING, MADE})
CARD_MOVES = by_name(
    (
        move("confirm", {COMING}, MADE, event="offline.cards_made"),
        move("hand_out", {MADE}, OUT, event="offline.handed_out"),
        move("use", {MADE, OUT}, USED, event="offline.use_confirmed"),
        move("replace", {COMING, MADE, OUT, USED}, REPLACED, event="offline.replaced"),
    )
)
