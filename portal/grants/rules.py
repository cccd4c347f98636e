"""Who may do what with a grant, and how far it may reach."""

from collections.abc import Iterable
from datetime import timedelta

from audit.log.append import Actor
from portal.access_requests.rules import AWAY
from portal.clock import minutes as in_words
from portal.eligibility.lending import approves, is_away
from portal.eligibility.models import ADMINISTRATOR, APPROVER, OWNER
from portal.eligibility.queries import holds, usable_until
from portal.errors import NotAllowed, RefusedByPolicy
from portal.grants.models import Extension, Grant
from portal.policy.queries import rules_of

EXTENDED_ALREADY = "This access was extended already. Make a new request if you need longer."


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
        NotAllowed: of kind ``own extension`` for the responder, and ``lent away`` for an approver for whom somebody stands in.
    """
    if str(grant.person_id) == by.id:
        raise NotAllowed("Nobody gives themselves more time.", about=grant, kind="own extension")
    if _owns(by, grant) or approves(by.id, grant.system, grant.person_id):
        return
    need_present(by, grant)
    raise NotAllowed("Only an approver or the owner of this system may give more time.", about=grant)


def need_present(by: Actor, grant: Grant) -> None:
    """Refuse who lent their role: one seat has one voice. Asked of whoever may do nothing in another right.

    Raises:
        NotAllowed: of kind ``lent away``.
    """
    if is_away(by.id, grant.system):
        raise NotAllowed(AWAY, about=grant, kind="lent away")


def may_extend_own_bypass(grant: Grant, extensions: Iterable[Extension]) -> None:
    """A bypass, once, where its policy lets the responder extend it. Who asks is asked before.

    Raises:
        RefusedByPolicy: it is none, the policy does not, or it was extended already.
    """
    rules, given = rules_of(grant.request.policy), [each for each in extensions if each.decision == "approve"]
    alone = sum(each.decided_by_id == grant.person_id for each in given)
    if grant.request.mode != "bypass" or not rules.bypass_extensions:
        raise RefusedByPolicy(
            "The policy does not let a responder extend this access alone. Ask for more time.", about=grant
        )
    if alone >= rules.bypass_extensions or len(given) >= rules.max_extensions:
        raise RefusedByPolicy(EXTENDED_ALREADY, about=grant)


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


def carried_by_list(grant: Grant, minutes: int | None) -> None:
    """No access outlives the list and the role that it rests on. ``minutes``: how much longer; ``None`` where they hold no more.

    Raises:
        RefusedByPolicy: so many are not carried.
    """
    if minutes is None:
        raise RefusedByPolicy(
            "Who asked is no longer on the list for this privilege.", about=grant, kind="no longer eligible"
        )
    last = usable_until(grant.person_id, grant.privilege)
    if last is None or grant.expires_at is None or grant.expires_at + timedelta(minutes=minutes) <= last:
        return
    left = max(0, int((last - grant.expires_at).total_seconds() // 60))
    said = f"at most {in_words(left)} more" if left else "no more time can be given"
    raise RefusedByPolicy(
        f"The place on the list for this privilege ends before that: {said}.", about=grant, kind="outlives the list"
    )


def _owns(by: Actor, grant: Grant) -> bool:
    return str(grant.system.owner_id) == by.id or holds(by.id, OWNER, grant.system)
