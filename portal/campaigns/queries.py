"""Attestations as a viewer may see them, and what a sweep must do."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from portal.campaigns.lines import ELIGIBILITY
from portal.campaigns.models import Campaign, Duty, Item
from portal.campaigns.states import CLOSED, MODIFIED, OPEN, REVOKED, UNDECIDED
from portal.eligibility.models import ADMINISTRATOR, AUDITOR, OWNER, REVIEWER
from portal.eligibility.queries import systems_where
from portal.people.models import Person
from portal.systems.models import System

READERS = (OWNER, ADMINISTRATOR, REVIEWER, AUDITOR)
RELATED = ("campaign__system__owner", "person", "reviewer", "owner", "decided_by")


def visible(viewer: Person) -> QuerySet[Campaign]:
    """Attestations of systems that the viewer owns, administers, reviews or audits, and those with a line put to them."""
    mine = Exists(Item.objects.filter(campaign=OuterRef("pk"), reviewer=viewer))
    seen = Q(system__in=systems_where(viewer.pk, READERS)) | Q(system__owner=viewer) | mine
    waits = Q(items__state=UNDECIDED)
    counted = Campaign.objects.filter(seen).select_related("system__owner", "duty", "closed_by")
    return counted.annotate(
        lines=Count("items"),
        undecided=Count("items", filter=waits),
        yours=Count("items", filter=waits & Q(items__reviewer=viewer)),
    )


def open_ones(viewer: Person) -> list[Campaign]:
    """What is open, the first due first."""
    return list(visible(viewer).filter(state=OPEN).order_by("due_at"))


def waiting_for(viewer: Person) -> list[Campaign]:
    """Open ones with lines that the viewer is to decide, and those whose lines are all decided and which the viewer is to close."""
    manages = Q(system__owner=viewer) | Q(system__in=systems_where(viewer.pk, (OWNER, ADMINISTRATOR)))
    waits = Q(yours__gt=0) | (Q(undecided=0) & manages)
    return list(visible(viewer).filter(waits, state=OPEN).order_by("due_at", "pk"))


def closed_ones(viewer: Person) -> QuerySet[Campaign]:
    """What is closed, newest first."""
    return visible(viewer).filter(state=CLOSED).order_by("-closed_at")


def duties_of(viewer: Person) -> list[Duty]:
    """What is owed next, for each system that the viewer may see."""
    systems = systems_where(viewer.pk, READERS)
    rows = Duty.objects.filter(Q(system__in=systems) | Q(system__owner=viewer), campaign__isnull=True)
    return list(rows.select_related("system").order_by("due_at"))


def startable_by(viewer: Person) -> list[System]:
    """Systems in scope that the viewer administers and whose list is not being attested."""
    rows = systems_where(viewer.pk, (ADMINISTRATOR,)).filter(in_scope_to__isnull=True)
    return list(rows.exclude(campaigns__state=OPEN).order_by("name"))


def system_for_act(pk: UUID) -> System | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return System.objects.select_related("owner").filter(pk=pk).first()


def campaign_for(viewer: Person, pk: UUID) -> Campaign | None:
    """One that the viewer may see."""
    return visible(viewer).filter(pk=pk).first()


def campaign_for_act(pk: UUID) -> Campaign | None:
    """As `system_for_act`."""
    return Campaign.objects.select_related("system__owner").filter(pk=pk).first()


def items_of(campaign: Campaign) -> list[Item]:
    """Its lines, by name."""
    return list(Item.objects.filter(campaign=campaign).select_related(*RELATED).order_by("subject_kind", "label"))


def item_for_act(pk: UUID) -> Item | None:
    """As `system_for_act`."""
    return Item.objects.select_related(*RELATED).filter(pk=pk).first()


def unseen(viewer: Person, campaign: Campaign) -> bool:
    """Whether a line stands before the viewer for the first time."""
    return Item.objects.filter(campaign=campaign, reviewer=viewer, state=UNDECIDED, shown_at__isnull=True).exists()


# --- what is due


def without_duty(at: datetime) -> list[System]:
    """Systems in scope with nothing owed that lies ahead."""
    ahead = Duty.objects.filter(system=OuterRef("pk"), due_at__gt=at).exclude(campaign__state=CLOSED)
    in_scope = Q(in_scope_to__isnull=True) | Q(in_scope_to__gt=at)
    return list(System.objects.filter(in_scope, ~Exists(ahead), in_scope_from__lte=at).order_by("name"))


def to_begin(at: datetime) -> list[Duty]:
    """What is to begin and has not: of each system in scope the newest, unless one is open. Older ones stay as missed."""
    begun = Duty.objects.filter(starts_at__lte=at, system__in_scope_to__isnull=True).exclude(
        system__campaigns__state=OPEN
    )
    newest = begun.order_by("system_id", "-due_at").distinct("system_id").values("pk")
    rows = Duty.objects.filter(pk__in=newest, campaign__isnull=True).select_related("system__owner")
    return list(rows.order_by("due_at"))


def to_miss(at: datetime) -> list[Duty]:
    """What was not done by its time, and nobody has said so."""
    rows = Duty.objects.filter(due_at__lte=at, missed_at__isnull=True).exclude(campaign__closed_at__isnull=False)
    return list(rows.order_by("due_at"))


def to_remind() -> list[Campaign]:
    """Open ones with undecided lines."""
    return list(Campaign.objects.filter(state=OPEN, items__state=UNDECIDED).distinct())


def to_remove() -> list[UUID]:
    """Lines whose removal was not shown by the target yet. Those of a system that is out of scope are looked at as well."""
    rows = Item.objects.filter(state__in=[REVOKED, MODIFIED]).exclude(access_present=False)
    return list(
        rows.filter(Q(subject_kind=ELIGIBILITY) | Q(state=REVOKED)).order_by("decided_at").values_list("pk", flat=True)
    )
