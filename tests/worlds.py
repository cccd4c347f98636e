"""A small organisation around one system, for tests: rows that stand before an emergency begins. What follows goes by the real actions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from audit.log.append import Actor, now_ms
from audit.log.keys import load_signer
from audit.log.sealer import Sealer
from audit.log.witness.listed import Listed
from audit.log.witnessing import Witnessing
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import Asked
from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.grants import authorising, opening
from portal.grants.models import Grant
from portal.people.models import Person
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.systems.models import Privilege, System
from tests.servers import new_folder

REASON = "Disk at 98 percent, writes are failing and customers are affected."


def actor(person: Person, *, method: str | None = "totp", age_s: int = 10) -> Actor:
    """The person as one who proved themselves ``age_s`` seconds ago; ``method=None``: password alone."""
    return Actor(str(person.pk), person.name, method, now_ms() - age_s * 1000 if method else None)


@dataclass
class World:
    """People, one system with one privilege, and its policy in force."""

    system: System
    privilege: Privilege
    policy: PolicyVersion
    people: dict[str, Person]
    state: Path = field(default_factory=Path)

    def __getattr__(self, name: str) -> Person:
        """``world.ann``."""
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def asked(self, mode: str = "approved", **changes: Any) -> Asked:
        """What a responder says; complete unless changed."""
        said: dict[str, Any] = {
            "mode": mode, "criterion": "outage", "reason": REASON, "minutes": 30, "category": "availability",
            "intended_classes": ("data_read", "data_change"), "incident_ref": "INC-1",
        }  # fmt: skip
        return Asked(**{**said, **changes})


ROLES = {
    "ines": "approver", "jon": "approver", "kim": "reviewer", "lea": "reviewer", "mo": "owner", "otto": "auditor",
    "pia": "administrator", "quinn": "administrator", "ann": "responder", "ben": "responder",
}  # fmt: skip


@transaction.atomic
def make_world(*, connector: str = "simulated", connector_settings: dict[str, object] | None = None, policy: Policy | None = None,
               slug: str = "billing", on_target: str = "billing_emergency", people: dict[str, Person] | None = None,
               secret: bytes | None = None) -> World:  # fmt: skip
    """Ann and Ben may ask, Ines and Jon approve, Kim and Lea review, Mo owns, Otto audits, Pia and Quinn administer, Zoe is an outsider."""
    at = now() - timedelta(days=30)
    people = people or _people((*ROLES, "zoe"), at)
    state = new_folder("simulated") / "state.db"
    chosen = (
        connector_settings if connector_settings is not None else {"state_path": str(state), "privileges": [on_target]}
    )
    system = System.objects.create(
        slug=slug,
        name=slug.title(),
        owner=people["mo"],
        connector=connector,
        settings=chosen,
        secret=secret,
        in_scope_from=at,
        way_in="Call it.",
    )
    privilege = Privilege.objects.create(system=system, name="Billing emergency", on_target=on_target, added_at=at)
    RoleAssignment._base_manager.bulk_create(
        RoleAssignment(person=people[name], role=role, system=system, **_dated(people, people[name], at))
        for name, role in ROLES.items()
    )
    Eligibility._base_manager.bulk_create(
        Eligibility(person=people[name], privilege=privilege, **_dated(people, people[name], at))
        for name in ("ann", "ben")
    )
    rules = policy or Policy()
    version = PolicyVersion.objects.create(
        system=system, number=1, document=rules.document(), sha256=rules.sha256(), written_by=people["pia"], written_at=at,
        approved_by=people["quinn"], approved_at=at, effective_from=at, review_due_at=at + timedelta(days=365),
    )  # fmt: skip
    return World(system, privilege, version, people, state)


def let_ask(world: World, name: str) -> None:
    """One more who may ask: nobody has more than twenty requests open at once."""
    at, person = now() - timedelta(days=30), world.people[name]
    dated = _dated(world.people, person, at)
    RoleAssignment._base_manager.create(person=person, role="responder", system=world.system, **dated)
    Eligibility._base_manager.create(person=person, privilege=world.privilege, **dated)


def _people(names: tuple[str, ...], at: datetime) -> dict[str, Person]:
    people = {name: Person(email=f"{name}@example.org", name=name.title(), added_at=at) for name in names}
    for name, person in people.items():
        person.set_password(f"{name}-password-long")
    Person.objects.bulk_create(people.values())
    return people


def _dated(people: dict[str, Person], person: Person, at: datetime) -> dict[str, Any]:
    """Proposed and approved by two others."""
    first, second = ("quinn", "mo") if person == people["pia"] else ("pia", "quinn")
    if person in (people["quinn"], people["mo"]):
        first, second = "pia", "ines"
    return {
        "proposed_by": people[first], "proposed_at": at, "approved_by": people[second], "approved_at": at, "from_at": at,
    }  # fmt: skip


def request_of(world: World, by: str = "ann", **changes: Any) -> AccessRequest:
    """A waiting request, by the real action."""
    from portal.access_requests.asking import ask

    return ask(by=actor(world.people[by]), privilege=world.privilege, asked=world.asked(**changes))


def authorised(world: World, by: str = "ann", **changes: Any) -> Grant:
    """A grant that waits to be opened, by the real actions."""
    grant = authorising.approve(by=actor(world.people["ines"]), request=request_of(world, by, **changes))
    assert grant is not None
    return grant


def opened(world: World, by: str = "ann", **changes: Any) -> Grant:
    """An open grant; needs `sealing`."""
    grant = opening.run(authorised(world, by, **changes).pk)
    assert grant.state == "active", grant.last_trouble
    return grant


@contextmanager
def sealing(*witnesses: Listed) -> Iterator[Sealer]:
    """A real sealer at work, with the run's key; it shows what it signs to these witnesses."""
    import os

    sealer = Sealer(
        "default",
        load_signer(Path(os.environ["PORTAL_LOG_KEY_FILE"])),
        threading.Event(),
        witnesses=Witnessing(witnesses),
    )
    thread = threading.Thread(target=sealer.run, daemon=True)
    thread.start()
    try:
        yield sealer
    finally:
        sealer.stop.set()
        thread.join(timeout=90)


def overdue(grant: Grant) -> Grant:
    """Put a grant's window into the past, as if the time had gone by."""
    past = now() - timedelta(seconds=1)
    Grant.objects.filter(pk=grant.pk).update(
        expires_at=past, first_expires_at=past, planned_expires_at=past, opened_at=past - timedelta(minutes=30)
    )
    grant.refresh_from_db()
    return grant


def names_of(case: object) -> list[str]:
    """Names of a case's events in the order in which they were written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.name FROM audit_event e LEFT JOIN audit_sealed_entry s ON s.event_id = e.id LEFT JOIN audit_queue q ON q.event_id = e.id "
            'WHERE e."case" = %s ORDER BY s.index NULLS LAST, q.seq',
            [str(case)],
        )
        return [row[0] for row in cursor.fetchall()]


__all__ = [
    "REASON",
    "World",
    "actor",
    "authorised",
    "make_world",
    "names_of",
    "opened",
    "overdue",
    "request_of",
    "sealing",
]
