"""States of the reset of a lost second factor, and the only moves between them."""

from portal.moves import by_name, move

PROPOSED, COOLING, DONE, DECLINED, CANCELLED, LAPSED = (
    "proposed", "cooling", "done", "declined", "cancelled", "lapsed",
)  # fmt: skip
STATES = {
    PROPOSED: "Waits for a second person",
    COOLING: "Approved; takes effect after its cooling time",
    DONE: "Done: a new factor was enrolled",
    DECLINED: "Declined",
    CANCELLED: "Cancelled",
    LAPSED: "Lapsed: not approved, or not used in time",
}
OPEN = frozenset({PROPOSED, COOLING})

MOVES = by_name(
    (
        move("approve", {PROPOSED}, COOLING, event="factor.reset_approved"),
        move("decline", {PROPOSED}, DECLINED, event="factor.reset_declined"),
        move("cancel", {PROPOSED, COOLING}, CANCELLED, event="factor.reset_cancelled"),
        move("finish", {COOLING}, DONE, event="factor.reset_finished"),
        move("lapse", {PROPOSED, COOLING}, LAPSED, event="factor.reset_lapsed"),
    )
)
