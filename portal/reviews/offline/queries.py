"""Reviews of uses of offline cards, as a viewer may see them, and those that are overdue."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from audit.log.read import of_case
from portal.clock import moment
from portal.eligibility.models import REVIEWER
from portal.eligibility.queries import systems_where
from portal.people.models import Person
from portal.reviews.offline.models import OfflineReview
from portal.reviews.queries import READERS

RELATED = (
    "request__responder", "request__system__owner", "request__privilege", "request__policy", "reviewer", "of_set__account__custodian",
    "of_set__account__second_custodian",
)  # fmt: skip


def visible(viewer: Person) -> QuerySet[OfflineReview]:
    """As reviews of grants: of systems that the viewer reviews, owns, administers or audits."""
    systems = systems_where(viewer.pk, READERS)
    seen = Q(request__system__in=systems) | Q(request__system__owner=viewer)
    return OfflineReview.objects.filter(seen).select_related(*RELATED)


def listed(viewer: Person) -> QuerySet[OfflineReview]:
    """What is open first, then the newest."""
    return visible(viewer).order_by(F("submitted_at").desc(nulls_first=True), "due_at", "pk")


def open_ones(viewer: Person) -> list[OfflineReview]:
    """What is open, whoever is to review it. One query."""
    return list(listed(viewer).filter(submitted_at__isnull=True))


def due_for(viewer: Person) -> list[OfflineReview]:
    """What is open and waits for a review by the viewer: one who keeps or used the account is not asked. One query."""
    mine = OfflineReview.objects.filter(
        submitted_at__isnull=True, request__system__in=systems_where(viewer.pk, (REVIEWER,))
    )
    part = (
        Q(request__responder=viewer)
        | Q(of_set__account__custodian=viewer)
        | Q(of_set__account__second_custodian=viewer)
    )
    return list(mine.exclude(part).exclude(of_set__cards__custodian=viewer).select_related(*RELATED).order_by("due_at"))


def review_for(viewer: Person, pk: UUID) -> OfflineReview | None:
    """One that the viewer may see."""
    return visible(viewer).filter(pk=pk).first()


def review_for_act(pk: UUID) -> OfflineReview | None:
    """For the act alone, which says who may."""
    return OfflineReview.objects.select_related(*RELATED).filter(pk=pk).first()


def overdue(at: datetime) -> list[OfflineReview]:
    """Those that nobody was reminded of."""
    return list(OfflineReview.objects.filter(submitted_at__isnull=True, reminded_at__isnull=True, due_at__lte=at))


@dataclass(frozen=True)
class Declared:
    """What was declared, as the log has it; with the sessions that the target showed later."""

    from_at: datetime
    to_at: datetime
    sessions: tuple[str, ...]


def declared_in(review: OfflineReview) -> Declared | None:
    """``None`` where the log does not say it."""
    told = of_case(review.log_case, ["offline.used", "offline.sessions_bound"])
    said = next((each.fields for each in told if each.name == "offline.used"), None)
    if said is None:
        return None
    sessions = dict.fromkeys(session for each in told for session in each.fields["sessions"])
    return Declared(moment(said["from_at"]), moment(said["to_at"]), tuple(sessions))
