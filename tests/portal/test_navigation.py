"""Whoever somebody is: every link that the navigation offers them opens."""

import pytest
from django.test import Client

from portal.clock import now
from portal.eligibility.models import ROLES, RoleAssignment
from portal.navigation import PLACES
from portal.people.models import Person
from portal.systems.models import System
from tests.browsing import browser_of
from tests.factories import client_of, person
from tests.worlds import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)
ROLE_NAMES = [role for role, _ in ROLES]
NOT_OFFERED_FOR_ONE_SYSTEM = {
    "administrator": {"People", "Retention", "Holds and erasures", "Receivers"},
    "auditor": {"Retention", "Holds and erasures", "Log"},
}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def somebody(world: World) -> Person:
    """Known, and without any role."""
    return world.zoe


def give(world: World, to: Person, role: str, system: System | None) -> None:
    RoleAssignment.objects.create(
        person=to, role=role, system=system, proposed_by=world.pia, proposed_at=now(), approved_by=world.quinn, approved_at=now(),
        from_at=now(),
    )  # fmt: skip


def offered(browser: Client) -> dict[str, str]:
    """Addresses by label, as the first page offers them."""
    return {str(link["label"]): str(link["url"]) for link in browser.get("/").context["nav"]}


def refused(browser: Client, links: dict[str, str]) -> dict[str, int]:
    answers = {label: browser.get(address).status_code for label, address in links.items()}
    return {label: status for label, status in answers.items() if status != 200}


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_link_opens_for_who_holds_a_role_of_one_system_and_of_all(
    world: World, somebody: Person, role: str
) -> None:
    browser = browser_of(somebody)
    give(world, somebody, role, world.system)
    one = offered(browser)
    assert refused(browser, one) == {}
    give(world, somebody, role, None)
    everywhere = offered(browser)
    assert refused(browser, everywhere) == {}
    assert everywhere.keys() - one.keys() == NOT_OFFERED_FOR_ONE_SYSTEM.get(role, set())


def test_every_link_opens_for_who_is_named_as_owner_and_for_who_is_nobody(world: World, somebody: Person) -> None:
    browser = browser_of(somebody)
    nobody = offered(browser)
    assert refused(browser, nobody) == {}
    System.objects.filter(pk=world.system.pk).update(owner=somebody)
    owner = offered(browser)
    assert owner.keys() > nobody.keys()
    assert refused(browser, owner) == {}


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_every_link_opens_before_any_system_is_registered(role: str) -> None:
    first = person("First")
    RoleAssignment.objects.create(
        person=first,
        role=role,
        proposed_by=person("Third"),
        proposed_at=now(),
        approved_by=person("Second"),
        approved_at=now(),
        from_at=now(),
    )
    browser = client_of(first)
    assert refused(browser, offered(browser)) == {}


def test_every_place_is_offered_to_somebody(world: World, somebody: Person) -> None:
    for role in ROLE_NAMES:
        give(world, somebody, role, None)
    assert offered(browser_of(somebody)).keys() == {place.label for place in PLACES}
