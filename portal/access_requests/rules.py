"""Who may do what with a request, and what must be said. Each check raises; `allows` makes the boolean for a button."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit.log.append import Actor
from portal.access_requests.models import AccessRequest
from portal.eligibility.lending import is_away, standing_of
from portal.eligibility.models import APPROVER, OWNER, REVIEWER
from portal.eligibility.queries import holds, may_use, may_use_locked
from portal.errors import NotAllowed, Refused, RefusedByPolicy
from portal.policy.rules import CATEGORIES, CLASSES, CRITERIA, Policy
from portal.systems.models import Privilege

AWAY = "Somebody stands in for you on this system now, and one seat has one voice. Take the role back first: Requests, then the role that you lent."
NO_LONGER = "This request is no longer waiting."
LENT_BY_RESPONDER = "Your role is lent to you by the responder, so it decides nothing on their requests."


@dataclass(frozen=True)
class Asked:
    """What a responder says. Texts are plain; what a bypass leaves out is empty and owed."""

    mode: str
    criterion: str
    reason: str
    minutes: int
    category: str = ""
    intended_classes: tuple[str, ...] = ()
    incident_ref: str = ""


def allows(check: Callable[..., object], *args: object, **kwargs: object) -> bool:
    """Whether a check would pass: the page's button and the server's refusal share one source."""
    try:
        check(*args, **kwargs)
    except Refused:
        return False
    return True


def may_ask(by: Actor, privilege: Privilege) -> None:
    """The responder is on the list for the privilege now, and a responder of its system.

    Raises:
        NotAllowed: they are not.
    """
    if not may_use(by.id, privilege):
        raise NotAllowed("You are not on the list for this privilege.", about=privilege, kind="not eligible")


def still_may_use(request: AccessRequest) -> None:
    """Who asked is still on the list, has the role and has not left: a list that ended while a request waits opens nothing.

    Raises:
        RefusedByPolicy: it is not so any more.
    """
    if not may_use_locked(request.responder_id, request.privilege):
        raise RefusedByPolicy(
            "Who asked is no longer on the list for this privilege, so it cannot be opened. Decline it, or let it lapse.", about=request,
            kind="no longer eligible",
        )  # fmt: skip


def may_decide(by: Actor, request: AccessRequest) -> None:
    """An approver of the system who is not the responder.

    Raises:
        NotAllowed: of kind ``own approval`` for the responder.
    """
    if str(request.responder_id) == by.id:
        raise NotAllowed("Nobody decides on their own request.", about=request, kind="own approval")
    standing = standing_of(by.id, request.system, request.responder_id)
    if is_away(by.id, request.system):
        raise NotAllowed(AWAY, about=request, kind="lent away")
    if standing.from_the_responder:
        raise NotAllowed(LENT_BY_RESPONDER, about=request, kind="lent by the responder")
    if not standing.may:
        raise NotAllowed("Only an approver of this system may decide.", about=request, kind="not an approver")


def may_question(by: Actor, request: AccessRequest) -> None:
    """An approver, owner or reviewer of the system, never the responder.

    Raises:
        NotAllowed: anybody else.
    """
    if str(request.responder_id) == by.id:
        raise NotAllowed("Others ask; you answer.", about=request)
    owns = str(request.system.owner_id) == by.id
    if not owns and not any(holds(by.id, role, request.system) for role in (APPROVER, OWNER, REVIEWER)):
        raise NotAllowed("Only an approver, the owner or a reviewer of this system may ask.", about=request)


def may_withdraw(by: Actor, request: AccessRequest) -> None:
    """The responder alone.

    Raises:
        NotAllowed: anybody else.
    """
    if str(request.responder_id) != by.id:
        raise NotAllowed("Only the responder may withdraw a request.", about=request)


def may_supplement(by: Actor, request: AccessRequest) -> None:
    """The responder alone.

    Raises:
        NotAllowed: anybody else.
    """
    if str(request.responder_id) != by.id:
        raise NotAllowed("Only the responder may add what a bypass owes.", about=request)


def still_needed(policy: Policy, groups: Sequence[str]) -> int:
    """How many more must say yes at least. ``groups``: that of each who said yes, empty where they stand in none."""
    different = len({each for each in groups if each})
    return max(0, policy.min_approvals - len(groups), policy.approver_groups - different)


def owed(asked: Asked, policy: Policy) -> list[str]:
    """What a bypass leaves out and owes until review."""
    missing = {
        "incident": bool(policy.incident_required) and not asked.incident_ref,
        "intended classes": not asked.intended_classes,
        "category": not asked.category,
        "a longer reason": len(asked.reason) < policy.min_reason_chars,
    }
    return [name for name, is_missing in missing.items() if is_missing]


def check_asked(asked: Asked, policy: Policy, *, about: object) -> None:
    """Hold what was asked against the policy. A bypass is refused only for mode, criterion and minutes, never for its form.

    Raises:
        RefusedByPolicy: with the first thing that is wrong.
    """
    for sentence in refusals(asked, policy)[:1]:
        raise RefusedByPolicy(sentence, about=about)


def refusals(asked: Asked, policy: Policy) -> list[str]:
    """All that the policy has against it, in the order in which it would be said."""
    return [sentence for ok, sentence in _demands(asked, policy) if not ok]


def _demands(asked: Asked, policy: Policy) -> list[tuple[bool, str]]:
    longest = policy.minutes_for(asked.mode)
    demands = [
        (asked.mode in policy.modes, f"The policy of this system does not allow the mode {asked.mode}."),
        (asked.mode == "drill" or asked.criterion in policy.criteria, "Choose one of the policy's criteria."),
        (1 <= asked.minutes <= longest, f"At most {longest} minutes."),
        (bool(asked.reason.strip()), "Say in one sentence what is wrong."),
        (asked.criterion in CRITERIA or asked.mode == "drill", "Choose one of the criteria."),
        (set(asked.intended_classes) <= {*CLASSES, "session"}, "Choose what you intend to do from the list."),
        (asked.category in CATEGORIES or asked.category in ("", "drill"), "Choose a category from the list."),
    ]
    if asked.mode == "bypass":
        return demands
    return [
        *demands,
        (
            len(asked.reason.strip()) >= policy.min_reason_chars,
            f"The reason has at least {policy.min_reason_chars} characters.",
        ),
        (bool(asked.category), "Choose a category."),
        (bool(asked.intended_classes), "Choose at least one kind of action that you intend."),
        (
            asked.mode == "drill" or not policy.incident_required or bool(asked.incident_ref.strip()),
            "You must name an incident.",
        ),
    ]


__all__ = [
    "CRITERIA",
    "Asked",
    "allows",
    "check_asked",
    "may_ask",
    "may_decide",
    "may_supplement",
    "may_withdraw",
    "owed",
    "refusals",
]
