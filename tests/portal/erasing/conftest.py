"""Somebody who asked for access and left, and two administrators of everything."""

from typing import Any

import pytest
from django.db import connection

from portal.access_requests.models import AccessRequest
from portal.eligibility.models import RoleAssignment
from portal.grants.narrowing import note_leaving
from portal.people.actions import add_person
from portal.people.models import Person
from tests.servers import role_url
from tests.worlds import World, actor, let_ask, make_world, request_of

NAME, EMAIL, TYPED = (
    "Ursula Vogelweide",
    "ursula.vogelweide@example.org",
    "The mandarin orange queue is stuck; let me look.",
)


@pytest.fixture
def world() -> World:
    made = make_world()
    RoleAssignment.objects.filter(person__in=[made.pia, made.quinn, made.otto]).update(system=None)
    ursula, _ = add_person(by=actor(made.pia), name=NAME, email=EMAIL)
    made.people["ursula"] = ursula
    let_ask(made, "ursula")
    return made


@pytest.fixture
def asked(world: World) -> AccessRequest:
    """What she asked for while she was here."""
    return request_of(world, "ursula", reason=TYPED)


@pytest.fixture
def left(world: World, asked: AccessRequest) -> Person:
    """She has left."""
    note_leaving(by=actor(world.pia), person=world.ursula)
    world.ursula.refresh_from_db()
    return world.ursula


@pytest.fixture
def eraser(settings: Any) -> None:
    """The process that erases has the eraser's login."""
    settings.ERASER_DATABASE_URL = role_url("eraser", connection.settings_dict["NAME"])
