"""Grants as a viewer may see them, and what a sweep must do."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from portal.access_requests.queries import visible
from portal.eligibility.lending import decided_by
from portal.eligibility.models import ADMINISTRATOR, APPROVER, OWNER, Eligibility, RoleAssignment
from portal.eligibility.queries import not_over, systems_where
from portal.grants.models import Extension, Grant
from portal.grants.states import ACTIVE, AUTHORISED, CLOSING, MAY_BE_LIVE, OPENING
from portal.people.models import Person, Sponsorship
from portal.sealed.models import SealedAccount
from portal.systems.models import Privilege, System

WARN_BEFORE = timedelta(minutes=5)
NOT_OVER = Q(state__in=[AUTHORISED, OPENING]) | Q(state__in=[OPENING, ACTIVE])  # as the two indexes have it
RELATED = ("request", "person", "system", "privilege", "request__policy")


def open_grants(viewer: Person) -> list[Grant]:
    """The viewer's own grants that are, or may be, open."""
    mine = Grant.objects.filter(person=viewer, state__in=[AUTHORISED, *MAY_BE_LIVE]).select_related(*RELATED)
    return list(mine.order_by("expires_at"))


def endable_by(viewer: Person) -> list[Grant]:
    """Grants of others that the viewer may end: as owner, approver or administrator of the system."""
    systems = systems_where(viewer.pk, (OWNER, APPROVER, ADMINISTRATOR))
    held = Grant.objects.filter(Q(system__in=systems) | Q(system__owner=viewer), state__in=MAY_BE_LIVE)
    return list(held.exclude(person=viewer).select_related(*RELATED).order_by("expires_at"))


def extensions_waiting_for(viewer: Person) -> list[Extension]:
    """Extensions on which the viewer may decide, as owner or by an approver's voice: none on leave, and none of who lent them the role."""
    owns = Q(system__in=systems_where(viewer.pk, (OWNER,))) | Q(system__owner=viewer)
    entitled = Grant.objects.filter(decided_by(viewer.pk, "person") | owns, state=ACTIVE).exclude(person=viewer)
    waiting = Extension.objects.filter(decision="", grant__in=entitled.values("pk"))
    around = ("grant__person", "grant__system", "grant__request", "grant__privilege")
    return list(waiting.select_related(*around).order_by("asked_at"))


def visible_grants(viewer: Person) -> QuerySet[Grant]:
    """Grants of requests that the viewer may see."""
    return Grant.objects.filter(request__in=visible(viewer).values("pk"))


def live_of(person_id: UUID | str, privilege: Privilege | None = None, system: System | None = None) -> QuerySet[Grant]:
    """A person's grants that are not over, of a privilege or system if one is named."""
    chosen = Grant.objects.filter(person_id=person_id, state__in=[AUTHORISED, OPENING, ACTIVE])
    if privilege is not None:
        chosen = chosen.filter(privilege=privilege)
    chosen = chosen.order_by("pk")  # who ends several locks them in one order
    return chosen.filter(system=system) if system is not None else chosen


def live_of_account(account: SealedAccount) -> QuerySet[Grant]:
    """Grants of a sealed account that are not over."""
    return Grant.objects.filter(account=account, state__in=[AUTHORISED, OPENING, ACTIVE]).order_by("pk")


def holding_beyond_contract(at: datetime) -> QuerySet[Person]:
    """People of other companies whose contract had ended by then, of whom a role, a place on a list or a grant is left. One query."""
    ended = Sponsorship.objects.filter(until_at__isnull=True, contract_end__lte=at)
    mine, left = {"person": OuterRef("pk")}, not_over()
    roles, lists = RoleAssignment.objects.filter(left, **mine), Eligibility.objects.filter(left, **mine)
    live = Grant.objects.filter(state__in=[AUTHORISED, OPENING, ACTIVE], **mine)
    chosen = Person.objects.filter(left_at__isnull=True, pk__in=ended.values("person"))
    return chosen.filter(Exists(roles) | Exists(lists) | Exists(live)).order_by("pk")


def not_over_on(system: System | None) -> QuerySet[Grant]:
    """Grants that are not over, of a system or of all."""
    chosen = Grant.objects.filter(NOT_OVER).order_by("pk")  # in the one order of all who end several
    return chosen.filter(system=system) if system is not None else chosen


def open_counts(systems: Iterable[System]) -> dict[UUID, int]:
    """How many accesses are not over on each of the systems; none where there is none. One query."""
    rows = Grant.objects.filter(NOT_OVER, system__in=list(systems)).order_by()
    return dict(rows.values_list("system_id").annotate(Count("pk")))


def open_modes(systems: QuerySet[System]) -> list[str]:
    """For each access that may be live on those systems, how it was asked for: approved or bypass."""
    return list(Grant.objects.filter(system__in=systems, state__in=MAY_BE_LIVE).values_list("request__mode", flat=True))


def on_stop_page(viewer: Person, met: QuerySet[Grant]) -> QuerySet[Grant]:
    """Of what an emergency stop met, that of requests which the viewer may see; what may still be live stands first."""
    seen = met.filter(request__in=visible(viewer).order_by().values("pk"))
    last = Case(When(state__in=MAY_BE_LIVE, then=Value(0)), default=Value(1))
    return seen.select_related("person", "system", "privilege").order_by(last, "authorised_at", "pk")


def due_to_expire(at: datetime, limit: int = 2000) -> list[UUID]:
    """Open grants whose time is over, and openings whose planned end has passed."""
    over = Q(state=ACTIVE, expires_at__lte=at) | Q(state=OPENING, planned_expires_at__lte=at)
    return list(Grant.objects.filter(over).order_by("expires_at").values_list("pk", flat=True)[:limit])


def due_to_try(at: datetime, limit: int = 2000) -> list[tuple[UUID, str]]:
    """Grants whose process must go on: what waits to open, and what is closing."""
    waiting = Grant.objects.filter(state__in=[AUTHORISED, OPENING, CLOSING]).filter(
        Q(next_try_at__lte=at) | Q(next_try_at__isnull=True)
    )
    return list(waiting.order_by("next_try_at").values_list("pk", "state")[:limit])


def open_of_who_left() -> list[UUID]:
    """Grants that are not over of people who left: leaving ends them, so this is what came to be beside it."""
    kept = Grant.objects.filter(NOT_OVER, person__left_at__isnull=False)
    return list(kept.order_by("pk").values_list("pk", flat=True))


def to_warn(at: datetime) -> list[Grant]:
    """Open grants that end within five minutes and whose responder was not warned."""
    soon = Grant.objects.filter(
        state=ACTIVE, warned_at__isnull=True, expires_at__lte=at + WARN_BEFORE, expires_at__gt=at
    )
    return list(soon.select_related(*RELATED))


def extensions_to_apply(at: datetime) -> list[UUID]:
    """Grants with an extension that the target does not carry yet, unless it was tried a moment ago."""
    given = Extension.objects.filter(decision="approve", applied_at__isnull=True, grant__state=ACTIVE).filter(
        Q(grant__next_try_at__lte=at) | Q(grant__next_try_at__isnull=True)
    )
    return list(given.values_list("grant_id", flat=True).distinct())
