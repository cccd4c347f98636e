"""Who may review a use of offline cards: a reviewer of the system who neither used, kept nor held them."""

from audit.log.append import Actor
from audit.log.read import of_case
from portal.eligibility.models import REVIEWER
from portal.eligibility.queries import holds, people_with
from portal.errors import NotAllowed
from portal.people.models import Person
from portal.reviews.offline.models import OfflineReview
from portal.reviews.rules import HANDS


def involved_in(review: OfflineReview) -> frozenset[str]:
    """Pseudonyms of who used the cards, of the account's custodians, of who held the cards, and of who added to the case. Two queries."""
    account = review.of_set.account
    people = {review.request.responder_id, account.custodian_id, account.second_custodian_id}
    people |= set(review.of_set.cards.values_list("custodian_id", flat=True))
    hands = {event.by for event in of_case(review.log_case, HANDS) if not event.by.startswith("process:")}
    return frozenset({str(each) for each in people if each} | hands)


def pool_of(review: OfflineReview) -> list[Person]:
    """Who may review it."""
    return list(people_with(REVIEWER, review.request.system).exclude(pk__in=involved_in(review)))


def may_review(by: Actor, review: OfflineReview) -> None:
    """Asked anew each time: somebody may have become involved since.

    Raises:
        NotAllowed: of kind ``involved`` for who had a part in it.
    """
    if not holds(by.id, REVIEWER, review.request.system):
        raise NotAllowed("Only a reviewer of this system may do that.", about=review, kind="not a reviewer")
    if by.id in involved_in(review):
        raise NotAllowed("You had a part in this use. Somebody else reviews it.", about=review, kind="involved")
