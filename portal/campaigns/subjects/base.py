"""What a kind of line must know to be attested: a new kind is one more file beside this one, and a line in the table.

What the kinds share is here: who gave a dated right, what its line says of it, and the refusal where there is nothing to narrow.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import QuerySet

from audit.log.append import Actor
from portal.campaigns.lines import Line
from portal.campaigns.models import Item
from portal.clock import ms, optional_ms
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import RefusedByPolicy
from portal.grants.models import Grant
from portal.reconciliation.models import Listing
from portal.systems.models import System

Hands = Mapping[str, frozenset[str]]
Right = TypeVar("Right", Eligibility, RoleAssignment)
Row = TypeVar("Row")
NARROWED = ("grant.revoked", "grant.failed")  # what was opened on the strength of a right ends with it
NOTHING_TO_NARROW = "Only what is in force can end earlier. Keep or revoke this line."


def keep_as_it_is(_: Actor, __: Sequence[Item]) -> None:
    """They stay: the decision says all there is to say."""


def nothing_to_finish(_: Actor, __: Item) -> bool:
    """The decision took it away whole."""
    return True


@dataclass(frozen=True)
class Subject:
    """One kind of line.

    Attributes:
        name: how a line names it (``Item.subject_kind``).
        lists: in which lists it stands.
        lines: the lines of a system (``None``: of all), as they are now; the listing is the target's answer, if it was asked.
        hands: for each subject, who asked for the right or gave it, as the rows say now.
        narrow, revoke: what a decision does, as `keep`; each is called in the decision's transaction.
        events: which events these write.
        grants: what was opened on the strength of the right, before the decision: it must have ended.
        uses: all that was ever opened on the strength of it, for who judges.
        present: whether the target, or the portal's own rows, show after a removal that the right is still there.
        keep: only keeping is done to many at once.
        finish: what can be taken away only after those grants have ended; whether it is away now. May be called again.
        needs_listing: whether ``present`` asks the target.
        left_to_owner: the target's owner removes it, not the portal.
        found: it was found on the target, and nobody in the portal gave it.
        changes: which of its facts make it a changed line, where they are others than the last time.
    """

    name: str
    lists: tuple[str, ...]
    lines: Callable[[System | None, Listing | None], list[Line]]
    hands: Callable[[Collection[str]], Hands]
    narrow: Callable[[Actor, Item, datetime], None]
    revoke: Callable[[Actor, Item, str], None]
    events: tuple[str, ...]
    grants: Callable[[Item], QuerySet[Grant]]
    uses: Callable[[Item], QuerySet[Grant]]
    present: Callable[[Item, Listing | None], bool]
    keep: Callable[[Actor, Sequence[Item]], None] = keep_as_it_is
    finish: Callable[[Actor, Item], bool] = nothing_to_finish
    needs_listing: Callable[[Item], bool] = lambda _: True
    left_to_owner: Callable[[Item], bool] = lambda _: False
    found: bool = False
    changes: tuple[str, ...] = ("expires_at",)


def given(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts without those that are not known: absent instead of null."""
    return {name: value for name, value in facts.items() if value is not None}


def no_hands(_: Collection[str]) -> Hands:
    """Nobody gave it: it was found."""
    return {}


def no_grants(_: Item) -> QuerySet[Grant]:
    """None: it was found, not opened."""
    return Grant.objects.none()


def needed(row: Row | None, item: Item) -> Row:
    """What is to be narrowed, if it still holds.

    Raises:
        RefusedByPolicy: it does not.
    """
    if row is None:
        raise RefusedByPolicy(NOTHING_TO_NARROW, about=item)
    return row


# --- rights that are proposed by one, approved by another, and dated


def given_by(row: Eligibility | RoleAssignment) -> frozenset[str]:
    """Who proposed and who approved it."""
    return as_hands((row.proposed_by_id, row.approved_by_id))


def as_hands(people: Iterable[object]) -> frozenset[str]:
    """Pseudonyms of those who are named."""
    return frozenset(str(each) for each in people if each)


def hands_in(model: type[Eligibility] | type[RoleAssignment]) -> Callable[[Collection[str]], Hands]:
    """Who proposed and who approved each, as the rows say."""

    def hands(subjects: Collection[str]) -> Hands:
        rows: Iterable[Eligibility | RoleAssignment] = model._base_manager.filter(pk__in=list(subjects))
        return {str(row.pk): given_by(row) for row in rows}

    return hands


def still_held(rows: QuerySet[Right], item: Item) -> Right | None:
    """The right of the line, if nobody ended it meanwhile."""
    return rows.filter(pk=item.subject, approved_at__isnull=False, ended_at__isnull=True).first()


def dated_facts(row: Eligibility | RoleAssignment) -> dict[str, Any]:
    """Since when, until when, and who gave it."""
    return {
        "granted_at": ms(row.from_at), "granted_by": str(row.approved_by_id), "proposed_by": str(row.proposed_by_id),
        "expires_at": optional_ms(row.to_at),
    }  # fmt: skip


Opened = Sequence[tuple[datetime, str]]  # when, and in which mode


def use_facts(opened: Opened, since: datetime) -> dict[str, Any]:
    """How often used and how since then, and when last."""
    mine = [(at, mode) for at, mode in opened if at >= since]
    uses = [at for at, mode in mine if mode != "drill"]
    drills = [at for at, mode in mine if mode == "drill"]
    return {
        "uses": len(uses), "bypasses": sum(mode == "bypass" for _, mode in mine), "drills": len(drills),
        "last_use": optional_ms(max(uses, default=None)), "last_drill": optional_ms(max(drills, default=None)),
    }  # fmt: skip
