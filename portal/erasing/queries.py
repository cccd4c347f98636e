"""Legal holds and erasures, as administrators and auditors see them."""

from uuid import UUID

from django.db.models import QuerySet

from portal.access_requests.models import AccessRequest
from portal.eligibility.models import ADMINISTRATOR, AUDITOR
from portal.eligibility.queries import holds
from portal.erasing.models import Erasure, LegalHold
from portal.erasing.states import CONFIRMED, LIFTED
from portal.people.models import Person


def may_see(viewer: Person) -> bool:
    """Administrators and auditors of everything."""
    return holds(viewer.pk, ADMINISTRATOR) or holds(viewer.pk, AUDITOR)


def visible_holds(viewer: Person) -> QuerySet[LegalHold]:
    """All of them, the newest first; none for others."""
    rows = LegalHold.objects.select_related("person", "case__system", "set_by", "lift_asked_by", "lifted_by")
    return rows if may_see(viewer) else rows.none()


def visible_erasures(viewer: Person) -> QuerySet[Erasure]:
    """All of them, the newest first; none for others."""
    rows = Erasure.objects.select_related("person", "asked_by", "confirmed_by")
    return rows if may_see(viewer) else rows.none()


def hold(viewer: Person, pk: UUID) -> LegalHold | None:
    """One of them."""
    return visible_holds(viewer).filter(pk=pk).first()


def erasure(viewer: Person, pk: UUID) -> Erasure | None:
    """One of them."""
    return visible_erasures(viewer).filter(pk=pk).first()


def hold_for_act(pk: UUID) -> LegalHold | None:
    """For acts only: the act itself says who may."""
    return LegalHold.objects.filter(pk=pk).first()


def erasure_for_act(pk: UUID) -> Erasure | None:
    """For acts only: the act itself says who may."""
    return Erasure.objects.filter(pk=pk).first()


def case_for_act(pk: UUID) -> AccessRequest | None:
    """For acts only: the act itself says who may."""
    return AccessRequest.objects.filter(pk=pk).first()


def confirmed() -> list[Erasure]:
    """What is to be carried out, the oldest first."""
    return list(Erasure.objects.filter(state=CONFIRMED).select_related("person").order_by("confirmed_at"))


def hold_on_person(person_id: UUID, using: str = "default") -> LegalHold | None:
    """The hold in force on a person."""
    return LegalHold.objects.using(using).exclude(state=LIFTED).filter(person_id=person_id).first()
