"""What an attestation is about: the list of a system as it stands, and the access that stands on the target, as plain lines.

The lines are written as canonical JSON (RFC 8785) and hashed. They can be made again from the stored lines, which shows any change.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import rfc8785

from portal.campaigns.models import Campaign, Item
from portal.clock import ms, optional_ms
from portal.eligibility.models import Eligibility
from portal.eligibility.queries import in_force
from portal.grants.models import Grant
from portal.grants.states import MAY_BE_LIVE
from portal.grants.targets import closing_of
from portal.reconciliation import sources
from portal.reconciliation.models import Listing
from portal.systems.models import System

ELIGIBILITY, STANDING = "eligibility", "standing_access"
A_MOMENT = timedelta(minutes=1)  # a grant that ended while the target was listed explains its login


@dataclass(frozen=True)
class Line:
    """One line. ``concerned`` holds the pseudonyms of people who may not decide on it: whose it is, who gave it."""

    subject_kind: str
    subject: str
    privilege_name: str
    label: str
    facts: dict[str, Any]
    person_id: UUID | None = None
    concerned: frozenset[str] = field(default=frozenset())

    def as_json(self) -> dict[str, Any]:
        """Plain strings and integers."""
        person = {"person": str(self.person_id)} if self.person_id else {}
        return {"kind": self.subject_kind, "subject": self.subject, "privilege": self.privilege_name, "label": self.label,
                "facts": self.facts, **person}  # fmt: skip


def snapshot(system_id: UUID, at: datetime, lines: Iterable[Line]) -> str:
    """The whole list as canonical JSON."""
    rows = sorted((line.as_json() for line in lines), key=lambda row: (row["kind"], row["subject"]))
    return rfc8785.dumps({"v": 1, "system": str(system_id), "at": ms(at), "lines": rows}).decode()


def sha256(text: str) -> str:
    """SHA-256 over the text's bytes (UTF-8), in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def again(campaign: Campaign) -> str:
    """The snapshot made anew from the lines as they are stored now."""
    items = Item.objects.filter(campaign=campaign)
    return snapshot(campaign.system_id, campaign.snapshot_at, (line_of(item) for item in items))


def line_of(item: Item) -> Line:
    """A stored line as it was listed."""
    return Line(item.subject_kind, item.subject, item.privilege_name, item.label, item.facts, item.person_id)


def lines_of(system: System, listing: Listing | None) -> list[Line]:
    """Eligibilities in force, and logins found on the target that are neither a grant's nor declared."""
    return [*_eligibilities(system), *(_standing(system, listing) if listing else ())]


def _eligibilities(system: System) -> list[Line]:
    rows = Eligibility.objects.filter(in_force(), privilege__system=system, person__left_at__isnull=True)
    uses = _uses(system)
    return [
        Line(
            ELIGIBILITY, str(row.pk), row.privilege.name, f"{row.person.name}: {row.privilege.name}"[:200],
            _facts(row, uses[row.person_id, row.privilege_id]), row.person_id, hands_of(row),
        )
        for row in rows.select_related("person", "privilege").order_by("person__name", "privilege__name")
    ]  # fmt: skip


def hands_of(row: Eligibility) -> frozenset[str]:
    """Whose it is, who proposed it, who approved it."""
    return frozenset(str(each) for each in (row.person_id, row.proposed_by_id, row.approved_by_id) if each)


def _uses(system: System) -> dict[tuple[UUID, UUID], list[tuple[datetime, str]]]:
    """When each person opened each privilege, and how."""
    found: dict[tuple[UUID, UUID], list[tuple[datetime, str]]] = defaultdict(list)
    rows = Grant.objects.filter(system=system, opened_at__isnull=False).order_by("opened_at")
    for person, privilege, at, mode in rows.values_list("person_id", "privilege_id", "opened_at", "request__mode"):
        if at is not None:
            found[person, privilege].append((at, mode))
    return found


def _facts(row: Eligibility, opened: list[tuple[datetime, str]]) -> dict[str, Any]:
    """Since when, until when, how often used and how, and when last: what the reviewer needs. Absent instead of null."""
    mine = [(at, mode) for at, mode in opened if at >= row.from_at]
    uses = [at for at, mode in mine if mode != "drill"]
    drills = [at for at, mode in mine if mode == "drill"]
    facts = {
        "privilege_id": str(row.privilege_id), "granted_at": ms(row.from_at), "granted_by": str(row.approved_by_id),
        "expires_at": optional_ms(row.to_at), "uses": len(uses), "bypasses": sum(mode == "bypass" for _, mode in mine),
        "drills": len(drills), "last_use": optional_ms(max(uses, default=None)), "last_drill": optional_ms(max(drills, default=None)),
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value is not None}


def _standing(system: System, listing: Listing) -> list[Line]:
    names = dict(system.privileges.values_list("on_target", "name"))
    known, declared = _explained(system, listing), declared_logins(system)
    rows: list[dict[str, Any]] = listing.answer
    return [
        Line(
            STANDING, standing_subject(each), names.get(each["privilege"], each["privilege"]), f"{each['login']} as {each['privilege']}"[:200],
            {name: each[name] for name in ("login", "ref", "privilege", "via", "expires_at_ms") if each.get(name) is not None},
        )
        for each in rows
        if each["can_login"] and each["login"] not in declared and (each["login"], each["comment"]) not in known
    ]  # fmt: skip


def standing_subject(login: dict[str, Any]) -> str:
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


def declared_logins(system: System) -> frozenset[str]:
    """Logins whose work is none of the portal's, and the portal's own."""
    named: list[str] = [*(system.settings.get("declared_logins") or ()), str(system.settings.get("user", ""))]
    for source in sources.declared():
        if source.system.pk == system.pk:
            named += [
                *str(source.settings.get("declared_logins", "")).split(","),
                str(source.settings.get("portal_login", "")),
            ]
    return frozenset(name.strip() for name in named if name.strip())
