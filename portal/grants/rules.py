"""Who may do what with a grant."""

from audit.log.append import Actor
from portal.eligibility.models import ADMINISTRATOR, APPROVER, OWNER
from portal.eligibility.queries import holds
from portal.errors import NotAllowed
from portal.grants.models import Grant


def is_responder(by: Actor, grant: Grant) -> None:
    """The responder alone.

    Raises:
        NotAllowed: anybody else.
    """
    if str(grant.person_id) != by.id:
        raise NotAllowed("Only the responder may do that.", about=grant, kind="not the responder")


def may_extend(by: Actor, grant: Grant) -> None:
    """An approver or the owner of the system, and never the responder.

    Raises:
        NotAllowed: of kind ``own extension`` for the responder.
    """
    if str(grant.person_id) == by.id:
        raise NotAllowed("Nobody gives themselves more time.", about=grant, kind="own extension")
    if not (holds(by.id, APPROVER, grant.system) or _owns(by, grant)):
        raise NotAllowed("Only an approver or the owner of this system may give more time.", about=grant)


def may_revoke(by: Actor, grant: Grant) -> None:
    """Owner, approver or administrator of the system, or a process of the portal.

    Raises:
        NotAllowed: anybody else.
    """
    if not by.is_person or _owns(by, grant):
        return
    if not any(holds(by.id, role, grant.system) for role in (ADMINISTRATOR, APPROVER)):
        raise NotAllowed(
            "Only the owner, an approver or an administrator of this system may end this access.", about=grant
        )


def _owns(by: Actor, grant: Grant) -> bool:
    return str(grant.system.owner_id) == by.id or holds(by.id, OWNER, grant.system)
