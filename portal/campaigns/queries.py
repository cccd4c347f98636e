"""Attestations as a viewer may see them, and what a sweep must do."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When

from portal.campaigns import rules
from portal.campaigns.lapsing import owed_when_due, still_owed
from portal.campaigns.lists import LISTS
from portal.campaigns.models import Campaign, Duty, Item
from portal.campaigns.signals import Judged
from portal.campaigns.states import CLOSED, ITEM_STATES, KEPT, MODIFIED, OPEN, REVOKED, UNDECIDED
from portal.campaigns.subjects import SUBJECTS
from portal.campaigns.weighing import PLAIN, RISKS
from portal.clock import ms
from portal.eligibility.models import ADMINISTRATOR, AUDITOR, OWNER, REVIEWER, RoleAssignment
from portal.eligibility.queries import holds, holds_for_all, systems_where
from portal.grants.models import Grant
from portal.people.models import Person
from portal.people.rights import MANAGE
from portal.sealed.queries import systems_with_accounts
from portal.systems.models import System

READERS = (OWNER, ADMINISTRATOR, REVIEWER, AUDITOR)
SHOWS = ("mine", "nobody", "others", "decided")
OF_LINE = ("person", "reviewer", "owner", "decided_by", "removal_asked_by")
RELATED = ("campaign__system__owner", *OF_LINE)


def visible(viewer: Person) -> QuerySet[Campaign]:
    """Attestations of systems that the viewer owns, administers, reviews or audits, and those with a line put to them."""
    waits = Q(items__state=UNDECIDED)
    return _seen_by(viewer).annotate(
        lines=Count("items"),
        undecided=Count("items", filter=waits),
        yours=Count("items", filter=waits & Q(items__reviewer=viewer)),
        nobodys=Count("items", filter=waits & Q(items__reviewer__isnull=True, items__owner=viewer)),
    )


def _seen_by(viewer: Person) -> QuerySet[Campaign]:
    """The same, without counting their lines."""
    mine = Exists(
        Item.objects.filter(Q(reviewer=viewer) | Q(reviewer__isnull=True, owner=viewer), campaign=OuterRef("pk"))
    )
    seen = _of_their_systems(viewer) | mine
    return Campaign.objects.filter(seen).select_related("system__owner", "duty", "closed_by")


def _of_their_systems(viewer: Person) -> Q:
    """What is about a system that the viewer may see; about all systems, for who administers or audits all."""
    seen = Q(system__in=systems_where(viewer.pk, READERS)) | Q(system__owner=viewer)
    return seen | Q(system__isnull=True) if holds_for_all(viewer.pk, (ADMINISTRATOR, AUDITOR)) else seen


def open_ones(viewer: Person) -> list[Campaign]:
    """What is open, the first due first."""
    return list(visible(viewer).filter(state=OPEN).order_by("due_at"))


def waiting_for(viewer: Person) -> list[Campaign]:
    """Open ones with lines that the viewer is to decide or to find somebody for, and those that are all decided and which the viewer is to close."""
    manages = Q(system__owner=viewer) | Q(system__in=systems_where(viewer.pk, (OWNER, ADMINISTRATOR)))
    if holds_for_all(viewer.pk, (ADMINISTRATOR,)):
        manages |= Q(system__isnull=True)
    waits = Q(yours__gt=0) | Q(nobodys__gt=0) | (Q(undecided=0) & manages)
    return list(visible(viewer).filter(waits, state=OPEN).order_by("due_at", "pk"))


def closed_ones(viewer: Person) -> QuerySet[Campaign]:
    """What is closed, newest first."""
    return visible(viewer).filter(state=CLOSED).order_by("-closed_at")


def duties_of(viewer: Person) -> list[Duty]:
    """What is owed next, for each system that the viewer may see."""
    rows = Duty.objects.filter(_of_their_systems(viewer), campaign__isnull=True)
    return still_owed(rows.select_related("system").order_by("due_at"))


def startable_by(viewer: Person) -> list[tuple[System | None, str]]:
    """Lists that the viewer may begin to attest: of systems in scope that they administer, and of all; those that are not open."""
    systems = systems_where(viewer.pk, (ADMINISTRATOR,)).filter(in_scope_to__isnull=True).order_by("name")
    open_now = set(Campaign.objects.filter(state=OPEN).values_list("system_id", "kind"))
    scopes: list[System | None] = [*systems, *([None] if holds_for_all(viewer.pk, (ADMINISTRATOR,)) else [])]
    return _lists_of(scopes, open_now)


def _lists_of(
    scopes: Iterable[System | None], without: Collection[tuple[UUID | None, str]]
) -> list[tuple[System | None, str]]:
    """Each list that there is of one of the systems, or of all of them, but for some."""
    sealed = systems_with_accounts()
    return [
        (system, each.kind)
        for system in scopes
        for each in LISTS.values()
        if (each.of_all if system is None else not each.of_accounts or system.pk in sealed)
        and (system.pk if system else None, each.kind) not in without
    ]


def systems_for_act() -> QuerySet[System]:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return System.objects.select_related("owner")


def campaign_for(viewer: Person, pk: UUID) -> Campaign | None:
    """One that the viewer may see."""
    return _seen_by(viewer).filter(pk=pk).first()


def campaign_for_act(pk: UUID) -> Campaign | None:
    """As `systems_for_act`."""
    return Campaign.objects.select_related("system__owner").filter(pk=pk).first()


def items_of(
    campaign: Campaign, viewer: Person, *, show: str = "", risk: str = "", words: str = ""
) -> QuerySet[Item, UUID]:
    """Keys of its lines: the viewer's own first, then those that nobody has, those of others, the decided ones; each by name.

    ``show``: one of `SHOWS`; ``risk``: one of `RISKS`; ``words``: a part of the label.
    """
    order = Case(
        When(state=UNDECIDED, reviewer=viewer, then=0), When(state=UNDECIDED, reviewer__isnull=True, then=1),
        When(state=UNDECIDED, then=2), default=3,
    )  # fmt: skip
    rows = Item.objects.filter(campaign=campaign).annotate(place=order)
    if show in SHOWS:
        rows = rows.filter(place=SHOWS.index(show))
    if risk in RISKS:
        rows = rows.filter(facts__risk=risk)
    if words:
        rows = rows.filter(label__icontains=words)
    return rows.order_by("place", "subject_kind", "label", "pk").values_list("pk", flat=True)


def whole(campaign: Campaign, pks: Iterable[UUID]) -> list[Item]:
    """The campaign's lines of these keys with all that a page shows of them, in their order. The campaign itself is not read again."""
    keys = list(pks)
    found = Item.objects.filter(campaign=campaign).select_related(*OF_LINE).in_bulk(keys)
    lines = [found[key] for key in keys if key in found]
    for line in lines:
        line.campaign = campaign
    return lines


@dataclass(frozen=True)
class Progress:
    """How far one judge is: ``person`` is ``None`` for lines that nobody has."""

    person: str | None
    total: int
    decided: int
    key: str = ""


def progress_of(campaign: Campaign) -> list[Progress]:
    """Each judge's lines, by name; those of nobody first. One question."""
    rows = Item.objects.filter(campaign=campaign).order_by("reviewer__name").values_list("reviewer", "reviewer__name")
    counted = rows.annotate(lines=Count("pk"), decided_lines=Count("pk", filter=~Q(state=UNDECIDED)))
    found = [Progress(name, total, decided, f"progress-{person}") for person, name, total, decided in counted]
    return sorted(found, key=lambda each: (each.person is not None, each.person or ""))


def counts_of(campaign: Campaign, viewer: Person) -> dict[str, int]:
    """How many lines are in each state, for the viewer (``mine``), and of each risk among the viewer's. One question."""
    waits = Q(state=UNDECIDED)
    found = Item.objects.filter(campaign=campaign).aggregate(
        **{state: Count("pk", filter=Q(state=state)) for state in ITEM_STATES},
        nobody=Count("pk", filter=waits & Q(reviewer__isnull=True)),
        mine=Count("pk", filter=waits & Q(reviewer=viewer)),
        **{f"mine_{risk}": Count("pk", filter=waits & Q(reviewer=viewer, facts__risk=risk)) for risk in RISKS},
    )
    return {name: int(number) for name, number in found.items()}


def asked_ends(lines: Iterable[UUID]) -> dict[UUID, datetime]:
    """The new end that somebody asked for at these lines, where they wait for a second person."""
    asked = Item.objects.filter(pk__in=list(lines), removal_asked_to_at__isnull=False)
    return {each.pk: each.removal_asked_to_at for each in asked.only("removal_asked_to_at") if each.removal_asked_to_at}


def chosen_of(viewer: Person, campaign: Campaign, pks: Iterable[UUID]) -> list[Item]:
    """Those of the lines that wait for the viewer."""
    rows = Item.objects.filter(campaign=campaign, pk__in=list(pks), reviewer=viewer, state=UNDECIDED)
    return list(rows.order_by("label"))


def item_for(viewer: Person, pk: UUID) -> Item | None:
    """A line of a campaign that the viewer may see."""
    found = item_for_act(pk)
    return found if found is not None and campaign_for(viewer, found.campaign_id) is not None else None


def uses_of(item: Item, limit: int = 20) -> list[Grant]:
    """What was opened on the strength of the right, newest first."""
    rows = SUBJECTS[item.subject_kind].uses(item).filter(opened_at__isnull=False)
    return list(rows.select_related("request", "privilege", "person").order_by("-opened_at")[:limit])


def before(item: Item) -> list[Item]:
    """How it was attested earlier, newest first."""
    same = Item.objects.filter(subject_kind=item.subject_kind, subject=item.subject, decided_at__isnull=False)
    rows = same.exclude(pk=item.pk).filter(campaign__snapshot_at__lte=item.campaign.snapshot_at)
    return list(rows.select_related("decided_by").order_by("-decided_at")[:10])


def judged_of(campaign: Campaign) -> list[Judged]:
    """Each decided line as the figures on judges take it."""
    rows = Item.objects.filter(campaign=campaign, decided_at__isnull=False).order_by("decided_at", "pk")
    return [
        Judged(
            str(row.decided_by_id), ms(row.shown_at or row.decided_at), ms(row.decided_at), row.state == KEPT, row.reason,
            row.facts.get("risk", PLAIN), row.opened_at is not None, str(row.bulk or ""),
        )
        for row in rows
        if row.decided_at is not None
    ]  # fmt: skip


def sees_judging(viewer: Person, campaign: Campaign) -> bool:
    """Whether figures on judges are shown to the viewer: who manages the list, and auditors."""
    manages = viewer.has_perm(MANAGE, campaign.system)
    return manages or holds(viewer.pk, AUDITOR, campaign.system)


def names_of(people: Iterable[str]) -> dict[str, str]:
    """Names by pseudonym."""
    return {str(pk): name for pk, name in Person.objects.filter(pk__in=set(people)).values_list("pk", "name")}


def item_for_act(pk: UUID) -> Item | None:
    """As `systems_for_act`."""
    return Item.objects.select_related(*RELATED).filter(pk=pk).first()


def unseen(viewer: Person, items: Iterable[Item]) -> list[Item]:
    """Those of the lines that stand before the viewer for the first time."""
    return [
        each for each in items if each.reviewer_id == viewer.pk and each.state == UNDECIDED and each.shown_at is None
    ]


# --- what is due


def without_duty(at: datetime) -> list[tuple[System | None, str]]:
    """Lists with nothing owed that lies ahead: of systems in scope, of their sealed accounts where they have some, and of all systems once
    somebody holds a role for all.
    """
    waiting = still_owed(Duty.objects.filter(due_at__gt=at).exclude(campaign__state=CLOSED))
    ahead = {(duty.system_id, duty.subject_kind) for duty in waiting}
    in_scope = Q(in_scope_to__isnull=True) | Q(in_scope_to__gt=at)
    scopes: list[System | None] = list(System.objects.filter(in_scope, in_scope_from__lte=at).order_by("name"))
    if RoleAssignment.objects.filter(system__isnull=True, approved_at__isnull=False, from_at__lte=at).exists():
        scopes.append(None)
    return _lists_of(scopes, ahead)


def to_begin(at: datetime) -> list[Duty]:
    """What is to begin and has not: of each list the newest, unless one is open. Older ones stay as missed."""
    in_scope = Q(system__isnull=True) | Q(system__in_scope_to__isnull=True)
    begun = Duty.objects.filter(in_scope, starts_at__lte=at)
    newest = begun.order_by("system_id", "subject_kind", "-due_at").distinct("system_id", "subject_kind").values("pk")
    rows = Duty.objects.filter(pk__in=newest, campaign__isnull=True).select_related("system__owner").order_by("due_at")
    open_now = set(Campaign.objects.filter(state=OPEN).values_list("system_id", "kind"))
    return [duty for duty in still_owed(rows) if (duty.system_id, duty.subject_kind) not in open_now]


def to_miss(at: datetime) -> list[Duty]:
    """What was not done by its time, and nobody has said so; also where it was done since."""
    rows = Duty.objects.filter(due_at__lt=at, missed_at__isnull=True).exclude(campaign__closed_at__lte=F("due_at"))
    return owed_when_due(rows.select_related("system").order_by("due_at"))


def to_reassign() -> list[Campaign]:
    """Open ones with a line whose judge may not judge it any longer, or with one that nobody has and somebody could have."""
    rows = Campaign.objects.filter(state=OPEN, items__state=UNDECIDED).distinct().select_related("system__owner")
    return [each for each in rows if _is_homeless(each)]


def _is_homeless(campaign: Campaign) -> bool:
    attesters = {str(each.pk) for each in rules.attesters(campaign.system)}
    items = list(Item.objects.filter(campaign=campaign, state=UNDECIDED))
    out = rules.concerned_in_each(items)
    return any(
        (attesters - out[item.pk])
        if item.reviewer_id is None
        else str(item.reviewer_id) not in attesters - out[item.pk]
        for item in items
    )


def to_remind(*, of_nobody: bool = False) -> list[Campaign]:
    """Open ones with undecided lines that somebody is to decide; ``of_nobody``: with such that nobody may."""
    waits = Q(items__state=UNDECIDED, items__reviewer__isnull=of_nobody)
    return list(Campaign.objects.filter(waits, state=OPEN).distinct())


def to_remove() -> list[UUID]:
    """Lines whose removal was not shown yet by the target, or by the portal's own rows. Those of a system that is out of scope are looked at as well."""
    rows = Item.objects.filter(state__in=[REVOKED, MODIFIED]).exclude(access_present=False)
    theirs = [each.name for each in SUBJECTS.values() if not each.found]
    return list(
        rows.filter(Q(subject_kind__in=theirs) | Q(state=REVOKED)).order_by("decided_at").values_list("pk", flat=True)
    )
