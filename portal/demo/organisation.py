"""The demo's organisation, built through the real actions under a clock set to the past: founding, people, systems, policies, lists.

Everybody's second factor is enrolled and checked for real; the method that events name was checked.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from audit.log.append import Actor, process
from portal.demo import sealed
from portal.demo.clock import Clock, at
from portal.demo.personas import BY_KEY, COLLEAGUES, PERSONAS, Persona
from portal.demo.places import PLACES, Place
from portal.demo.queries import code_of
from portal.demo.target import DESCRIPTIONS, PORTAL_LOGIN
from portal.eligibility import actions as lists
from portal.eligibility.founding import Founder, found
from portal.people import actions as people_actions
from portal.people.factors import new_key
from portal.people.models import Person
from portal.policy import actions as policies
from portal.systems import actions as systems
from portal.systems.models import Privilege, System

CONTRACTS_END = at("2026-12-31 00:00")


@dataclass
class Organisation:
    """People, what was proved of them, and systems by short name."""

    clock: Clock
    people: dict[str, Person] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    systems: dict[str, System] = field(default_factory=dict)

    def by(self, key: str, *, minutes: int = 0) -> Actor:
        """The persona, with a second factor given so many minutes ago on the demo's clock: it was really checked when it was enrolled."""
        actor = self.actors[key]
        return Actor(actor.id, actor.name, actor.method, self.clock.at - minutes * 60_000)


def build(organisation: Organisation) -> None:
    """Found the portal and add its people, once."""
    _found(organisation)
    for persona in PERSONAS:
        if persona.key not in ("pia", "quinn"):
            _add(organisation, persona)
    for persona in COLLEAGUES:
        organisation.people[persona.key] = _entered(organisation, persona)
    _roles(organisation, None, (("rosa", "auditor"),))


def add_systems(organisation: Organisation, connector: str) -> None:
    """Register the systems of one kind of target, with roles, policies and lists."""
    for place in PLACES:
        if place.connector == connector:
            _place(organisation, place)


def declare_source(organisation: Organisation, place: Place) -> None:
    """Declare the source of a system: from then on completeness asks for each day."""
    after = {"counting": _counting(place), "settings": source_settings(place)}
    _two(organisation, kind=systems.SOURCE, after=after, system=organisation.systems[place.slug])


def _found(organisation: Organisation) -> None:
    pia, quinn = BY_KEY["pia"], BY_KEY["quinn"]
    first, second = found(
        by=process("demo"), first=Founder(pia.name, pia.email), second=Founder(quinn.name, quinn.email), host="demo"
    )
    _enter(organisation, pia, first.email)
    _enter(organisation, quinn, second.email)


def _add(organisation: Organisation, persona: Persona) -> None:
    _entered(organisation, persona)
    _enter(organisation, persona, persona.email)


def _entered(organisation: Organisation, persona: Persona) -> Person:
    """On the portal's list; who works for another company has a sponsor and a contract."""
    outside: dict[str, Any] = {}
    if persona.sponsor:
        ends = organisation.clock.told(CONTRACTS_END)
        outside = {"third_party": True, "sponsor": organisation.people[persona.sponsor], "contract_end": ends}
    added, _ = people_actions.add_person(by=organisation.by("pia"), name=persona.name, email=persona.email, **outside)
    return added


def _enter(organisation: Organisation, persona: Persona, email: str) -> None:
    """What somebody does at their first sign-in: choose a password, enrol an authenticator."""
    person = Person.objects.get(email=email)
    people_actions.choose_password(by=people_actions.acting(person), person=person, password=persona.password)
    key = new_key()
    proof = people_actions.enrol_factor(by=people_actions.acting(person), person=person, key=key, code=code_of(key))
    organisation.people[persona.key] = person
    organisation.keys[persona.key] = key
    organisation.actors[persona.key] = people_actions.acting(person, proof)


def _roles(organisation: Organisation, system: System | None, wanted: tuple[tuple[str, str], ...]) -> None:
    for key, role in wanted:
        proposed = lists.propose_role(
            by=organisation.by("pia"), person=organisation.people[key], role=role, system=system
        )
        lists.approve_role(by=organisation.by("quinn"), assignment=proposed)


def _place(organisation: Organisation, place: Place) -> None:
    system = _register(organisation, place)
    if place.sealed is not None:
        sealed.register(organisation, system, *place.sealed)
    for name, on_target in () if place.sealed else _privileges(place):
        after = {"name": name, "on_target": on_target, "description": DESCRIPTIONS.get(on_target, "")}
        _two(organisation, kind=systems.PRIVILEGE, after=after, system=system)
    reviewers = [(key, "reviewer") for key in place.reviewers]
    roles = [(place.approver, "approver"), *reviewers, ("mo", "owner"), ("nora", "owner"), *place.more_roles]
    _roles(organisation, system, (*roles, *((key, "responder") for key in place.responders)))
    version = policies.propose(by=organisation.by("pia"), system=system, policy=place.policy)
    policies.approve(by=organisation.by("quinn"), version=version)
    for key in (*place.responders, *place.listed):
        for privilege in Privilege.objects.filter(system=system):
            proposed = lists.propose_eligibility(
                by=organisation.by("pia"), person=organisation.people[key], privilege=privilege
            )
            owner = place.listed_by.get(privilege.on_target, "mo")
            lists.approve_eligibility(by=organisation.by(owner), eligibility=proposed)


def _register(organisation: Organisation, place: Place) -> System:
    after = {
        "slug": place.slug, "name": place.name, "criticality": place.criticality, "personal_data": place.personal_data,
        "way_in": place.way_in, "connector": place.connector, "settings": connector_settings(place),
        "owner": str(organisation.people["mo"].pk),
    }  # fmt: skip
    secret = target_password() if place.connector == "postgresql" else ""
    change = systems.propose(by=organisation.by("pia"), kind=systems.REGISTER, after=after, secret=secret)
    system = systems.approve(by=organisation.by("quinn"), change=change)
    organisation.systems[place.slug] = system
    return system


def _two(organisation: Organisation, *, kind: str, after: Mapping[str, object], system: System) -> None:
    change = systems.propose(by=organisation.by("pia"), kind=kind, after=dict(after), system=system)
    systems.approve(by=organisation.by("quinn"), change=change)


def _privileges(place: Place) -> list[tuple[str, str]]:
    if place.sealed:
        return [(place.sealed[1], place.sealed[0])]
    if place.privileges:
        return [(words, on_target) for on_target, words in place.privileges]
    return [(f"{place.name}: emergency", f"{place.slug}_emergency")]


def _counting(place: Place) -> str:
    return "line_num per session" if place.connector == "postgresql" else "dense"


def connector_settings(place: Place) -> dict[str, object]:
    """How the connector reaches the system on this machine."""
    names = [on_target for _, on_target in _privileges(place)]
    if place.connector == "postgresql":
        return {
            "host": os.environ["TARGET_HOST"], "port": int(os.environ["TARGET_PORT"]), "dbname": os.environ["TARGET_DATABASE"],
            "user": PORTAL_LOGIN, "privileges": names,
        }  # fmt: skip
    return {"state_path": str(_state(place)), "privileges": names}


def source_settings(place: Place) -> dict[str, object]:
    """Where the source's log lies, for gather."""
    if place.connector == "postgresql":
        return {
            "log_dir": os.environ["TARGET_LOG_FOLDER"], "portal_login": PORTAL_LOGIN, "declared_logins": "shop_app,portal_super",
            "database": os.environ["TARGET_DATABASE"],
        }  # fmt: skip
    return {"log_path": f"{_state(place)}.log.jsonl", "portal_login": "portal", "heartbeat_ms": 30_000}


def _state(place: Place) -> Path:
    folder = settings.PORTAL_DATA / "targets"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(folder / f"{place.slug}.db")


def target_password() -> str:
    """The portal's password on the demo's target, made once and kept for this demo alone."""
    file = settings.PORTAL_DATA / "target.password"
    if not file.exists():
        import secrets  # noqa: PLC0415 - used once in the life of a demo

        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return str(file.read_text())
