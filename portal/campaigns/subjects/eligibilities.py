"""Lines about eligibilities: a person who may ask for a privilege."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from audit.log.append import Actor
from portal.campaigns.lines import Line
from portal.campaigns.lists import ELIGIBILITIES
from portal.campaigns.models import Item
from portal.campaigns.states import MODIFIED
from portal.campaigns.subjects.base import (
    NARROWED,
    Opened,
    Subject,
    dated_facts,
    given,
    given_by,
    hands_in,
    needed,
    still_held,
    use_facts,
)
from portal.clock import ms
from portal.eligibility.actions import reconfirm_eligibilities
from portal.eligibility.models import Eligibility
from portal.eligibility.queries import in_force
from portal.grants import narrowing
from portal.grants.models import Grant
from portal.grants.targets import closing_of
from portal.reconciliation.models import Listing
from portal.systems.models import System

NAME = "eligibility"
Openings = dict[tuple[UUID, UUID], list[tuple[datetime, str]]]


def lines(system: System | None, _: Listing | None) -> list[Line]:
    """The list as it stands, by names. Two questions, however long it is."""
    rows = Eligibility.objects.filter(in_force(), privilege__system=system, person__left_at__isnull=True)
    uses = _uses(system)
    return [
        Line(
            NAME, str(row.pk), row.privilege.name, f"{row.person.name}: {row.privilege.name}"[:200],
            _facts(row, uses[row.person_id, row.privilege_id]), row.person_id, given_by(row),
        )
        for row in rows.select_related("person", "privilege").order_by("person__name", "privilege__name")
    ]  # fmt: skip


def _uses(system: System | None) -> Openings:
    """When each person opened each privilege, and how."""
    found: Openings = defaultdict(list)
    rows = Grant.objects.filter(system=system, opened_at__isnull=False).order_by("opened_at")
    for person, privilege, at, mode in rows.values_list("person_id", "privilege_id", "opened_at", "request__mode"):
        if at is not None:
            found[person, privilege].append((at, mode))
    return found


def _facts(row: Eligibility, opened: Opened) -> dict[str, Any]:
    return given({"privilege_id": str(row.privilege_id), **dated_facts(row), **use_facts(opened, row.from_at)})


def in_force_of(item: Item) -> Eligibility | None:
    """The eligibility of the line, if nobody ended it meanwhile."""
    return still_held(Eligibility.objects.select_related("privilege__system", "person"), item)


def keep(by: Actor, items: Sequence[Item]) -> None:
    """Note that they were looked at; what ended meanwhile is left as it is."""
    found = Eligibility.objects.filter(
        pk__in=[item.subject for item in items], approved_at__isnull=False, ended_at__isnull=True
    )
    keys = list(found.values_list("pk", flat=True))
    if keys:
        reconfirm_eligibilities(by=by, eligibilities=keys)


def narrow(by: Actor, item: Item, to_at: datetime) -> None:
    """It ends earlier, and with it what would outlast it."""
    narrowing.shorten_eligibility(by=by, eligibility=needed(in_force_of(item), item), to_at=to_at)


def revoke(by: Actor, item: Item, _: str) -> None:
    """It goes at once, and the person's open grants of it with it."""
    row = in_force_of(item)
    if row is not None:
        narrowing.revoke_eligibility(by=by, eligibility=row, cause="attestation")


def uses(item: Item) -> QuerySet[Grant]:
    """The person's grants of the privilege."""
    return Grant.objects.filter(person=item.person, privilege_id=item.facts["privilege_id"])


def grants(item: Item) -> QuerySet[Grant]:
    """Those that came before the decision."""
    return uses(item).filter(authorised_at__lte=item.decided_at).select_related("privilege")


def present(item: Item, listing: Listing | None) -> bool:
    """Whether the target shows a login of such a grant that can act, or can for longer than it now may."""
    theirs = {(closing_of(each).login, closing_of(each).comment, each.privilege.on_target) for each in grants(item)}
    limit = _limit(item)
    answer: list[dict[str, Any]] = listing.answer if listing else []
    return any(
        each["can_login"]
        and (each["login"], each["comment"], each["privilege"]) in theirs
        and (each["expires_at_ms"] is None or each["expires_at_ms"] > limit)
        for each in answer
    )


def _limit(item: Item) -> int:
    """Until when a login of theirs may act (ms): not at all, or up to the earlier end."""
    end = Eligibility.objects.filter(pk=item.subject).values_list("to_at", flat=True).first()
    return ms(end) if item.state == MODIFIED and end else 0


SUBJECT = Subject(
    NAME, (ELIGIBILITIES,), lines, hands_in(Eligibility), narrow, revoke, grants=grants, uses=uses, present=present, keep=keep,
    events=("eligibility.reconfirmed", "eligibility.shortened", "eligibility.revoked", *NARROWED),
)  # fmt: skip
