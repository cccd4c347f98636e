"""What an emergency stop cannot end: somebody was shown the secret of a sealed account, and it works until its custodian has set another.

The portal gives the accounts that it keeps a new secret as it closes them, so this is of accounts that a custodian keeps.
"""

from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from audit.log.append import Actor
from portal.grants.models import Grant
from portal.people.models import Person
from portal.sealed.models import CUSTODIAN, SHOWN, STOPPED, Rotation, SealedAccount
from portal.sealed.queries import locked, shown_and_valid, visible
from portal.sealed.rotations import owe, tell_of_stop
from portal.sealed.states import IN_USE, OWED
from portal.stops.models import Stop
from portal.systems.models import System

MOST_SHOWN = 100


def owe_of_all(*, by: Actor, system: System | None) -> None:
    """A part of starting a stop: each secret there that somebody knows is owed a new one at once, and its custodian is told."""
    held = Grant.objects.filter(pk=OuterRef("grant_id"), revealed_at__isnull=False)
    owed = Rotation.objects.filter(account=OuterRef("pk"), state=OWED, cause__in=SHOWN)
    known = SealedAccount.objects.filter(Exists(held) | Exists(owed), kept_by=CUSTODIAN, state__in=IN_USE)
    if system is not None:
        known = known.filter(system=system)
    for account_id in list(known.order_by("pk").values_list("pk", flat=True)):
        _owe(by, locked(account_id))


def owe_of(*, by: Actor, grant: Grant) -> None:
    """As `owe_of_all`, of one access that slipped past a stop."""
    if grant.account is not None and grant.account.kept_by == CUSTODIAN and grant.revealed_at is not None:
        _owe(by, locked(grant.account.pk))


def _owe(by: Actor, account: SealedAccount) -> None:
    """Look again, now that it is locked. What was owed before keeps its date."""
    grant = Grant.objects.filter(pk=account.grant_id, revealed_at__isnull=False).first() if account.grant_id else None
    if grant is not None and not account.rotations.filter(grant_id=grant.pk).exists():
        owe(by=by, account=account, cause=STOPPED, grant_id=grant.pk, case=grant.log_case)
    elif earlier := shown_and_valid(account):
        tell_of_stop(by=by, account=account, rotation=earlier[0])


def met_by(stop: Stop) -> QuerySet[Rotation]:
    """New secrets that were owed for such a reason at some time while the stop was in force."""
    replaced_before = Q(rotated_at__lt=stop.started_at)
    rows = Rotation.objects.filter(account__kept_by=CUSTODIAN, cause__in=SHOWN).exclude(replaced_before)
    if stop.system_id is not None:
        rows = rows.filter(account__system_id=stop.system_id)
    if stop.lifted_at is not None:
        rows = rows.filter(owed_at__lte=stop.lifted_at)
    return rows


def valid_count(stop: Stop) -> int:
    """How many secrets are still owed for it. Nobody gives one to an account that is out of use: those are listed, and counted by nobody."""
    return met_by(stop).filter(state=OWED, account__state__in=IN_USE).order_by().values("account").distinct().count()


@dataclass(frozen=True)
class Known:
    """One of them for the page. ``person`` was shown it, where it was in a use."""

    rotation: Rotation
    person: Person | None

    @property
    def valid(self) -> bool:
        """No other secret was set yet, and its custodian is to set one."""
        return self.rotation.state == OWED and not self.retired

    @property
    def retired(self) -> bool:
        """Out of use before another secret was set: only the target can say whether the account is gone."""
        return self.rotation.state == OWED and self.rotation.account.state not in IN_USE


def listed(viewer: Person, stop: Stop) -> list[Known]:
    """Those of accounts that the viewer may see, what still works first. Two queries."""
    rows = met_by(stop).filter(account__in=visible(viewer).order_by().values("pk"))
    rows = rows.select_related("account__system", "account__custodian")
    shown = list(rows.order_by(F("rotated_at").desc(nulls_first=True), "due_at")[:MOST_SHOWN])
    held = Grant.objects.filter(pk__in=[each.grant_id for each in shown if each.grant_id]).select_related("person")
    people = {grant.pk: grant.person for grant in held}
    return [Known(each, people.get(each.grant_id) if each.grant_id else None) for each in shown]


def still_valid() -> Exists:
    """A condition on grants: whoever held it knows a secret that works."""
    owed = Rotation.objects.filter(grant_id=OuterRef("pk"), state=OWED, account__kept_by=CUSTODIAN)
    return Exists(owed.filter(account__state__in=IN_USE))
