"""Who may do what with a sealed account."""

from uuid import UUID

from audit.log.append import Actor
from portal.eligibility.models import CUSTODIAN
from portal.eligibility.queries import holds
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.people.models import Person
from portal.sealed.models import SealedAccount
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


def can_keep(person: Person, system: System, *, about: object = None) -> None:
    """Who is to keep an account holds the role of custodian for its system.

    Raises:
        RefusedByPolicy: they do not.
    """
    if not keeps(person, system):
        raise RefusedByPolicy("That person is not a custodian of this system. Give them the role first.", about=about)


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
