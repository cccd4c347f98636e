"""Who may do what with a finding. Each check raises; `portal.access_requests.rules.allows` makes the boolean."""

from uuid import UUID

from audit.log.append import Actor
from portal.access_requests.models import AccessRequest
from portal.eligibility.models import ADMINISTRATOR, APPROVER, OWNER, REVIEWER
from portal.eligibility.queries import holds, holds_anywhere
from portal.errors import NotAllowed
from portal.findings.models import Finding
from portal.findings.queries import concerning, past_of
from portal.systems.models import System

ROLES_THAT_RAISE = (OWNER, ADMINISTRATOR, REVIEWER, APPROVER)
OWN_USE = "own use"
ONLY_THESE_RAISE = "Only owners, approvers, reviewers and administrators of a system raise findings."


def may_raise(by: Actor, system: System | None) -> None:
    """A process of the portal, or somebody with a part in the system other than using it.

    Raises:
        NotAllowed: anybody else.
    """
    if by.is_person and not _holds_one(by, ROLES_THAT_RAISE, system):
        raise NotAllowed(ONLY_THESE_RAISE, about=system)


def may_assign(by: Actor, finding: Finding) -> None:
    """The owner of the system, or an administrator.

    Raises:
        NotAllowed: anybody else.
    """
    if by.is_person and not _holds_one(by, (OWNER, ADMINISTRATOR), finding.system):
        raise NotAllowed("Only the owner or an administrator of the system may do that.", about=finding)


def may_answer(by: Actor, finding: Finding) -> None:
    """The owner of the finding alone.

    Raises:
        NotAllowed: anybody else.
    """
    if str(finding.owner_id) != by.id:
        raise NotAllowed("Only the owner of the finding answers it.", about=finding)


def may_move_due(by: Actor, finding: Finding) -> None:
    """Who may assign, and neither the owner of the finding, nor who owned it before, nor who is concerned by the use that it is about.

    Raises:
        NotAllowed: of kind ``own finding`` for its owners, ``own use`` for who asked or decided.
    """
    if _is_or_was_theirs(by, finding):
        raise NotAllowed(
            "Nobody moves the date of a finding that is or was their own.", about=finding, kind="own finding"
        )
    if is_concerned(by, finding.case):
        raise NotAllowed(
            "Nobody moves the date of a finding about a use in which they had a part.", about=finding, kind=OWN_USE
        )
    may_assign(by, finding)


def may_close(by: Actor, finding: Finding) -> None:
    """The owner, an administrator or a reviewer of the system, and neither who owns or owned the finding nor who is concerned by the use.

    Raises:
        NotAllowed: of kind ``own finding`` for its owners, ``own use`` for who asked or decided.
    """
    if _is_or_was_theirs(by, finding):
        raise NotAllowed(
            "Nobody closes a finding that is or was their own. Another person has to look at it.",
            about=finding,
            kind="own finding",
        )
    if is_concerned(by, finding.case):
        raise NotAllowed(
            "Nobody closes a finding about a use in which they had a part. Another person has to look at it.",
            about=finding,
            kind=OWN_USE,
        )
    if not _holds_one(by, (OWNER, ADMINISTRATOR, REVIEWER), finding.system):
        raise NotAllowed(
            "Only the owner, a reviewer or an administrator of the system may close a finding.", about=finding
        )


def may_ask_retest(by: Actor, finding: Finding) -> None:
    """Its owner, or who may close it.

    Raises:
        NotAllowed: anybody else.
    """
    if str(finding.owner_id) != by.id:
        may_close(by, finding)


def is_concerned(by: Actor, case: str) -> bool:
    """Whether the person asked for the access that a finding is about, broke the glass, decided on it or on more time, or kept its offline cards."""
    if not case or not by.is_person:
        return False
    return AccessRequest.objects.filter(concerning(UUID(by.id)), pk=case).exists()


def _is_or_was_theirs(by: Actor, finding: Finding) -> bool:
    """Handed on, it is still what they did that is looked at."""
    return str(finding.owner_id) == by.id or by.id in past_of(finding).owners


def _holds_one(by: Actor, roles: tuple[str, ...], system: System | None) -> bool:
    """Where no system is named, a role for any will do."""
    if system is None:
        return holds_anywhere(by.id, roles)
    owns = OWNER in roles and str(system.owner_id) == by.id
    return owns or any(holds(by.id, role, system) for role in roles)
