"""A review that nobody finishes moves on by itself: lateness costs the reviewer and the owner, never the responder.

Whoever cannot review it any longer loses it at once; when its time is over, the next reviewer gets it, once.
"""

from django.db.models import Count, Q

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.eligibility.models import REVIEWER
from portal.eligibility.queries import holds
from portal.errors import ChangedMeanwhile, NotAllowed, WrongState
from portal.people.models import Person
from portal.reviews import leave, rounds, rules
from portal.reviews.actions import HANDED_OVER, NOT_CLAIMED, append_handed_over, locked
from portal.reviews.models import Review
from portal.reviews.states import CLAIMED, SECOND_CLAIMED, SUBMITTED, TAKEN_STATES
from portal.reviews.telling import tell_given_next, tell_pool

GIVEN = "given"  # the mark on a review that was given on when its time was over


@action(event=HANDED_OVER)
def take_back(*, by: Actor, review: Review) -> Review:
    """Back to the pool, where who has it left, lost the role or became part of the use. What was answered stays.

    Raises:
        WrongState: nobody has it.
        NotAllowed: who has it may review it.
    """
    row = locked(review)
    if row.state not in TAKEN_STATES:
        raise WrongState(NOT_CLAIMED, about=row)
    if may_go_on(row):
        raise NotAllowed("Whoever has this review may go on with it.", about=row)
    this = rounds.give(row, "take_back", None, says=NOT_CLAIMED)
    tell_pool(by, row, rules.pool_of(row))
    append_handed_over(by, row, this, None)
    return row


def may_go_on(row: Review) -> bool:
    """Whether who has the review is still a reviewer of the system without a part in the use, nor in the first judgement of two."""
    person = str(row.holder.pk) if row.holder else ""
    return holds(person, REVIEWER, row.request.system) and person not in rules.barred_from([row])[row.pk]


@action(event=("review.given_next", "review.second_given_next"))
def give_next(*, by: Actor, review: Review) -> Review:
    """Its time is over: the reviewer with the least to do gets it, and whoever had it and the owner are told.

    Raises:
        WrongState: there is time left, it is submitted, or there is nobody else.
        ChangedMeanwhile: it was given on before.
    """
    row = locked(review)
    if row.state == SUBMITTED or row.owed_at > now():
        raise WrongState("This review is not overdue.", about=row)
    if given_mark(row) in row.reminded:
        raise ChangedMeanwhile("This review was given on already.", about=row)
    before, chosen = row.holder, next_of(row)
    if chosen is None:
        raise WrongState("There is nobody else who may review this use.", about=row)
    this = rounds.give(row, "give_next", chosen, says=NOT_CLAIMED, reminded=[*row.reminded, given_mark(row)])
    tell_given_next(by, row, before)
    append(
        f"{this.event}given_next", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        from_id=before.pk if before else None, to_id=chosen.pk, due_at=ms(row.owed_at),
    )  # fmt: skip
    return row


def given_mark(row: Review) -> str:
    """The mark of the round that the review is in, once it was given on."""
    return f"{rounds.round_of(row).mark}{GIVEN}"


def next_of(row: Review) -> Person | None:
    """Of those who may review it and do not have it, who has the fewest reviews; by name where that is equal."""
    others = [person.pk for person in leave.here(rules.pool_of(row), row.request.system) if person != row.holder]
    first = Count("reviews", filter=Q(reviews__state=CLAIMED), distinct=True)
    busy = first + Count("second_reviews", filter=Q(second_reviews__state=SECOND_CLAIMED), distinct=True)
    return Person.objects.filter(pk__in=others).annotate(busy=busy).order_by("busy", "name", "pk").first()
