"""States of a review and the only moves between them.

Where the first reviewer found grave things, a second one looks as well: those moves end in ``_second``, and the review is done when that one has
confirmed or disagreed.
"""

from portal.moves import by_name, move

DUE, CLAIMED, SECOND_DUE, SECOND_CLAIMED, SUBMITTED = "due", "claimed", "second_due", "second_claimed", "submitted"
STATES = {
    DUE: "Waiting for a reviewer", CLAIMED: "Being reviewed", SECOND_DUE: "Waiting for a second reviewer",
    SECOND_CLAIMED: "With a second reviewer", SUBMITTED: "Reviewed",
}  # fmt: skip
FIRST, SECOND = frozenset({DUE, CLAIMED}), frozenset({SECOND_DUE, SECOND_CLAIMED})
TAKEN_STATES = (CLAIMED, SECOND_CLAIMED)
FINAL = frozenset({SUBMITTED})

MOVES = by_name(
    (
        move("claim", {DUE}, CLAIMED, event="review.claimed"),
        move("hand_over", {CLAIMED}, DUE, event="review.handed_over"),
        move("pass_on", {CLAIMED}, CLAIMED, event="review.handed_over"),
        move("take_back", {CLAIMED}, DUE, event="review.handed_over"),
        move("give_next", {DUE, CLAIMED}, CLAIMED, event="review.given_next"),
        move("submit", {CLAIMED}, SUBMITTED, event="review.submitted"),
        move("ask_second", {CLAIMED}, SECOND_DUE, event="review.second_asked"),
        move("claim_second", {SECOND_DUE}, SECOND_CLAIMED, event="review.second_claimed"),
        move("hand_over_second", {SECOND_CLAIMED}, SECOND_DUE, event="review.second_handed_over"),
        move("pass_on_second", {SECOND_CLAIMED}, SECOND_CLAIMED, event="review.second_handed_over"),
        move("take_back_second", {SECOND_CLAIMED}, SECOND_DUE, event="review.second_handed_over"),
        move("give_next_second", {SECOND_DUE, SECOND_CLAIMED}, SECOND_CLAIMED, event="review.second_given_next"),
        move("confirm", {SECOND_CLAIMED}, SUBMITTED, event="review.second_submitted"),
        move("disagree", {SECOND_CLAIMED}, SUBMITTED, event="review.second_submitted"),
    )
)
