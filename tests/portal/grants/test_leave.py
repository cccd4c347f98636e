"""An approver on leave has no voice on more time and on secrets either: who stands in for them has it, and lists show what the act takes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from portal.access_requests.rules import allows
from portal.clock import now
from portal.eligibility.actions import approve_role, lend_role
from portal.eligibility.models import APPROVER, RoleAssignment
from portal.errors import NotAllowed
from portal.grants.actions import ask_extension, decide_extension
from portal.grants.models import Extension
from portal.grants.queries import extensions_waiting_for
from portal.grants.releasing import may_release
from portal.people.models import Person
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


@pytest.fixture
def asked(world: World) -> Extension:
    """Ann asks for more time."""
    return ask_extension(by=actor(world.ann), grant=opened(world), minutes=15)


def lend(world: World, lender: Person) -> None:
    """To Lea, who holds nothing here."""
    at = now()
    loan = lend_role(by=actor(lender), to=world.lea, system=world.system, from_at=at, to_at=at + timedelta(days=7))
    approve_role(by=actor(world.quinn), assignment=loan)


def voices(world: World, asked: Extension) -> dict[str, tuple[bool, bool]]:
    """Who is shown that it waits, and who may let a secret of it be shown."""
    people = {name: world.people[name] for name in ("ines", "jon", "lea", "mo", "ann")}
    return {
        name: (asked in extensions_waiting_for(who), allows(may_release, actor(who), asked.grant))
        for name, who in people.items()
    }


def test_who_stands_in_has_the_voice_and_who_is_away_none(world: World, asked: Extension) -> None:
    both, none = (True, True), (False, False)
    assert voices(world, asked) == {"ines": both, "jon": both, "lea": none, "mo": both, "ann": none}
    lend(world, world.ines)
    assert voices(world, asked) == {"ines": none, "jon": both, "lea": both, "mo": both, "ann": none}
    with pytest.raises(NotAllowed) as refused:
        decide_extension(by=actor(world.ines), extension=asked, give=True)
    with pytest.raises(NotAllowed) as unreleased:
        may_release(actor(world.ines), asked.grant)
    assert (refused.value.kind, unreleased.value.kind) == ("lent away", "lent away")
    decide_extension(by=actor(world.lea), extension=asked, give=True)
    asked.refresh_from_db()
    assert asked.decided_by == world.lea


def test_what_the_responder_lent_decides_nothing_of_theirs(world: World, asked: Extension) -> None:
    RoleAssignment.objects.filter(person=world.jon, role=APPROVER).update(person=world.ann)
    lend(world, world.ann)
    assert voices(world, asked)["lea"] == (False, False)
    with pytest.raises(NotAllowed):
        decide_extension(by=actor(world.lea), extension=asked, give=True)


def test_owner_who_lent_a_role_of_approver_still_decides_as_owner(world: World, asked: Extension) -> None:
    RoleAssignment.objects.filter(person=world.jon, role=APPROVER).update(person=world.mo)
    lend(world, world.mo)
    assert voices(world, asked)["mo"] == (True, True)
    decide_extension(by=actor(world.mo), extension=asked, give=True)
