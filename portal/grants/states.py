"""States of a grant and the only moves between them."""

from portal.moves import by_name, move

AUTHORISED, OPENING, ACTIVE, CLOSING, ENDED, FAILED = "authorised", "opening", "active", "closing", "ended", "failed"
STATES = {
    AUTHORISED: "Waiting to open",
    OPENING: "Opening",
    ACTIVE: "Open",
    CLOSING: "Ending: still live until read back",
    ENDED: "Ended and read back",
    FAILED: "Not opened",
}
FINAL = frozenset({ENDED, FAILED})
MAY_BE_LIVE = frozenset({OPENING, ACTIVE, CLOSING})

MOVES = by_name(
    (
        move("begin", {AUTHORISED, OPENING}, OPENING, event="grant.opening"),
        move("activate", {OPENING}, ACTIVE, event="grant.activated"),
        move("give_up", {OPENING}, CLOSING, event="grant.revoked"),
        move("return", {ACTIVE}, CLOSING, event="grant.returned"),
        move("expire", {OPENING, ACTIVE}, CLOSING, event="grant.expired"),
        move("revoke", {OPENING, ACTIVE}, CLOSING, event="grant.revoked"),
        move("cancel", {AUTHORISED}, FAILED, event="grant.failed"),
        move("confirm", {CLOSING}, ENDED, event="grant.ended"),
    )
)
