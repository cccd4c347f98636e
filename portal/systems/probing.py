"""Asking a target: the connection test, and what an opening would do. No transaction is open while a target is waited for."""

from audit.log.append import Actor
from portal.connectors import for_kind
from portal.connectors.base import Check, ConnectorError
from portal.errors import RefusedByPolicy
from portal.people.rights import MANAGE, need_permission
from portal.secrets import SecretUnreadable
from portal.systems.actions import note_test
from portal.systems.models import Privilege, ProposedChange, System
from portal.systems.targets import proposed_target, target

ONLY_MANAGERS = "Only administrators and the owner of this system ask its target."


def may_ask(by: Actor, system: System | None) -> None:
    """Administrators and the owner.

    Raises:
        NotAllowed: anybody else.
    """
    need_permission(by, MANAGE, system, says=ONLY_MANAGERS)


def may_test(by: Actor, about: System | ProposedChange) -> None:
    """Before the target is asked: the person may, and the proposal is one that leads to a target.

    Raises:
        NotAllowed, RefusedByPolicy: it is not so.
    """
    may_ask(by, about if isinstance(about, System) else about.system)
    if isinstance(about, ProposedChange) and "connector" not in about.after:
        raise RefusedByPolicy(
            "This proposal changes no connection. Test that of the system.", about=about, kind="no connection"
        )


def test_connection(*, by: Actor, about: System | ProposedChange) -> tuple[Check, ...]:
    """Test a system as it stands, or as a proposal would make it; the result goes on record."""
    may_test(by, about)
    try:
        reached = target(about) if isinstance(about, System) else proposed_target(about)
        checks = for_kind(reached.kind).test(reached)
    except (ConnectorError, SecretUnreadable) as error:
        checks = (Check("settings", False, str(error)),)
    note_test(by=by, about=about, checks=checks)
    return checks


def dry_run(*, by: Actor, privilege: Privilege, minutes: int) -> tuple[str, ...]:
    """What an opening would do on the target, in sentences. It changes nothing.

    Raises:
        RefusedByPolicy: the target does not answer; the sentence says why.
    """
    may_ask(by, privilege.system)
    try:
        reached = target(privilege.system)
        return for_kind(reached.kind).dry_run(reached, privilege.on_target, minutes)
    except (ConnectorError, SecretUnreadable) as error:
        raise RefusedByPolicy(str(error), about=privilege.system) from error
