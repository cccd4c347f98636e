"""Who is told of a review, and what; each within the caller's action."""

from collections.abc import Sequence

from audit.log.append import Actor
from portal.access_requests.alerting import Recipients, recipients
from portal.access_requests.facts import who_where_what
from portal.clock import now
from portal.eligibility.queries import owner_told
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.policy.alerts import OVERDUE
from portal.policy.queries import rules_of
from portal.reviews import leave
from portal.reviews.models import Review

NOBODY = "Nobody can review a use"
OVERDUE_KIND = "review.overdue"


def tell_pool(by: Actor, review: Review, pool: Sequence[Person]) -> None:
    """A review waits: tell all who may take it and are here, but who gives it back themselves; where nobody may, the owner."""
    system, others = review.request.system, [person for person in pool if str(person.pk) != by.id]
    tell_of(by, review, leave.here(others, system), "review.due")
    if not pool:
        sentence = f"Every reviewer of {system.name} had a part in it, or judged it first, or there is none. Give the role to somebody else."
        tell_owner(by, review, NOBODY, sentence)


def tell_of(by: Actor, review: Review, people: Sequence[Person], kind: str) -> None:
    """Queue alerts of one kind about a review."""
    request = review.request
    tell(
        by=by, **(overdue_to(review, people) if kind == OVERDUE_KIND else Recipients(people=list(people), addresses=())), kind=kind,
        case=review.log_case, about=review.log_subject, path=review.path, grant_id=review.grant_id,
        facts={**who_where_what(request), "due_at": review.owed_at, "mode": request.mode, "second": review.second or None},
    )  # fmt: skip


def overdue_to(review: Review, people: Sequence[Person]) -> Recipients:
    """Who is told that a review is overdue: who owes it, the owner, and whom the policy adds; never the responder."""
    request = review.request
    return recipients(OVERDUE, rules_of(request.policy), request.system, responder=request.responder, also=people)


def tell_given_next(by: Actor, review: Review, before: Person | None) -> None:
    """It went to the next reviewer: that one, who had it, the owner and whom the policy adds are told."""
    people = [person for person in (review.holder, before) if person is not None]
    tell(
        by=by, **overdue_to(review, list(dict.fromkeys(people))), kind="review.given_next", case=review.log_case, about=review.log_subject,
        path=review.path, grant_id=review.grant_id,
        facts={
            **who_where_what(review.request), "due_at": review.owed_at, "to": review.holder.name if review.holder else "",
            "before": before.name if before else "",
        },
    )  # fmt: skip


def tell_owner(by: Actor, review: Review, title: str, sentence: str) -> None:
    """Something that the owner of the system has to see to."""
    system = review.request.system
    tell(
        by=by, people=owner_told(system), kind="system.problem", case=review.log_case, about=review.log_subject, path=review.path,
        grant_id=review.grant_id, facts={"title": title, "sentence": sentence, "system": system.name, "at": now()},
    )  # fmt: skip
