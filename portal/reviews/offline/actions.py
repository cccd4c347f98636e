"""From "the cards were used" to a judgement, with the questions of any use. Nobody judges what they had a part in."""

from audit.log.append import Actor, action, append
from portal.access_requests.models import AccessRequest
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile, WrongState
from portal.people.models import Person
from portal.policy.queries import rules_of
from portal.policy.strength import need_factor
from portal.reviews.judging import judged, kept, raise_for
from portal.reviews.offline import rules
from portal.reviews.offline.models import OfflineReview
from portal.reviews.offline.queries import RELATED
from portal.reviews.rules import Answers, check_known, check_whole
from portal.reviews.telling import OVERDUE_KIND, tell_of, tell_pool
from portal.rows import lock_row
from portal.sealed.cards import facts_of

DONE = "This use was reviewed already. Nothing was changed."


def locked(review: OfflineReview) -> OfflineReview:
    """The row, locked, with what stands around it."""
    rows = OfflineReview.objects.select_for_update(of=("self",)).select_related(*RELATED)
    return rows.get(pk=review.pk)


def put_up(*, by: Actor, review: OfflineReview) -> None:
    """A part of declaring a use: it is to be reviewed, and whoever may do that is told; where there is nobody, the owner."""
    pool = rules.pool_of(review)
    tell_pool(by, review, pool)
    append(
        "offline.review_due", by=by, case=review.log_case, subject=review.log_subject, review_id=review.pk, **facts_of(review.of_set),
        due_at=ms(review.due_at), pool=[str(person.pk) for person in pool],
    )  # fmt: skip


@action(event=("offline.reviewed", "finding.raised"), refused="review.act_refused")
def submit(*, by: Actor, review: OfflineReview, answers: Answers, outcome: str) -> OfflineReview:
    """Judge the use, with the catalogue's statement. Each adverse answer opens a finding, in this transaction.

    Raises:
        NotAllowed, StepUpNeeded, RefusedByPolicy: see the rules; ChangedMeanwhile: somebody reviewed it.
    """
    row = locked(review)
    rules.may_review(by, row)
    need_factor(by, rules_of(row.request.policy), about=row)
    if row.submitted_at is not None:
        raise ChangedMeanwhile(DONE, about=row)
    check_known(answers, row)
    check_whole(answers, outcome, row)
    lock_row(AccessRequest, row.request_id)
    row.answers, row.outcome, row.submitted_at = kept(answers), outcome, now()
    row.reviewer = Person.objects.get(pk=by.id)
    row.save(update_fields=["answers", "outcome", "submitted_at", "reviewer"])
    raise_for(by, row, row.request.system, row.request.system.owner)
    append(
        "offline.reviewed", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, **facts_of(row.of_set),
        **judged(by, row, rules.involved_in(row)),
    )  # fmt: skip
    return row


@action(event="alert.queued")
def remind(*, by: Actor, review: OfflineReview) -> None:
    """Its time is over: whoever may review it, the owner and whom the policy adds are told, once.

    Raises:
        ChangedMeanwhile: told, or reviewed, just now; WrongState: it has time left.
    """
    row = locked(review)
    if row.submitted_at is not None or row.reminded_at is not None:
        raise ChangedMeanwhile("Told already.", about=row)
    if row.due_at > now():
        raise WrongState("This review is not overdue.", about=row)
    row.reminded_at = now()
    row.save(update_fields=["reminded_at"])
    tell_of(by, row, rules.pool_of(row), OVERDUE_KIND)
