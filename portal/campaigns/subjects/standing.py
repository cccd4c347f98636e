"""Lines about logins that were found on the target and that neither a grant nor a declaration explains."""

from datetime import datetime, timedelta
from typing import Any

from audit.log.append import Actor
from portal.campaigns.lines import Line, sha256
from portal.campaigns.lists import ELIGIBILITIES
from portal.campaigns.models import Item
from portal.campaigns.subjects.base import NOTHING_TO_NARROW, Subject, no_grants, no_hands
from portal.errors import RefusedByPolicy
from portal.findings.actions import raise_finding
from portal.grants.models import Grant
from portal.grants.states import MAY_BE_LIVE
from portal.grants.targets import closing_of
from portal.reconciliation.models import Listing
from portal.reconciliation.sources import declared_logins
from portal.sealed.queries import in_use_on
from portal.systems.models import System

NAME = "standing_access"
A_MOMENT = timedelta(minutes=1)  # a grant that ended while the target was listed explains its login
SHOWN = ("login", "ref", "privilege", "via", "expires_at_ms")


def lines(system: System | None, listing: Listing | None) -> list[Line]:
    """Logins of the listing that can act and that nobody answers for; none where the target was not asked."""
    if system is None or listing is None:
        return []
    names = dict(system.privileges.values_list("on_target", "name"))
    known = _explained(system, listing)
    declared = declared_logins(system) | {
        each.account for each in in_use_on(system)
    }  # sealed accounts have a register of their own
    rows: list[dict[str, Any]] = listing.answer
    return [
        Line(
            NAME, subject_of(each), names.get(each["privilege"], each["privilege"]), f"{each['login']} as {each['privilege']}"[:200],
            {name: each[name] for name in SHOWN if each.get(name) is not None},
        )
        for each in rows
        if each["can_login"] and each["login"] not in declared and (each["login"], each["comment"]) not in known
    ]  # fmt: skip


def subject_of(login: dict[str, Any]) -> str:
    """What names a login and the privilege that it can act as, without its name, which may be a person's."""
    return f"{login['ref'] or sha256(login['login'])[:16]}@{login['privilege']}"[:120]


def _explained(system: System, listing: Listing) -> set[tuple[str, str]]:
    """Name and mark of logins that were a live grant's when the target was listed."""
    numbers = [
        int(each["login"][3:])
        for each in listing.answer
        if each["login"].startswith("bg_") and each["login"][3:].isdecimal()
    ]
    rows = Grant.objects.filter(system=system, number__in=numbers).select_related("privilege")
    live = [
        row
        for row in rows
        if row.state in MAY_BE_LIVE or (row.confirmed_at and row.confirmed_at > listing.taken_at - A_MOMENT)
    ]
    return {(closing_of(row).login, closing_of(row).comment) for row in live}


def narrow(_: Actor, item: Item, __: datetime) -> None:
    """The portal did not open it and cannot shorten it."""
    raise RefusedByPolicy(NOTHING_TO_NARROW, about=item)


def revoke(by: Actor, item: Item, reason: str) -> None:
    """Its owner on the target removes it: a finding says so."""
    system = item.campaign.system
    if system is not None:
        raise_finding(
            by=by, kind="standing_access", title=f"Standing access on {system.name} is to be removed by the target's owner",
            about=str(item.pk), details=f"{item.label}\n{reason.strip()}", system=system, owner=system.owner, test_id="T-23",
        )  # fmt: skip


def present(item: Item, listing: Listing | None) -> bool:
    """Whether the target still shows it."""
    answer: list[dict[str, Any]] = listing.answer if listing else []
    return any(each["can_login"] and subject_of(each) == item.subject for each in answer)


SUBJECT = Subject(
    NAME, (ELIGIBILITIES,), lines, no_hands, narrow, revoke, ("finding.raised",), no_grants, no_grants, present,
    left_to_owner=lambda _: True, found=True, changes=("expires_at_ms", "via", "privilege"),
)  # fmt: skip
