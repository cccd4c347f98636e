"""A small organisation, a sealer at work, and people signed in."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from audit.cases.projection import catch_up
from audit.log.models import QueueEntry
from tests.audit.cases.written import hire_auditor
from tests.browsing import browser_of
from tests.servers import wait_until
from tests.worlds import World, make_world, sealing


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    """Vera audits all systems, Otto one."""
    with sealing():
        made = make_world()
        hire_auditor(made)
        yield made


@pytest.fixture
def sign_in(world: World) -> Callable[[str], Client]:
    """A browser in which one of the world's people is signed in."""
    return lambda name: browser_of(world.people[name])


def listed() -> None:
    """Wait for the sealer, then let the list follow to the end."""
    wait_until(lambda: not QueueEntry.objects.exists(), "the sealer", 60)
    while catch_up():
        pass
