"""States of an emergency stop and the only moves between them. In force is everything but lifted."""

from portal.moves import by_name, move

IN_FORCE, LIFT_ASKED, LIFTED = "in_force", "lift_asked", "lifted"
STATES = {
    IN_FORCE: "In force",
    LIFT_ASKED: "In force: lifting waits for a second person",
    LIFTED: "Lifted",
}
FINAL = frozenset({LIFTED})

MOVES = by_name(
    (
        move("ask_lift", {IN_FORCE}, LIFT_ASKED, event="stop.lift_asked"),
        move("keep", {LIFT_ASKED}, IN_FORCE, event="stop.lift_declined"),
        move("lift", {LIFT_ASKED}, LIFTED, event="stop.lifted"),
    )
)
