"""Who may do what with a sealed account."""

from uuid import UUID

from audit.log.append import Actor
from audit.log.read import of_subject
from portal.eligibility.models import CUSTODIAN, RoleAssignment
from portal.eligibility.queries import covers, holds, lock_undecided
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.people.models import Person
from portal.sealed.models import SealedAccount
from portal.sealed.queries import shown_and_valid
from portal.sealed.states import IN_USE
from portal.systems.models import System

ONLY_CUSTODIAN = "Only the custodian of this account may do that."


def is_custodian(by: Actor, account: SealedAccount) -> None:
    """The account's own custodian, while they hold the role.

    Raises:
        NotAllowed: anybody else.
    """
    if str(account.custodian_id) != by.id or not holds(by.id, CUSTODIAN, account.system):
        raise NotAllowed(ONLY_CUSTODIAN, about=account, kind="not the custodian")


def keeps(person: Person, system: System) -> bool:
    """Whether they are here, and hold the role of custodian for the system."""
    return person.left_at is None and holds(person.pk, CUSTODIAN, system)


def missing_of(account: SealedAccount) -> list[Person]:
    """Custodians who can do nothing for it any more: they have left, or lost the role."""
    return [each for each in account.custodians if not keeps(each, account.system)]


def can_keep(person: Person, system: System, *, about: object = None) -> None:
    """Who is to keep an account is here and holds the role of custodian for its system, and does so until the caller's transaction ends.

    Whoever leaves loses their roles in the same act, so it is these that are locked, as in `portal.eligibility.queries.may_use_locked`.

    Raises:
        RefusedByPolicy: they do not.
    """
    list(lock_undecided(RoleAssignment.objects.filter(covers(system), person=person, role=CUSTODIAN)))
    if not holds(person.pk, CUSTODIAN, system):  # of who has left it says no, whatever our caller read before
        raise RefusedByPolicy("That person is not a custodian of this system. Give them the role first.", about=about)


def knows_nothing_of(person: Person, account: SealedAccount) -> None:
    """Who is to keep an account was not shown the secret that still works: they would replace what they used.

    Raises:
        WrongState: they hold it, or a new secret is owed for a use of theirs.
    """
    if account.held_by_id == person.pk:
        raise WrongState("That person holds this account now. Hand it over once it is checked in.", about=account)
    owed = {str(each.grant_id) for each in shown_and_valid(account) if each.grant_id}
    uses = of_subject(account.log_subject, ["sealed.checked_out"]) if owed else ()
    if any(event.fields["grant_id"] in owed and event.fields["person_id"] == str(person.pk) for event in uses):
        raise WrongState(
            "That person used this account, and the secret that they were shown still works. Hand it over once it has a new one.",
            about=account,
            kind="shown",
        )


def may_hold(person_id: UUID | str, account: SealedAccount) -> None:
    """Anybody on its list but its own custodian, who gives it a new secret after each use.

    Raises:
        NotAllowed: of kind ``own custody``.
    """
    if str(account.custodian_id) == str(person_id):
        raise NotAllowed("The custodian of an account does not use it.", about=account, kind="own custody")


def need_in_use(account: SealedAccount) -> None:
    """What is done with an account is done while it is in use.

    Raises:
        WrongState: it is not.
    """
    if account.state not in IN_USE:
        raise WrongState("This account is not in use.", about=account)
