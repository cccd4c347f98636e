"""What was typed into the questions: kept before its page is left for another act, and given back where it cannot be kept any more."""

from collections.abc import Callable
from typing import TypeVar

from portal.access_requests.rules import allows
from portal.errors import ChangedMeanwhile, NotAllowed, Refused, StepUpNeeded, WrongState
from portal.people.signing_in import PersonRequest
from portal.reviews.actions import save
from portal.reviews.forms import ReviewForm
from portal.reviews.models import Review
from portal.reviews.queries import finding_owners
from portal.reviews.questions import questions
from portal.reviews.rules import is_its_reviewer
from portal.reviews.states import CLAIMED

T = TypeVar("T")


class TooLate(Exception):
    """The review is with somebody else by now, or done; ``refusal`` says so."""

    def __init__(self, refusal: Refused) -> None:
        """Keep what was answered."""
        super().__init__(refusal.sentence)
        self.refusal = refusal
        self.status = 403 if isinstance(refusal, NotAllowed) else 409


def keep(request: PersonRequest, review: Review) -> bool:
    """Keep the answers that came along with another act of the page, if any did; whether nothing of them is left out."""
    if not any(f"{each.id}_comment" in request.POST for each in questions()):
        return True
    if review.state != CLAIMED or not allows(is_its_reviewer, request.actor, review):
        return True  # the act itself says so
    form = ReviewForm(request.POST, review=review, owners=finding_owners(review))
    if not form.is_valid():
        return False
    try:
        save(by=request.actor, review=review, answers=form.answers(), since=form.cleaned_data["since"])
    except ChangedMeanwhile:
        return False
    return True


def in_time(act: Callable[[], T]) -> T:
    """Do it.

    Raises:
        TooLate: in place of who may not or comes too late; a factor is asked for as ever.
    """
    try:
        return act()
    except StepUpNeeded:
        raise
    except (NotAllowed, WrongState, ChangedMeanwhile) as refusal:
        raise TooLate(refusal) from refusal
