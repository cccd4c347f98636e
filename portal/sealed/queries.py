"""Sealed accounts as a viewer may see them, and what is owed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Prefetch, Q, QuerySet

from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, CUSTODIAN, OWNER, REVIEWER
from portal.eligibility.queries import holds, may_use, people_with, role_names, systems_where
from portal.people.models import Person
from portal.sealed.models import CARDS, CONNECTOR, SHOWN, OfflineCard, OfflineSet, Rotation, SealedAccount
from portal.sealed.standing import OPENED, again, standing, unkept
from portal.sealed.states import COMING, DONE, IN_USE, MADE, OUT, OWED, PROPOSED, RETIRED, TO_PRINT
from portal.systems.models import Privilege, System

LAST_RESORT, NOT_PRINTED, NO_LAST_RESORT = "ready", "not printed", "none"
READERS = (ADMINISTRATOR, OWNER, CUSTODIAN, AUDITOR, APPROVER, REVIEWER)
AROUND = ("system__owner", "privilege", "custodian", "second_custodian", "held_by", "proposed_by", "decided_by")


def visible(viewer: Person) -> QuerySet[SealedAccount]:
    """Accounts of systems that the viewer has a part in, and those that they keep; each with how it stands (`portal/sealed/standing.py`)."""
    part = (
        Q(system__in=systems_where(viewer.pk, READERS))
        | Q(system__owner=viewer)
        | Q(custodian=viewer)
        | Q(second_custodian=viewer)
    )
    return SealedAccount.objects.filter(part).select_related(*AROUND).annotate(standing=standing())


def register(viewer: Person) -> list[SealedAccount]:
    """All that the viewer may see, with the rotations that are not done. Two queries."""
    open_ones = Prefetch("rotations", Rotation.objects.exclude(state=DONE).order_by("due_at"), to_attr="undone")
    return list(visible(viewer).prefetch_related(open_ones).order_by("system__name", "name"))


def account_of(viewer: Person, pk: UUID) -> SealedAccount | None:
    """One that the viewer may see."""
    return visible(viewer).filter(pk=pk).first()


def account_for_act(pk: UUID) -> SealedAccount | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return SealedAccount.objects.select_related(*AROUND).annotate(standing=standing()).filter(pk=pk).first()


def locked(pk: UUID) -> SealedAccount:
    """An account, locked until the caller's transaction ends, with what an act on it needs to know.

    Its custodians are read afterwards: joined to the row as it was before it was waited for, one who was named meanwhile would hide it.
    """
    rows = SealedAccount.objects.select_for_update(of=("self",))
    return rows.select_related("system__owner").get(pk=pk)


def rotations_of(account: SealedAccount, most: int = 20) -> list[Rotation]:
    """The newest first."""
    return list(account.rotations.order_by("-owed_at")[:most])


def duties_of(viewer: Person) -> list[Rotation]:
    """New secrets and login tests that wait for the viewer as custodian, the most urgent first. One query."""
    mine = Rotation.objects.exclude(state=DONE).filter(account__custodian=viewer, account__state__in=IN_USE)
    return list(mine.select_related("account__system").order_by("due_at"))


def undone_of(account: SealedAccount) -> QuerySet[Rotation]:
    """What is owed of one account, or not tested."""
    return Rotation.objects.filter(account=account).exclude(state=DONE).order_by("owed_at")


def shown_and_valid(account: SealedAccount) -> list[Rotation]:
    """New secrets that are owed because somebody who does not hold the account knows the one that lies here."""
    return list(undone_of(account).filter(state=OWED, cause__in=SHOWN))


def sealed_in(privilege: Privilege) -> SealedAccount | None:
    """The account behind a privilege, if it is one, whatever its state; of several that were put under seal one after the other the newest."""
    return SealedAccount.objects.filter(privilege=privilege).order_by("-decided_at").first()


def left_by_retired(system: System, account: str) -> Privilege | None:
    """The privilege of an account that is out of use: who may ask for it, and what it was used for, goes on with the next account of that name."""
    known = Privilege.objects.filter(system=system, on_target=account).first()
    before = sealed_in(known) if known else None
    return known if before is not None and before.state == RETIRED else None


def systems_with_accounts() -> set[UUID]:
    """Systems with an account in use."""
    return set(SealedAccount.objects.filter(state__in=IN_USE).order_by().values_list("system_id", flat=True).distinct())


def drilled_last(accounts: Iterable[UUID]) -> dict[UUID, datetime]:
    """When the cards of each account were last tried out; those of which none ever were are left out."""
    rows = OfflineSet.objects.filter(account__in=list(accounts), drilled_at__isnull=False).order_by()
    return dict(rows.values_list("account_id").annotate(Max("drilled_at")))


def in_use_on(system: System) -> list[SealedAccount]:
    """The register of one system, as a listing is held against it."""
    return list(SealedAccount.objects.filter(system=system, state__in=IN_USE).order_by("account"))


def on_cards_of(system: System) -> list[SealedAccount]:
    """Accounts of a system that lie on offline cards."""
    return list(SealedAccount.objects.filter(system=system, state__in=IN_USE, kept_by=CARDS).order_by("account"))


def has_register(viewer: Person) -> bool:
    """Whether the register is the viewer's to look at, were it empty: by a role, as the owner of a system, or of accounts that they kept."""
    return not role_names(viewer.pk).isdisjoint(READERS) or visible(viewer).exists()


def systems_to_propose_on(viewer: Person) -> QuerySet[System]:
    """Systems for which the viewer may propose an account: as administrator or owner."""
    managed = Q(pk__in=systems_where(viewer.pk, (ADMINISTRATOR, OWNER))) | Q(owner=viewer)
    return System.objects.filter(managed, in_scope_to__isnull=True).order_by("name")


def custodians_of(system: System) -> QuerySet[Person]:
    """Who may keep an account of the system."""
    return people_with(CUSTODIAN, system)


def custodians() -> QuerySet[Person]:
    """Who holds the role for any system."""
    return Person.objects.filter(left_at__isnull=True, roles__role=CUSTODIAN).distinct().order_by("name")


def waiting_for_second(viewer: Person) -> list[SealedAccount]:
    """Proposed accounts on which the viewer may decide."""
    waiting = visible(viewer).filter(state=PROPOSED, system__in=systems_where(viewer.pk, (ADMINISTRATOR,)))
    return list(waiting.exclude(proposed_by=viewer).order_by("proposed_at"))


def without_custodian() -> list[SealedAccount]:
    """Accounts in use of which a custodian left, or holds the role no longer. One query."""
    return list(SealedAccount.objects.filter(unkept(), state__in=IN_USE).order_by("pk"))


def is_owed(account: SealedAccount) -> bool:
    """Whether a new secret is owed, or one was begun."""
    return account.next_secret is not None or undone_of(account).filter(state=OWED).exists()


def to_shut(at: datetime) -> list[UUID]:
    """Accounts out of use that the portal could change on their target, and that the target was not seen to refuse.

    None that was put under seal again: then it is the other row's.
    """
    rows = SealedAccount.objects.filter(~again(), state=RETIRED, shut_at__isnull=True, kept_by__in=[CONNECTOR, CARDS])
    return list(rows.filter(Q(shut_try_at__isnull=True) | Q(shut_try_at__lte=at)).values_list("pk", flat=True))


def rotations_due(at: datetime) -> list[UUID]:
    """Accounts that the portal keeps, lie sealed, and owe a new secret that is to be tried now."""
    due = Rotation.objects.filter(account__kept_by__in=[CONNECTOR, CARDS], account__state="sealed", state=OWED)
    due = due.filter(Q(next_try_at__isnull=True) | Q(next_try_at__lte=at))
    return list(due.order_by().values_list("account_id", flat=True).distinct())


# --- offline cards


def sets_of(account: SealedAccount) -> list[OfflineSet]:
    """The newest pair of cards first, each with its cards. Two queries."""
    return list(account.card_sets.prefetch_related("cards__custodian").order_by("-number")[:10])


def last_number(account: SealedAccount) -> int:
    """The number of the newest pair; 0 where there was none."""
    return account.card_sets.order_by("-number").values_list("number", flat=True).first() or 0


def coming_of(account: SealedAccount) -> OfflineSet | None:
    """The pair whose password the target was not seen to take yet."""
    return account.card_sets.select_related("account").prefetch_related("cards").filter(state=COMING).first()


def opening_pair(account: SealedAccount) -> OfflineSet | None:
    """The pair that opens the account: on the target, both printed, both custodians said that they hold them."""
    return account.card_sets.filter(state=OUT).first()


def without_way_in(owner: Person) -> list[SealedAccount]:
    """Accounts on cards of systems that the viewer owns, which no card opens now: if the portal dies, there is no way in. One query."""
    rows = SealedAccount.objects.filter(~OPENED, kept_by=CARDS, state__in=IN_USE, system__owner=owner)
    return list(rows.select_related("system").order_by("system__name", "name"))


def last_resorts(systems: Iterable[System]) -> dict[UUID, str]:
    """What each system has for when the portal is dead: cards that open an account, cards that do not yet, or nothing. One query."""
    keys = [each.pk for each in systems]
    rows = SealedAccount.objects.filter(system__in=keys, kept_by=CARDS, state__in=IN_USE).annotate(opened=OPENED)
    found: dict[UUID, str] = dict.fromkeys(keys, NO_LAST_RESORT)
    for system, opened in rows.order_by("opened").values_list("system_id", "opened"):
        found[system] = LAST_RESORT if opened else NOT_PRINTED
    return found


def card_for_act(pk: UUID) -> OfflineCard | None:
    """As `account_for_act`."""
    return OfflineCard.objects.select_related("of_set__account__system", "custodian").filter(pk=pk).first()


def drills_due(since: datetime) -> list[OfflineSet]:
    """Pairs with their custodians that nobody drilled since then, and of which nobody was reminded. None that is just being replaced on the target."""
    coming = OfflineSet.objects.filter(account=OuterRef("account"), state=COMING, begun_at__isnull=False)
    rows = OfflineSet.objects.filter(~Exists(coming), state=OUT, reminded_at__isnull=True, account__state__in=IN_USE)
    late = rows.filter(Q(drilled_at__lte=since) | Q(drilled_at__isnull=True, made_at__lte=since))
    return list(late.select_related("account__system"))


def not_printed(no_way_in_since: datetime, since: datetime) -> list[OfflineSet]:
    """Pairs that wait for their custodians, and of which nobody was reminded since: sooner where no card opens the account meanwhile."""
    late = Q(state=MADE, made_at__lte=no_way_in_since) & _not_reminded(no_way_in_since)
    late |= Q(state=COMING, begun_at__isnull=True, made_at__lte=since) & _not_reminded(since)
    return list(OfflineSet.objects.filter(late, account__state__in=IN_USE).select_related("account__system"))


def _not_reminded(since: datetime) -> Q:
    return Q(reminded_at__isnull=True) | Q(reminded_at__lte=since)


def cards_of(viewer: Person) -> list[OfflineCard]:
    """Cards that wait for the viewer to print them, or to say that they hold them. One query."""
    mine = OfflineCard.objects.filter(custodian=viewer, held_at__isnull=True, of_set__state__in=TO_PRINT)
    mine = mine.filter(of_set__account__state__in=IN_USE)
    return list(mine.select_related("of_set__account__system"))


def account_to_declare(viewer: Person, pk: UUID) -> SealedAccount | None:
    """An account with cards that the viewer may have used: they are on its list, or hold one of the cards."""
    row = SealedAccount.objects.select_related(*AROUND).filter(pk=pk, state__in=IN_USE, kept_by=CARDS).first()
    if row is None or row.privilege is None:
        return None
    keeps = viewer.pk in (row.custodian_id, row.second_custodian_id) and holds(viewer.pk, CUSTODIAN, row.system)
    return row if keeps or may_use(viewer.pk, row.privilege) else None
