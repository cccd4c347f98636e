"""Whom a policy has told of what. Pure.

Each group of alerts has recipients who are always told, whatever a policy says, and others whom it may choose; a group that it does not
speak of goes to whom it usually goes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

RESPONDER, APPROVERS, OWNER, REVIEWERS, ADMINISTRATORS, SECURITY = (
    "responder", "approvers", "owner", "reviewers", "administrators", "security",
)  # fmt: skip
RECIPIENTS = {
    RESPONDER: "the responder",
    APPROVERS: "approvers",
    OWNER: "the owner",
    REVIEWERS: "reviewers",
    ADMINISTRATORS: "administrators",
    SECURITY: "the security list",
}


@dataclass(frozen=True)
class Group:
    """Alerts that go the same way. ``always``: who can be taken off by no policy; ``usual``: who else is told unless it says otherwise.

    ``at_first``: those of the usual ones who then hear of the opening alone.
    """

    label: str
    always: tuple[str, ...]
    usual: tuple[str, ...]
    may: tuple[str, ...]
    at_first: tuple[str, ...] = ()
    owed_by: str = ""  # somebody else who is always told, in words

    @property
    def always_told(self) -> str:
        """In words."""
        return listed([*filter(None, [self.owed_by]), *(RECIPIENTS[each] for each in self.always)])

    @property
    def usually_told(self) -> str:
        """Besides, in words; empty where it is nobody else."""
        said = [
            f"{RECIPIENTS[each]} of the opening" if each in self.at_first else RECIPIENTS[each] for each in self.usual
        ]
        return listed(said) if said else ""


USE, FAILED, FAILED_END, BYPASS, GAP, OVERDUE = "use", "failed", "failed_end", "bypass", "gap", "overdue"
GROUPS = {
    USE: Group(
        "A use: opened, longer, ended", (OWNER,), (RESPONDER, APPROVERS),
        (RESPONDER, APPROVERS, REVIEWERS, ADMINISTRATORS, SECURITY), at_first=(APPROVERS,),
    ),
    BYPASS: Group("A bypass, and more time for it", (APPROVERS, OWNER, SECURITY), (), (REVIEWERS, ADMINISTRATORS)),
    FAILED: Group("An attempt to open that failed", (RESPONDER,), (OWNER,), (APPROVERS, OWNER, REVIEWERS, ADMINISTRATORS, SECURITY)),
    FAILED_END: Group("An end that failed", (OWNER, SECURITY), (), (RESPONDER, APPROVERS, REVIEWERS, ADMINISTRATORS)),
    GAP: Group(
        "Missing records, a session without a grant, a target that changed", (OWNER,), (), (APPROVERS, REVIEWERS, ADMINISTRATORS, SECURITY),
        owed_by="who is given the finding",
    ),
    OVERDUE: Group(
        "A duty that is overdue", (OWNER,), (), (APPROVERS, ADMINISTRATORS, SECURITY), owed_by="who owes it"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Telling:
    """A policy's choice for one group: who is told beside those who always are."""

    group: str
    to: tuple[str, ...]


def ordered(to: Iterable[str]) -> tuple[str, ...]:
    """Recipients in the one order of all."""
    chosen = set(to)
    return tuple(each for each in RECIPIENTS if each in chosen)


def listed(names: Iterable[str]) -> str:
    """``the owner, approvers and the security list``."""
    *first, last = list(names) or ["nobody else"]
    return f"{', '.join(first)} and {last}" if first else last


def chosen_of(telling: Iterable[Telling], group: str) -> tuple[str, ...] | None:
    """What a policy says of a group; ``None`` where it says nothing."""
    return next((each.to for each in telling if each.group == group), None)


def told_of(telling: Iterable[Telling], group: str) -> tuple[str, ...]:
    """Who is told beside those who always are."""
    chosen = chosen_of(telling, group)
    return GROUPS[group].usual if chosen is None else chosen


def told_to(telling: Iterable[Telling], group: str, *, first: bool = False) -> frozenset[str]:
    """All who are told of an alert of a group; ``first``: of the first one of a use."""
    known, chosen = GROUPS[group], chosen_of(telling, group)
    if chosen is None:
        chosen = tuple(each for each in known.usual if first or each not in known.at_first)
    return frozenset({*known.always, *chosen})


def in_words(telling: Iterable[Telling]) -> str:
    """Each group that a policy speaks of."""
    rules = list(telling)
    if not rules:
        return "as usual"
    return "; ".join(f"{GROUPS[each.group].label}: {_with_always(each.group, each.to)}" for each in rules)


def sentence(group: str, to: tuple[str, ...]) -> str:
    """Who is told of a group from now on."""
    return f"{GROUPS[group].label}: told are {_with_always(group, to)}."


def _with_always(group: str, to: Iterable[str]) -> str:
    known = GROUPS[group]
    owed = [known.owed_by] if known.owed_by else []
    return listed([*owed, *(RECIPIENTS[each] for each in ordered({*known.always, *to}))])
