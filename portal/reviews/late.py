"""A review that nobody finishes moves on by itself: lateness costs the reviewer and the owner, never the responder.

Whoever cannot review it any longer loses it at once; when its time is over, the next reviewer gets it, once.
"""

from django.db.models import Count, Q

from audit.log.append import Actor, action, append
from portal.access_requests.facts import who_where_what
from portal.clock import ms, now
from portal.eligibility.models import REVIEWER
from portal.eligibility.queries import holds
from portal.errors import ChangedMeanwhile, NotAllowed, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.reviews import rules
from portal.reviews.actions import NOT_CLAIMED, locked, tell_of
from portal.reviews.models import Review
from portal.reviews.states import CLAIMED, MOVES, SUBMITTED

GIVEN = "given"  # the mark on a review that was given on when its time was over


@action(event="review.handed_over")
def take_back(*, by: Actor, review: Review) -> Review:
    """Back to the pool, where who has it left, lost the role or became part of the use. What was answered stays.

    Raises:
        WrongState: nobody has it.
        NotAllowed: who has it may review it.
    """
    row = locked(review)
    if row.state != CLAIMED:
        raise WrongState(NOT_CLAIMED, about=row)
    if may_go_on(row):
        raise NotAllowed("Whoever has this review may go on with it.", about=row)
    make(row, MOVES["take_back"], says=NOT_CLAIMED, reviewer=None, claimed_at=None)
    tell_of(by, row, rules.pool_of(row.grant), "review.due")
    append(
        "review.handed_over", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        to_id=None, comment=None,
    )  # fmt: skip
    return row


def may_go_on(row: Review) -> bool:
    """Whether who has the review is still a reviewer of the system without a part in the use."""
    held = holds(str(row.reviewer_id), REVIEWER, row.grant.system)
    return held and str(row.reviewer_id) not in rules.involved_in(row.grant)


@action(event="review.given_next")
def give_next(*, by: Actor, review: Review) -> Review:
    """Its time is over: the reviewer with the least to do gets it, and whoever had it and the owner are told.

    Raises:
        WrongState: there is time left, it is submitted, or there is nobody else.
        ChangedMeanwhile: it was given on before.
    """
    row = locked(review)
    if row.state == SUBMITTED or row.due_at > now():
        raise WrongState("This review is not overdue.", about=row)
    if GIVEN in row.reminded:
        raise ChangedMeanwhile("This review was given on already.", about=row)
    before, chosen = row.reviewer, next_of(row)
    if chosen is None:
        raise WrongState("There is nobody else who may review this use.", about=row)
    make(
        row, MOVES["give_next"], says=NOT_CLAIMED, reviewer=chosen, claimed_at=now(), reminded=[*row.reminded, GIVEN],
    )  # fmt: skip
    _tell(by, row, before)
    append(
        "review.given_next", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        from_id=before.pk if before else None, to_id=chosen.pk, due_at=ms(row.due_at),
    )  # fmt: skip
    return row


def next_of(row: Review) -> Person | None:
    """Of those who may review it and do not have it, who has the fewest reviews; by name where that is equal."""
    others = [person.pk for person in rules.pool_of(row.grant) if person.pk != row.reviewer_id]
    busy = Count("reviews", filter=Q(reviews__state=CLAIMED))
    return Person.objects.filter(pk__in=others).annotate(busy=busy).order_by("busy", "name", "pk").first()


def _tell(by: Actor, row: Review, before: Person | None) -> None:
    people = [person for person in (row.reviewer, before, row.grant.system.owner) if person is not None]
    tell(
        by=by, people=list(dict.fromkeys(people)), kind="review.given_next", case=row.log_case, about=row.log_subject,
        path=f"/reviews/{row.pk}/", grant_id=row.grant_id,
        facts={
            **who_where_what(row.grant.request), "due_at": row.due_at, "to": row.reviewer.name if row.reviewer else "",
            "before": before.name if before else "",
        },
    )  # fmt: skip
