"""Figures on those who judge, for owners: how long they looked against what reading takes, what they never opened, how often they found nothing.

Figures, never accusations: each is folded from the log, and each says of how many reviews it speaks (control test T-24 reads the same).
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from django.db.models import Q

from audit.log.read import LoggedEvent, of_cases
from portal.clock import now
from portal.eligibility.models import OWNER
from portal.eligibility.queries import systems_where
from portal.parameters import values
from portal.people.models import Person
from portal.reviews.models import Review

DAYS, MOST = 90, 1000


@dataclass
class Figures:
    """One reviewer's, over the last days. ``measured`` says how many of the reviews have a time."""

    name: str
    reviews: int = 0
    late: int = 0
    measured: int = 0
    shorter: int = 0
    skipped: int = 0
    without_findings: int = 0
    same_comment: int = 0
    ratios: list[float] = field(default_factory=list)

    @property
    def share_of_reading(self) -> int | None:
        """The middle review's time on screen, in percent of what reading takes; ``None`` where nothing was measured."""
        return round(median(self.ratios) * 100) if self.ratios else None

    @property
    def kept(self) -> int:
        """Percent of reviews without an adverse answer."""
        return round(100 * self.without_findings / self.reviews) if self.reviews else 0


def needed(actions: int) -> int:
    """Seconds that reading takes, as the catalogue counts."""
    least, each, most = (
        max(values(name)) for name in ("min_review_seconds", "per_action_seconds", "max_counted_actions")
    )
    return int(least + each * min(actions, most))


def figures_for(viewer: Person) -> list[Figures]:
    """Of those who reviewed uses of the viewer's systems in the last 90 days. Three queries."""
    owned = systems_where(viewer.pk, (OWNER,))
    rows = Review.objects.filter(
        Q(request__system__in=owned) | Q(request__system__owner=viewer), submitted_at__gte=now() - timedelta(days=DAYS)
    ).select_related("reviewer")  # fmt: skip
    reviews = {str(row.pk): row for row in rows.order_by("-submitted_at")[:MOST]}
    told = of_cases([row.log_case for row in reviews.values()], ["review.submitted", "offline.reviewed"])
    events = {event.fields["review_id"]: event for event in told}
    by_person: dict[str, list[Review]] = defaultdict(list)
    for row in reviews.values():
        by_person[str(row.reviewer_id)].append(row)
    found = [_figures(mine, [events.get(str(row.pk)) for row in mine]) for mine in by_person.values()]
    return sorted(found, key=lambda each: each.name)


def _figures(reviews: list[Review], events: list[LoggedEvent | None]) -> Figures:
    of = Figures(reviews[0].reviewer.name if reviews[0].reviewer else "", len(reviews))
    of.late = sum(row.was_late for row in reviews)
    for event in events:
        given = event.fields if event else {}
        of.without_findings += not given.get("adverse_answers")
        of.skipped += bool(given.get("evidence_skipped"))
        if given.get("active_seconds") is not None:
            of.measured += 1
            of.ratios.append(given["active_seconds"] / needed(given.get("activities_seen", 0)))
    of.shorter = sum(ratio < 1 for ratio in of.ratios)
    words = Counter(said["comment"].casefold() for row in reviews for said in row.answers.values() if said["comment"])
    of.same_comment = max(words.values(), default=0)
    return of
