"""Resets of second factors, as a viewer may see them."""

from uuid import UUID

from django.db.models import Q, QuerySet

from portal.eligibility.models import OWNER
from portal.eligibility.queries import role_names
from portal.people.models import FactorReset, Person
from portal.people.reset_states import PROPOSED
from portal.people.rights import ADMINISTER


def _seconds(viewer: Person, roles: frozenset[str] | None = None) -> bool:
    return OWNER in (role_names(viewer.pk) if roles is None else roles) or viewer.has_perm(ADMINISTER)


def visible_reset(viewer: Person, pk: UUID) -> FactorReset | None:
    """For the person, administrators and owners."""
    shown = FactorReset.objects.select_related("person", "proposed_by", "approved_by").filter(pk=pk)
    return (shown if _seconds(viewer) else shown.filter(person=viewer)).first()


def reset_for_act(pk: UUID) -> FactorReset | None:
    """For acts only: the act itself says who may."""
    return FactorReset.objects.filter(pk=pk).first()


def resets_waiting_for(viewer: Person, roles: frozenset[str]) -> QuerySet[FactorReset]:
    """Proposals on which the viewer may decide."""
    waiting = FactorReset.objects.filter(state=PROPOSED).exclude(Q(person=viewer) | Q(proposed_by=viewer))
    return waiting.select_related("person", "proposed_by") if _seconds(viewer, roles) else waiting.none()
