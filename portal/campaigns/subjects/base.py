"""What a kind of line must know to be attested: a new kind is one more file beside this one, and a line in the table."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from audit.log.append import Actor
from portal.campaigns.lines import Line
from portal.campaigns.models import Item
from portal.grants.models import Grant
from portal.reconciliation.models import Listing
from portal.systems.models import System

Hands = Mapping[str, frozenset[str]]
NARROWED = ("grant.revoked", "grant.failed")  # what was opened on the strength of a right ends with it


@dataclass(frozen=True)
class Subject:
    """One kind of line.

    Attributes:
        name: how a line names it (``Item.subject_kind``).
        lists: in which lists it stands.
        lines: the lines of a system (``None``: of all), as they are now; the listing is the target's answer, if it was asked.
        hands: for each subject, who asked for the right or gave it, as the rows say now.
        keep, narrow, revoke: what a decision does; each is called in the decision's transaction. Only keeping is done to many at once.
        events: which events these write.
        grants: what was opened on the strength of the right, before the decision: it must have ended.
        present: whether the target, or the portal's own rows, show after a removal that the right is still there.
        needs_listing: whether ``present`` asks the target.
        by_owner: the target's owner removes it, not the portal.
    """

    name: str
    lists: tuple[str, ...]
    lines: Callable[[System | None, Listing | None], list[Line]]
    hands: Callable[[Collection[str]], Hands]
    keep: Callable[[Actor, Sequence[Item]], None]
    narrow: Callable[[Actor, Item, datetime], None]
    revoke: Callable[[Actor, Item, str], None]
    events: tuple[str, ...]
    grants: Callable[[Item], QuerySet[Grant]]
    present: Callable[[Item, Listing | None], bool]
    needs_listing: Callable[[Item], bool] = lambda _: True
    by_owner: bool = False


def given(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts without those that are not known: absent instead of null."""
    return {name: value for name, value in facts.items() if value is not None}


def no_hands(_: Collection[str]) -> Hands:
    """Nobody gave it: it was found."""
    return {}
