"""Roles that nobody holds beside each other: refused where they are proposed or approved, shown where they stand."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

import audit.controls
from portal.clock import now
from portal.eligibility import actions
from portal.eligibility.models import CONFLICTING, RoleAssignment
from portal.eligibility.queries import standing_conflicts
from portal.errors import RefusedByPolicy
from tests.browsing import browser_of
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    made = make_world()
    RoleAssignment.objects.filter(person__in=[made.pia, made.quinn]).update(system=None)
    return made


def propose(world: World, to: str, role: str, *, everywhere: bool = False, **when: object) -> RoleAssignment:
    system = None if everywhere else world.system
    return actions.propose_role(by=actor(world.pia), person=world.people[to], role=role, system=system, **when)  # type: ignore[arg-type]  # dates


def standing(world: World, to: str, role: str) -> RoleAssignment:
    """As it may have come to be before conflicts were refused."""
    at = now()
    return RoleAssignment.objects.create(
        person=world.people[to],
        role=role,
        system=world.system,
        proposed_by=world.pia,
        proposed_at=at,
        approved_by=world.mo,
        approved_at=at,
        from_at=at,
    )


def test_pairs_are_the_catalogues() -> None:
    path = Path(audit.controls.__path__[0], "catalogue", "parameters.yaml")
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))["parameters"]["conflicting_roles"]["value"]
    assert {frozenset(pair) for pair in CONFLICTING} == {frozenset(pair) for pair in listed}


@pytest.mark.parametrize(
    ("to", "role", "says"),
    [
        ("quinn", "auditor", "This person holds the role of administrator for all systems, and nobody holds it beside that of auditor. End that one first."),
        ("kim", "custodian", "This person holds the role of reviewer for Billing, and nobody holds it beside that of custodian. End that one first."),
        ("ann", "custodian", "This person holds the role of responder for Billing, and nobody holds it beside that of custodian. End that one first."),
    ],
)  # fmt: skip
def test_conflicting_role_is_refused(world: World, to: str, role: str, says: str) -> None:
    with pytest.raises(RefusedByPolicy) as refusal:
        propose(world, to, role)
    assert refusal.value.sentence == says


def test_role_that_waits_conflicts_too_and_one_for_all_systems_with_each(world: World) -> None:
    propose(world, "zoe", "custodian")
    for everywhere in (False, True):
        with pytest.raises(RefusedByPolicy, match="waits for the role of custodian"):
            propose(world, "zoe", "responder", everywhere=everywhere)


def test_conflict_that_came_to_be_meanwhile_is_refused_at_the_approval(world: World) -> None:
    proposed = propose(world, "zoe", "custodian")
    standing(world, "zoe", "responder")
    with pytest.raises(RefusedByPolicy, match="holds the role of responder"):
        actions.approve_role(by=actor(world.quinn), assignment=proposed)


def test_roles_at_other_times_and_pairs_that_are_none_are_let_through(world: World) -> None:
    propose(world, "zoe", "custodian", to_at=now() + timedelta(days=2))
    propose(world, "zoe", "responder", from_at=now() + timedelta(days=3))
    propose(world, "kim", "approver")


def test_standing_conflict_is_shown_where_somebody_looks_after_it(world: World) -> None:
    browser = browser_of(world.pia)
    pages = ("/people/", f"/people/{world.kim.pk}/", f"/systems/{world.system.pk}/")
    says = "Roles that nobody should hold together"
    assert [says in browser.get(page).content.decode() for page in pages] == [False] * 3
    standing(world, "kim", "custodian")
    assert [(each.role, other.role) for each, other in standing_conflicts()] == [("custodian", "reviewer")]
    assert [says in browser.get(page).content.decode() for page in pages] == [True] * 3
