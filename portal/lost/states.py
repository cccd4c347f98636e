"""States of a lost range of the log, and the only moves between them."""

from portal.moves import by_name, move

REPORTED, SIGNED, DECLINED = "reported", "signed", "declined"
STATES = {
    REPORTED: "Waits for a second administrator",
    SIGNED: "Signed as lost by two",
    DECLINED: "Declined",
}
MOVES = by_name(
    (
        move("sign", {REPORTED}, SIGNED, event="log.range_lost"),
        move("decline", {REPORTED}, DECLINED, event="log.loss_declined"),
    )
)
