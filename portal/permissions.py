"""Who may look at what: the rules behind ``has_perm`` that audit's pages ask. Acts have their own checks in their actions."""

from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.db.models import Q, QuerySet

from portal.access_requests.models import AccessRequest
from portal.campaigns.queries import campaign_for
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, OWNER, REVIEWER
from portal.eligibility.queries import holds, keeps_systems, systems_where
from portal.people.models import Person
from portal.systems.models import System

READERS_OF_A_CASE = (AUDITOR, OWNER, REVIEWER, APPROVER, ADMINISTRATOR)
SYSTEM_RULES = {"audit.view_system": READERS_OF_A_CASE, "audit.make_pack": (AUDITOR,)}


class RolesBackend(BaseBackend):
    """Answers from roles in force: the permissions of ``RULES``, named after the app that asks."""

    def has_perm(self, user_obj: object, perm: str, obj: object = None) -> bool:
        """Whether the person has the permission; unknown ones nobody has."""
        rule = RULES.get(perm)
        return bool(rule and isinstance(user_obj, Person) and user_obj.is_active and rule(user_obj, obj))

    def systems_with_perm(self, user_obj: object, perm: str) -> frozenset[str]:
        """Ids of the systems for which the person has one of ``SYSTEM_RULES``: for lists, in one question."""
        roles = SYSTEM_RULES.get(perm)
        if roles is None or not isinstance(user_obj, Person) or not user_obj.is_active:
            return frozenset()
        return frozenset(str(pk) for pk in _systems(user_obj, roles).values_list("pk", flat=True))


def _systems(person: Person, roles: tuple[str, ...]) -> QuerySet[System]:
    """Those for which the person holds one of the roles; who is named as a system's owner is an owner."""
    held = systems_where(person.pk, roles)
    return System.objects.filter(Q(pk__in=held.values("pk")) | Q(owner=person)) if OWNER in roles else held


def _view_case(person: Person, case: object) -> bool:
    request = AccessRequest.objects.filter(pk=str(case)).select_related("system").first()
    if request is None:
        return holds(person.pk, AUDITOR)
    if request.responder_id == person.pk or request.approvals.filter(approver=person).exists():
        return True
    return _view_system(person, request.system)


def _view_campaign(person: Person, campaign: object) -> bool:
    return campaign_for(person, UUID(str(campaign))) is not None


def _view_all(person: Person, _: object) -> bool:
    return holds(person.pk, AUDITOR)


def _view_system(person: Person, system: object) -> bool:
    pk = system.pk if isinstance(system, System) else str(system)
    return _systems(person, READERS_OF_A_CASE).filter(pk=pk).exists()


def _make_pack(person: Person, system: object) -> bool:
    if isinstance(system, System | None):
        return holds(person.pk, AUDITOR, system)
    found = System.objects.filter(pk=str(system)).first()
    return found is not None and holds(person.pk, AUDITOR, found)


def _view_status(person: Person, _: object) -> bool:
    return keeps_systems(person.pk)


def _administer(person: Person, about: object) -> bool:
    return holds(person.pk, ADMINISTRATOR, about if isinstance(about, System) else None)


def _manage(person: Person, about: object) -> bool:
    if not isinstance(about, System):
        return holds(person.pk, ADMINISTRATOR)
    return about.owner_id == person.pk or any(holds(person.pk, role, about) for role in (ADMINISTRATOR, OWNER))


def _narrow(person: Person, about: object) -> bool:
    return _manage(person, about) or (isinstance(about, System) and holds(person.pk, REVIEWER, about))


RULES = {
    "portal.administer": _administer,
    "portal.manage": _manage,
    "portal.narrow": _narrow,
    "audit.view_case": _view_case,
    "audit.view_campaign": _view_campaign,
    "audit.view_all": _view_all,
    "audit.view_system": _view_system,
    "audit.make_pack": _make_pack,
    "audit.view_status": _view_status,
}
