"""States of an access request and the only moves between them."""

from portal.moves import by_name, move

AWAITING, APPROVED, DECLINED, WITHDRAWN, LAPSED = "awaiting", "approved", "declined", "withdrawn", "lapsed"
STATES = {
    AWAITING: "Waiting for approval",
    APPROVED: "Approved",
    DECLINED: "Declined",
    WITHDRAWN: "Withdrawn",
    LAPSED: "Lapsed: nobody answered in time",
}
FINAL = frozenset({APPROVED, DECLINED, WITHDRAWN, LAPSED})

MOVES = by_name(
    (
        move("approve", {AWAITING}, APPROVED, event="request.approved"),
        move("decline", {AWAITING}, DECLINED, event="request.declined"),
        move("withdraw", {AWAITING}, WITHDRAWN, event="request.withdrawn"),
        move("lapse", {AWAITING}, LAPSED, event="request.lapsed"),
    )
)
