"""Lost ranges of the log, as administrators and auditors see them."""

from uuid import UUID

from django.db.models import QuerySet

from portal.eligibility.models import ADMINISTRATOR, AUDITOR
from portal.eligibility.queries import holds
from portal.lost.models import LostRange
from portal.people.models import Person


def may_see(viewer: Person) -> bool:
    """Administrators and auditors of everything."""
    return holds(viewer.pk, ADMINISTRATOR) or holds(viewer.pk, AUDITOR)


def visible_ranges(viewer: Person) -> QuerySet[LostRange]:
    """All of them, the newest first; none for others."""
    rows = LostRange.objects.select_related("reported_by", "signed_by")
    return rows if may_see(viewer) else rows.none()


def lost_range(viewer: Person, pk: UUID) -> LostRange | None:
    """One of them."""
    return visible_ranges(viewer).filter(pk=pk).first()


def range_for_act(pk: UUID) -> LostRange | None:
    """For acts only: the act itself says who may."""
    return LostRange.objects.filter(pk=pk).first()
