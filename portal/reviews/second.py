"""The second look at a use in which the first reviewer found grave things: somebody else confirms, or disagrees, in words of their own. Both stand."""

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.moves import make
from portal.policy.queries import rules_of
from portal.policy.strength import need_factor
from portal.reviews import rules
from portal.reviews.actions import NOT_CLAIMED, locked
from portal.reviews.models import Review
from portal.reviews.sittings import for_the_log
from portal.reviews.states import MOVES, SECOND_CLAIMED
from portal.reviews.telling import tell_owner

SAY_WHY = "Say what you saw, in words of your own."
DISAGREE = "Two reviewers disagree about a use"


@action(event="review.second_submitted", refused="review.act_refused")
def submit_second(*, by: Actor, review: Review, agrees: bool, words: str) -> Review:
    """Confirm the first judgement or disagree with it; with that the review is done. The findings of the first stay. Of a disagreement the owner is told.

    Raises:
        NotAllowed, StepUpNeeded, WrongState: see `portal.reviews.rules`; RefusedByPolicy: no words, or the first reviewer's.
    """
    row, said = locked(review), words.strip()
    rules.is_its_reviewer(by, row)
    need_factor(by, rules_of(row.request.policy), about=row)
    if row.second_submitted_at is not None:
        raise ChangedMeanwhile("This review was submitted already. Nothing was changed.", about=row)
    if row.state != SECOND_CLAIMED:
        raise WrongState(NOT_CLAIMED, about=row)
    if not said or said.casefold() in {each["comment"].casefold() for each in row.answers.values()}:
        raise RefusedByPolicy(SAY_WHY, about=row, kind="uncommented")
    barred = rules.barred_from([row])[row.pk]  # asked while it is in this round
    make(
        row, MOVES["confirm" if agrees else "disagree"], says=NOT_CLAIMED, second_agrees=agrees, second_words=said, second_submitted_at=now()
    )  # fmt: skip
    if not agrees:
        _tell_owner(by, row)
    append(
        "review.second_submitted", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        system_id=row.request.system_id, reviewer_id=by.id, due_at=ms(row.owed_at), agrees=agrees, words=said,
        involved=sorted(barred), **for_the_log(row, by.id),
    )  # fmt: skip
    return row


def _tell_owner(by: Actor, row: Review) -> None:
    here = row.request.system.name
    tell_owner(
        by, row, DISAGREE, f"The second reviewer of a use of {here} does not come to the first one's judgement. Both stand; read them, and talk to both."
    )  # fmt: skip
