"""Who may look at what, as audit's pages ask it."""

import uuid

import pytest

from portal.eligibility.models import RoleAssignment
from portal.permissions import RolesBackend
from tests.worlds import World, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def test_owner_named_by_the_system_sees_its_cases_without_the_role(world: World) -> None:
    RoleAssignment.objects.filter(person=world.mo).delete()
    other = make_world(slug="payroll", people=world.people | {"mo": world.zoe})
    own, foreign = request_of(world), request_of(other)
    RoleAssignment.objects.filter(person=world.zoe).delete()
    seen = {
        (name, each.system.slug): [
            person.has_perm("audit.view_case", str(each.pk)),
            person.has_perm("audit.view_system", str(each.system_id)),
            person.has_perm("audit.view_system", each.system),
            str(each.system_id) in RolesBackend().systems_with_perm(person, "audit.view_system"),
        ]
        for name, person in (("mo", world.mo), ("zoe", world.zoe))
        for each in (own, foreign)
    }
    assert {key: set(answers) for key, answers in seen.items()} == {
        ("mo", "billing"): {True}, ("mo", "payroll"): {False}, ("zoe", "billing"): {False}, ("zoe", "payroll"): {True},
    }  # fmt: skip


def test_owner_makes_no_packs_and_sees_no_unknown_case(world: World) -> None:
    assert not world.mo.has_perm("audit.make_pack", world.system)
    assert RolesBackend().systems_with_perm(world.mo, "audit.make_pack") == frozenset()
    assert not world.mo.has_perm("audit.view_case", str(uuid.uuid4()))
