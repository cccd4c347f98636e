"""What a use leaves to be done by a time: reviews, changes that go back into change control, the privacy decision, the notice of a breach."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.urls import reverse

from portal.calendars.entries import MOST, Entry
from portal.people.models import Person
from portal.reviews.aftermath import CHANGES, change_due, decision_due
from portal.reviews.models import Review
from portal.reviews.queries import all_of, visible
from portal.reviews.states import SUBMITTED


def entries(viewer: Person) -> Iterable[Entry]:
    """Of all systems that the viewer reviews, owns, administers or audits. Four queries."""
    yield from _reviews(viewer)
    over = visible(viewer).filter(grant__ended_at__isnull=False).order_by("-grant__ended_at")
    yield from _changes(over)
    yield from _privacy(over)


def _reviews(viewer: Person) -> Iterable[Entry]:
    for review in all_of(viewer, done=False)[:MOST]:
        use = "a use" if review.grant else "a use of offline cards"
        what, path = f"Review {use} of {review.request.system.name}", reverse("review_page", args=[review.pk])
        yield Entry(f"review-{review.pk}", review.owed_at, "Review", what, path)


def _changes(over: QuerySet[Review]) -> Iterable[Entry]:
    """Where the responder meant to change something, until a change record is named or the review has answered whether there is one (question 8)."""
    for review in over.exclude(state=SUBMITTED).filter(change_records__isnull=True)[:MOST]:
        due_at = change_due(review)
        if due_at is not None and set(review.request.intended_classes) & set(CHANGES):
            what = f"Take the changes of a use of {review.request.system.name} back into change control"
            yield Entry(f"change-{review.pk}", due_at, "Change", what, _after(review))


def _privacy(over: QuerySet[Review]) -> Iterable[Entry]:
    """Of systems with personal data, until it is decided; a breach, until it is notified."""
    for review in over.filter(request__system__personal_data=True, privacy__isnull=True)[:MOST]:
        due_at = decision_due(review)
        if due_at is not None:
            yield Entry(
                f"privacy-{review.pk}", due_at, "Privacy", f"Decide on privacy after a use of {review.request.system.name}", _after(review)
            )  # fmt: skip
    told = over.filter(privacy__notice_due_at__isnull=False, privacy__notified_at__isnull=True)
    for review in told.select_related("privacy")[:MOST]:
        due_at = review.privacy.notice_due_at
        if due_at is not None:
            yield Entry(
                f"notice-{review.pk}",
                due_at,
                "Privacy",
                f"Notify the breach of {review.request.system.name}",
                _after(review),
            )


def _after(review: Review) -> str:
    return reverse("review_after", args=[review.pk])
