"""One browser for all tests of pages; Playwright's own fixtures (`page`, `context`) use it too. And a small organisation, served."""

import os
from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser

from tests.web import looking
from tests.worlds import World, make_world

# Playwright's loop runs in the test's thread, and Django would refuse to touch the database beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once for each worker."""
    with looking.chromium() as running:
        yield running
        connections.close_all()  # Django sees Playwright's loop and gave this thread connections of their own in it


@pytest.fixture
def base() -> Iterator[str]:
    """Address of the portal, on the database of the test."""
    with looking.served() as address:
        yield address


@pytest.fixture
def world() -> World:
    """The small organisation; a file that needs more has a fixture of its own."""
    return make_world()
