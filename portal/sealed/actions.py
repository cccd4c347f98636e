"""The register: proposed by one, brought into force by a second administrator; held by one person at a time; taken out of use."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.connectors.sealed import keeper_of
from portal.eligibility.queries import owner_told
from portal.errors import RefusedByPolicy, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.people.rights import ADMINISTER, MANAGE, need_other, need_permission
from portal.people.strength import need_fresh
from portal.sealed.cards import replace, replace_all
from portal.sealed.models import CARDS, CONNECTOR, CUSTODIAN, HANDED_OVER, LAID_IN, USED, SealedAccount
from portal.sealed.queries import coming_of, left_by_retired, locked, opening_pair, shown_and_valid
from portal.sealed.rotations import owe
from portal.sealed.rules import can_keep, knows_nothing_of, may_hold, need_in_use
from portal.sealed.states import HELD, MOVES, PROPOSED
from portal.systems.actions import DOUBLED_PRIVILEGE
from portal.systems.models import Privilege, System
from portal.systems.queries import privilege_is_taken
from portal.unique import refuse_doubled

ONLY_MANAGERS = "Only administrators and the owner of this system put its accounts under seal."
CHANGING = "The target is being given the password of the new cards. Name another custodian once that is through."
DECIDED = "Somebody has decided on this already."
NOT_SEALED = "This account is not sealed at the moment."
STILL_VALID = "Its secret was shown before and still works, so what is done with it could be another's."


@action(event="sealed.proposed", refused="sealed.act_refused")
def propose(
    *,
    by: Actor,
    system: System,
    name: str,
    account: str,
    location: str,
    kept_by: str,
    custodian: Person,
    second_custodian: Person | None = None,
) -> SealedAccount:
    """Write down an account that is to be kept under seal; it waits for a second administrator. One that is out of use begins anew: its row stays."""
    need_permission(by, MANAGE, system, says=ONLY_MANAGERS)
    need_fresh(by, about=system)
    can_keep(custodian, system, about=system)
    _check(system, account, kept_by)
    _check_cards(system, kept_by, custodian, second_custodian)
    with refuse_doubled(DOUBLED_PRIVILEGE, system):
        row = SealedAccount.objects.create(
            system=system, name=name.strip(), account=account.strip(), location=location.strip(), kept_by=kept_by, custodian=custodian,
            second_custodian=second_custodian if kept_by == CARDS else None, proposed_by_id=UUID(by.id), proposed_at=now(),
        )  # fmt: skip
    append("sealed.proposed", by=by, subject=row.log_subject, **_facts(row))
    return row


def _check(system: System, account: str, kept_by: str) -> None:
    if kept_by in (CONNECTOR, CARDS) and not keeper_of(system.connector).keeps:
        raise RefusedByPolicy(
            "The portal does not reach this target, so its custodian keeps the account.", about=system
        )
    if privilege_is_taken(system, account.strip()) and left_by_retired(system, account.strip()) is None:
        raise RefusedByPolicy(DOUBLED_PRIVILEGE, about=system, kind="doubled")


def _check_cards(system: System, kept_by: str, first: Person, second: Person | None) -> None:
    """Each card has a custodian of its own."""
    if kept_by != CARDS:
        return
    if second is None or second.pk == first.pk:
        raise RefusedByPolicy("Two cards take two different custodians.", about=system)
    can_keep(second, system, about=system)


def _facts(row: SealedAccount) -> dict[str, Any]:
    return {
        "account_id": row.pk, "system_id": row.system_id, "name": row.name, "account": row.account, "custodian_id": row.custodian_id,
        "kept_by": row.kept_by, "location": row.location,
    }  # fmt: skip


def _rule(by: Actor, *, narrows: bool, changed_by: object, two: bool) -> dict[str, Any]:
    """What makes it a change of rules."""
    at = ms(now())
    approved = {"approved_by": by.id, "approved_at": at} if two else {}
    return {"narrows": narrows, "changed_by": changed_by, "effective_at": at, **approved}


@action(event=("privilege.added", "sealed.registered", "sealed.rotation_owed"), refused="sealed.act_refused")
def approve(*, by: Actor, account: SealedAccount) -> SealedAccount:
    """Bring a proposal into force, as the second administrator. The first secret is owed from now on.

    Of an account that was out of use the privilege is there, with the list of who may ask for it.
    """
    row = locked(account.pk)
    need_permission(by, ADMINISTER, row.system, says="A second administrator approves this.")
    need_other(by, row.proposed_by_id, about=row)
    need_fresh(by, about=row)
    if row.state != PROPOSED:
        raise WrongState(DECIDED, about=row)
    can_keep(row.custodian, row.system, about=row)
    _check_cards(row.system, row.kept_by, row.custodian, row.second_custodian)
    _check(row.system, row.account, row.kept_by)
    at, again = now(), left_by_retired(row.system, row.account)
    privilege = again or _add_privilege(by, row, at)
    make(row, MOVES["approve"], says=DECIDED, decided_by_id=UUID(by.id), decided_at=at, privilege=privilege)
    owe(by=by, account=row, cause=LAID_IN)
    append(
        "sealed.registered", by=by, subject=row.log_subject, privilege_id=privilege.pk,
        **_facts(row), **_rule(by, narrows=False, changed_by=row.proposed_by_id, two=True),
    )  # fmt: skip
    return row


def _add_privilege(by: Actor, row: SealedAccount, at: datetime) -> Privilege:
    with refuse_doubled(DOUBLED_PRIVILEGE, row):
        privilege = Privilege.objects.create(
            system=row.system, name=row.name, on_target=row.account, description="A sealed account.", added_at=at
        )
    append(
        "privilege.added", by=by, subject=privilege.log_subject, privilege_id=privilege.pk, system_id=row.system_id, name=privilege.name,
        on_target=privilege.on_target, changed_by=row.proposed_by_id, approved_by=by.id, approved_at=ms(at),
    )  # fmt: skip
    return privilege


@action(event="sealed.declined", refused="sealed.act_refused")
def decline(*, by: Actor, account: SealedAccount) -> SealedAccount:
    """Refuse a proposal, or take one's own back. It is kept."""
    row = locked(account.pk)
    need_permission(by, MANAGE, row.system, says=ONLY_MANAGERS)
    need_fresh(by, about=row)
    make(row, MOVES["decline"], says=DECIDED, decided_by_id=UUID(by.id), decided_at=now())
    append("sealed.declined", by=by, subject=row.log_subject, account_id=row.pk, system_id=row.system_id)
    return row


@action(event=("offline.replaced", "sealed.custodian_changed", "sealed.rotation_owed"), refused="sealed.act_refused")
def hand_over(*, by: Actor, account: SealedAccount, custodian: Person, second: bool = False) -> SealedAccount:
    """Give an account, or with ``second`` its other card, to another custodian: by an administrator or the owner, never to oneself.

    The old one knows the secret, or may still have the card: a new one is owed. Nor to who holds the account, or used it and knows its secret.
    A pair of cards that is being made was made for the custodians as they were, so it is given up for another.
    """
    row = locked(account.pk)
    need_permission(
        by, MANAGE, row.system, says="Only administrators and the owner of this system name its custodians."
    )
    need_other(by, custodian.pk, about=row)
    need_fresh(by, about=row)
    can_keep(custodian, row.system, about=row)
    need_in_use(row)
    knows_nothing_of(custodian, row)
    _give_up_coming(by, row)
    before = _give_to(row, custodian, second=second)
    owe(by=by, account=row, cause=HANDED_OVER)
    append(
        "sealed.custodian_changed", by=by, subject=row.log_subject, account_id=row.pk, system_id=row.system_id, custodian_id=custodian.pk,
        before_id=before, second=True if second else None,
    )  # fmt: skip
    return row


def _give_up_coming(by: Actor, row: SealedAccount) -> None:
    coming = coming_of(row)
    if coming is None:
        return
    if coming.begun_at is not None and opening_pair(row) is not None:
        raise WrongState(CHANGING, about=row)  # else nobody could tell whether the older pair still opens it
    replace(by, row, coming)


def _give_to(row: SealedAccount, custodian: Person, *, second: bool) -> UUID:
    """Who had it before."""
    before, other = row.custodian_id, row.second_custodian_id
    if second:
        if other is None:
            raise WrongState("This account has no second card.", about=row)
        before, other = other, before
    if other == custodian.pk:
        raise RefusedByPolicy("Two cards take two different custodians.", about=row)
    if before == custodian.pk:
        raise WrongState("That person keeps it already.", about=row)
    field = "second_custodian" if second else "custodian"
    setattr(row, field, custodian)
    row.save(update_fields=[field])
    return before


@action(event=("offline.replaced", "sealed.retired"), refused="sealed.act_refused")
def retire(*, by: Actor, account: SealedAccount) -> SealedAccount:
    """Take an account out of use. The portal forgets its secret and its cards, and shuts it on the target where it can; elsewhere its custodian does."""
    row = locked(account.pk)
    need_permission(
        by, MANAGE, row.system, says="Only administrators and the owner of this system take its accounts out of use."
    )
    need_fresh(by, about=row)
    return _retire(by, row)


@action(event=("offline.replaced", "sealed.retired"))
def withdraw(*, by: Actor, account: SealedAccount) -> SealedAccount:
    """As `retire`, on the strength of a decision whose own rules have said who may: an attestation's."""
    return _retire(by, locked(account.pk), attested=True)


def _retire(by: Actor, row: SealedAccount, *, attested: bool = False) -> SealedAccount:
    """``attested``: the attestation itself sees to what is left on the target."""
    says = "Somebody holds this account. End that first." if row.state == HELD else "This account is not in use."
    make(row, MOVES["retire"], says=says, secret=None, next_secret=None)
    replace_all(by, row)
    append(
        "sealed.retired", by=by, subject=row.log_subject, account_id=row.pk, system_id=row.system_id,
        left_on_target=True if row.kept_by == CUSTODIAN and not attested else None,
        **_rule(by, narrows=True, changed_by=by.id, two=False),
    )  # fmt: skip
    return row


# --- custody, as parts of a grant's own actions


@action(event="sealed.checked_out")
def check_out(
    *, by: Actor, account: SealedAccount, person: Person, grant_id: UUID, case: str, emergency: bool = False
) -> SealedAccount:
    """One person holds it from now on, and nobody else until it is checked in.

    While a secret that was shown is still valid, sessions of the account may be another's. So nobody is lent it before it has a new one;
    in an emergency it is lent all the same: the event says which earlier uses those sessions may belong to, and an alert goes out.

    Raises:
        WrongState: of kind ``held`` where another has it; of kind ``shown`` where its secret is owed a new one; it has no secret yet;
            it is out of use.
        NotAllowed: its own custodian.
    """
    row = locked(account.pk)
    may_hold(person.pk, row)
    if row.state == HELD:
        raise WrongState(
            "Somebody else holds this account now. It is free once it is checked in or their time is over.",
            about=row,
            kind="held",
        )
    if row.kept_by == CARDS:
        raise WrongState(
            "This account is used with its two cards, when the portal is dead. Ask for another one here.",
            about=row,
            kind="cards",
        )
    if row.secret is None:
        raise WrongState(
            "No secret was laid in for this account yet. Its custodian has to do that first.",
            about=row,
            kind="no secret",
        )
    known = shown_and_valid(row)
    if known and not emergency:
        keeper = row.custodian.name
        raise WrongState(
            f"{STILL_VALID} {keeper} is to give it a new one first. In an emergency, break the glass: that is on record.",
            about=row,
            kind="shown",
            logged=STILL_VALID,
        )
    at = now()
    make(row, MOVES["check_out"], says=NOT_SEALED, held_by=person, held_at=at, grant_id=grant_id)
    if known:
        _tell_of_shared(by, row, person, grant_id, case)
    append(
        "sealed.checked_out", by=by, case=case, subject=row.log_subject, account_id=row.pk, system_id=row.system_id, person_id=person.pk,
        grant_id=grant_id, from_at=ms(at), secret_known=True if known else None,
        earlier_grants=[str(each.grant_id) for each in known if each.grant_id] or None,
    )  # fmt: skip
    return row


def _tell_of_shared(by: Actor, row: SealedAccount, person: Person, grant_id: UUID, case: str) -> None:
    tell(
        by=by, people=[row.custodian, *owner_told(row.system)], addresses=settings.PORTAL_SECURITY_LIST, kind="sealed.lent_while_known", case=case,
        about=row.log_subject, path=f"/sealed/{row.pk}/", grant_id=grant_id,
        facts={"account": row.name, "system": row.system.name, "person": person.name, "custodian": row.custodian.name},
    )  # fmt: skip


@action(event=("sealed.checked_in", "sealed.rotation_owed"))
def check_in(*, by: Actor, account_id: UUID, grant_id: UUID, case: str, to_at: int, shown: bool) -> SealedAccount:
    """Back under seal. A secret that was shown is owed a new one, unless an emergency stop saw to that."""
    row = locked(account_id)
    if row.grant_id != grant_id:
        raise WrongState("Another access holds this account.", about=row)
    person_id = row.held_by_id
    make(row, MOVES["check_in"], says="Nobody holds this account.", held_by=None, held_at=None, grant_id=None)
    if shown and not row.rotations.filter(grant_id=grant_id).exists():
        owe(by=by, account=row, cause=USED, grant_id=grant_id, case=case)
    append(
        "sealed.checked_in", by=by, case=case, subject=row.log_subject, account_id=row.pk, system_id=row.system_id, person_id=person_id,
        grant_id=grant_id, to_at=to_at, shown=shown,
    )  # fmt: skip
    return row
