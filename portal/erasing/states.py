"""States of a legal hold, of an erasure and of a cut, and the only moves between them."""

from portal.moves import by_name, move

HOLDS, LIFT_ASKED, LIFTED = "holds", "lift_asked", "lifted"
HOLD_STATES = {
    HOLDS: "In force",
    LIFT_ASKED: "In force: lifting waits for a second administrator",
    LIFTED: "Lifted",
}
HOLD_MOVES = by_name(
    (
        move("ask_lift", {HOLDS}, LIFT_ASKED, event="hold.lift_asked"),
        move("keep", {LIFT_ASKED}, HOLDS, event="hold.kept"),
        move("lift", {LIFT_ASKED}, LIFTED, event="hold.lifted"),
    )
)

ASKED, CONFIRMED, DONE, DECLINED = "asked", "confirmed", "done", "declined"
STATES = {
    ASKED: "Waits for a second administrator",
    CONFIRMED: "Confirmed; is being carried out",
    DONE: "Erased",
    DECLINED: "Declined",
}
MOVES = by_name(
    (
        move("confirm", {ASKED}, CONFIRMED, event="erasure.confirmed"),
        move("decline", {ASKED}, DECLINED, event="erasure.declined"),
        move("finish", {CONFIRMED}, DONE, event="erasure.done"),
    )
)
BASES = {
    "asked": "The person asked for it",
    "ended": "The purpose has ended",
    "ordered": "An authority or a court ordered it",
}

PROPOSED, APPROVED, CUTTING, CUT, KEPT = "proposed", "approved", "cutting", "cut", "kept"
CUT_STATES = {
    PROPOSED: "Waits for a second administrator",
    APPROVED: "Approved; waits to be carried out",
    CUTTING: "Said in the log; is being carried out",
    CUT: "Cut",
    KEPT: "Declined",
}
CUT_MOVES = by_name(
    (
        move("approve", {PROPOSED}, APPROVED, event="cut.approved"),
        move("decline", {PROPOSED, APPROVED}, KEPT, event="cut.declined"),
        move("say", {APPROVED}, CUTTING, event="log.cut"),
        move("finish", {CUTTING}, CUT, event="cut.done"),
        move("turn_back", {CUTTING}, KEPT, event="cut.declined"),
    )
)
