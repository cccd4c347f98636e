"""States of a review and the only moves between them."""

from portal.moves import by_name, move

DUE, CLAIMED, SUBMITTED = "due", "claimed", "submitted"
STATES = {DUE: "Waiting for a reviewer", CLAIMED: "Being reviewed", SUBMITTED: "Reviewed"}
FINAL = frozenset({SUBMITTED})

MOVES = by_name(
    (
        move("claim", {DUE}, CLAIMED, event="review.claimed"),
        move("hand_over", {CLAIMED}, DUE, event="review.handed_over"),
        move("pass_on", {CLAIMED}, CLAIMED, event="review.handed_over"),
        move("take_back", {CLAIMED}, DUE, event="review.handed_over"),
        move("give_next", {DUE, CLAIMED}, CLAIMED, event="review.given_next"),
        move("submit", {CLAIMED}, SUBMITTED, event="review.submitted"),
    )
)
