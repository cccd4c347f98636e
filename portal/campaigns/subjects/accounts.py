"""Lines about sealed accounts: what lasts on a target, who keeps it, and who may check it out.

Narrowed, nobody may check it out from a day on. Revoked, nobody may from now on, whoever holds it gives it back, and it goes out of use
for good. The portal shuts it on the target where it can; what a custodian keeps lasts there although the portal forgot it, and its owner there removes it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from audit.log.append import Actor
from portal.campaigns.lines import Line
from portal.campaigns.lists import ACCOUNTS
from portal.campaigns.models import Item
from portal.campaigns.states import REVOKED
from portal.campaigns.subjects.base import NARROWED, Hands, Subject, as_hands, given, needed, use_facts
from portal.clock import ms, now, optional_ms
from portal.connectors.base import ConnectorError
from portal.eligibility.models import Eligibility
from portal.eligibility.queries import not_over
from portal.errors import RefusedByPolicy
from portal.findings.actions import raise_finding
from portal.grants import narrowing
from portal.grants.models import Grant
from portal.grants.targets import connector_of
from portal.people.reporting import reports_of
from portal.reconciliation.models import Listing
from portal.sealed.actions import withdraw
from portal.sealed.models import CUSTODIAN, Rotation, SealedAccount
from portal.sealed.queries import drilled_last, in_use_on
from portal.sealed.states import DONE, HELD, IN_USE
from portal.systems.models import System

NAME = "sealed_account"
FINDING = "standing_access"
NOBODY = "Nobody may check it out beyond that time. Keep this line, or take the account out of use."
ENDED_TOO = (
    "eligibility.revoked",
    "eligibility.shortened",
    "sealed.retired",
    "offline.replaced",
    "finding.raised",
    *NARROWED,
)


def lines(system: System | None, _: Listing | None) -> list[Line]:
    """The register of a system, by names. As many questions for one as for many."""
    if system is None:
        return []
    rows = in_use_on(system)
    known = _Known(rows)
    return [
        Line(
            NAME, str(row.pk), row.name, f"{row.name}: {row.account}"[:200], known.facts(row), row.custodian_id, known.hands[str(row.pk)],
        )
        for row in rows
    ]  # fmt: skip


class _Known:
    """What is asked once for all accounts of a list."""

    def __init__(self, rows: Sequence[SealedAccount]) -> None:
        keys = [row.pk for row in rows]
        self.listed = _listed(row.privilege_id for row in rows)
        self.hands = _hands(rows, self.listed)
        self.opened: dict[UUID, list[tuple[datetime, str]]] = defaultdict(list)
        for account, at, mode in _opened(keys).values_list("account_id", "opened_at", "request__mode"):
            if account is not None and at is not None:
                self.opened[account].append((at, mode))
        rotations = Rotation.objects.filter(account__in=keys).order_by().values_list("account_id")
        self.rotated = dict(rotations.annotate(Max("rotated_at")))
        self.tested = dict(rotations.annotate(Max("tested_at")))
        self.overdue = set(rotations.filter(~Q(state=DONE), due_at__lte=now()).values_list("account_id", flat=True))
        self.drilled = drilled_last(keys)

    def facts(self, row: SealedAccount) -> dict[str, Any]:
        """Who keeps it and where, who may check it out, when it was used, drilled and given a new secret last."""
        since = row.decided_at or row.proposed_at
        used = use_facts(self.opened[row.pk], since)
        drills = [at for at in (used["last_drill"], optional_ms(self.drilled.get(row.pk))) if at is not None]
        return given({
            "privilege_id": str(row.privilege_id), "granted_at": ms(since), "proposed_by": str(row.proposed_by_id),
            "granted_by": str(row.decided_by_id), **used, "last_drill": max(drills, default=None), "kept_by": row.kept_by,
            "account": row.account, "location": row.location, "custodian": str(row.custodian_id),
            "second_custodian": str(row.second_custodian_id) if row.second_custodian_id else None,
            "may_check_out": sorted(self.listed[row.privilege_id]), "last_rotation": optional_ms(self.rotated.get(row.pk)),
            "last_test": optional_ms(self.tested.get(row.pk)), "rotation_overdue": int(row.pk in self.overdue),
        })  # fmt: skip


def _opened(accounts: Iterable[UUID]) -> QuerySet[Grant]:
    return Grant.objects.filter(account__in=list(accounts), opened_at__isnull=False).order_by("opened_at")


def _may_check_out(privileges: Iterable[UUID | None]) -> QuerySet[Eligibility]:
    """Rows of the lists of accounts, those that are yet to come as well; in the one order of all who lock several."""
    rows = Eligibility.objects.filter(
        not_over(), privilege__in=[each for each in privileges if each], approved_at__isnull=False
    )
    return rows.filter(person__left_at__isnull=True).order_by("pk")


def _listed(privileges: Iterable[UUID | None]) -> Mapping[UUID | None, set[str]]:
    found: dict[UUID | None, set[str]] = defaultdict(set)
    for privilege, person in _may_check_out(privileges).values_list("privilege_id", "person_id"):
        found[privilege].add(str(person))
    return found


def _hands(rows: Sequence[SealedAccount], listed: Mapping[UUID | None, set[str]]) -> Hands:
    """Who put it under seal, who else keeps it, who may check it out, and who reports to one of those."""
    mine = {row.pk: {*listed[row.privilege_id], *as_hands([row.second_custodian_id])} for row in rows}
    reports = reports_of(UUID(each) for people in mine.values() for each in people)
    return {
        str(row.pk): as_hands((row.proposed_by_id, row.decided_by_id)) | mine[row.pk]
        | {report for each in mine[row.pk] for report in reports.get(UUID(each), ())}
        for row in rows
    }  # fmt: skip


def hands(subjects: Collection[str]) -> Hands:
    """The same, as the rows say now."""
    rows = list(SealedAccount.objects.filter(pk__in=list(subjects)))
    return _hands(rows, _listed(row.privilege_id for row in rows))


def in_use_of(item: Item) -> SealedAccount | None:
    """The account of the line, if nobody took it out of use meanwhile."""
    return (
        SealedAccount.objects.filter(pk=item.subject, state__in=IN_USE)
        .select_related("system__owner", "privilege")
        .first()
    )


def narrow(by: Actor, item: Item, to_at: datetime) -> None:
    """From then on nobody may check it out; what is open ends then at the latest."""
    account = needed(in_use_of(item), item)
    longer = list(_may_check_out([account.privilege_id]).filter(Q(to_at__isnull=True) | Q(to_at__gt=to_at)))
    if not longer:
        raise RefusedByPolicy(NOBODY, about=item)
    for row in longer:
        if row.from_at >= to_at:
            narrowing.revoke_eligibility(by=by, eligibility=row, cause="attestation")
        else:
            narrowing.shorten_eligibility(by=by, eligibility=row, to_at=to_at)


def revoke(by: Actor, item: Item, reason: str) -> None:
    """Nobody may check it out any more, and it goes out of use as soon as nobody holds it. What lasts on the target, its owner there removes."""
    account = in_use_of(item)
    if account is None or account.privilege is None:
        return
    for row in _may_check_out([account.privilege_id]):
        narrowing.revoke_eligibility(by=by, eligibility=row, cause="attestation")
    narrowing.end_grants_of_account(by, account)
    _retire(by, item)
    if account.kept_by == CUSTODIAN:
        system = account.system
        raise_finding(
            by=by, kind=FINDING, title=f"A sealed account of {system.name} is out of use: its owner removes it on the target",
            about=str(item.pk), details=f"{item.label}\n{reason.strip()}", system=system, owner=system.owner, test_id="T-23",
        )  # fmt: skip


def finish(by: Actor, item: Item) -> bool:
    """Take it out of use where that was decided while somebody held it; whether it is out of use."""
    return item.state != REVOKED or _retire(by, item)


def _retire(by: Actor, item: Item) -> bool:
    account = in_use_of(item)
    if account is None:
        return True
    if account.state == HELD:
        return False
    withdraw(by=by, account=account)
    return True


def uses(item: Item) -> QuerySet[Grant]:
    """Whatever opened the account."""
    return Grant.objects.filter(account=UUID(item.subject))


def grants(item: Item) -> QuerySet[Grant]:
    """Those that came before the decision."""
    return uses(item).filter(authorised_at__lte=item.decided_at).select_related("privilege")


def present(item: Item, listing: Listing | None) -> bool:
    """Revoked: whether the target shows that it can log in. Narrowed: whether somebody may still check it out without an end."""
    if item.state != REVOKED:
        before = _may_check_out([UUID(item.facts["privilege_id"])]).filter(approved_at__lte=item.decided_at)
        return before.filter(to_at__isnull=True).exists()
    answer: list[dict[str, Any]] = listing.answer if listing else []
    return any(each["can_login"] and each["login"] == item.facts["account"] for each in answer)


def left_to_owner(item: Item) -> bool:
    """What lasts on a target that can be listed, and is not shut by the portal between its uses."""
    system = item.campaign.system
    return item.state == REVOKED and item.facts["kept_by"] == CUSTODIAN and system is not None and _lists(system)


def _lists(system: System) -> bool:
    try:
        return connector_of(system).lists_access
    except ConnectorError:
        return False


SUBJECT = Subject(
    NAME, (ACCOUNTS,), lines, hands, narrow, revoke, ENDED_TOO, grants, uses, present, finish=finish, left_to_owner=left_to_owner,
    needs_listing=lambda item: item.state == REVOKED, changes=("custodian", "second_custodian", "kept_by", "location", "may_check_out"),
)  # fmt: skip
