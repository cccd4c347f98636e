"""Who says what the log has lost."""

from audit.log.append import Actor
from portal.lost.models import LostRange
from portal.people.rights import ADMINISTER, need_other, need_permission

ONLY_ADMINISTRATORS = "Only administrators of all systems say what the log has lost."


def may_report(by: Actor) -> None:
    """An administrator of all systems.

    Raises:
        NotAllowed: anybody else, and every process.
    """
    need_permission(by, ADMINISTER, says=ONLY_ADMINISTRATORS)


def may_sign(by: Actor, lost: LostRange) -> None:
    """A second administrator.

    Raises:
        NotAllowed: anybody else.
    """
    need_permission(by, ADMINISTER, lost, says=ONLY_ADMINISTRATORS)
    need_other(by, lost.reported_by_id, about=lost)
