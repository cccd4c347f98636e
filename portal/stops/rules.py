"""Who may stop and lift, and that nothing is opened on a stopped system."""

from django.db import connection

from audit.log.append import Actor
from portal.eligibility.models import ADMINISTRATOR
from portal.eligibility.queries import holds
from portal.errors import NotAllowed, RefusedByPolicy
from portal.people.rights import need_other
from portal.stops.models import Stop
from portal.stops.queries import LIFTERS, STARTERS, contacts, on
from portal.systems.models import System

ONLY_THESE_START = "Only the owner, approvers and administrators of this system stop it."
ONLY_THESE_LIFT = "Only the owner and administrators of this system lift its emergency stop."
ONLY_ADMINISTRATORS = "Only administrators of all systems stop all of them, and lift that again."


def may_start(by: Actor, system: System | None) -> None:
    """Who may end another's access there: owner, approver or administrator of the system; for all, an administrator of all.

    Raises:
        NotAllowed: anybody else, and every process.
    """
    _need(by, STARTERS, system, says=ONLY_THESE_START, about=system)


def may_lift(by: Actor, stop: Stop) -> None:
    """It widens, so owner or administrator of the system; for all, an administrator of all.

    Raises:
        NotAllowed: anybody else, and every process.
    """
    _need(by, LIFTERS, stop.system, says=ONLY_THESE_LIFT, about=stop)


def may_confirm(by: Actor, stop: Stop) -> None:
    """`may_lift`, and another person than the one who asked.

    Raises:
        NotAllowed: of kind ``own`` for the one who asked.
    """
    may_lift(by, stop)
    need_other(by, stop.lift_asked_by_id, about=stop)


def _need(by: Actor, roles: tuple[str, ...], system: System | None, *, says: str, about: object) -> None:
    if system is None:
        allowed = by.is_person and holds(by.id, ADMINISTRATOR)
        says = ONLY_ADMINISTRATORS
    else:
        owns = str(system.owner_id) == by.id
        allowed = by.is_person and (owns or any(holds(by.id, role, system) for role in roles))
    if not allowed:
        raise NotAllowed(says, about=about)


def need_no_stop(system: System, *, about: object) -> None:
    """Let nothing through that would be opened on a stopped system, and keep it so until the caller's transaction ends.

    Whoever starts a stop locks the system's row whole, and this shares it: so either the stop sees what the caller made, or the caller
    sees the stop. (The foreign keys of the caller's rows would share it too, but only at commit: they are deferred.)

    Raises:
        RefusedByPolicy: of kind ``stopped``; the sentence says whom to call, the log's names no person.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM portal_system WHERE id = %s FOR KEY SHARE", [system.pk])
    stop = on(system).first()
    if stop is None:
        return
    what = f"An emergency stop is in force for {system.name}: nothing is opened there until two people have lifted it."
    names = " or ".join(person.name for person, _ in contacts(stop, system))
    raise RefusedByPolicy(
        f"{what} Nothing that you typed or asked before is lost. {f'Call {names}.' if names else ''}".strip(), about=about, kind="stopped",
        logged=what,
    )  # fmt: skip
