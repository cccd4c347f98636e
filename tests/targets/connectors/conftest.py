"""Targets for the connectors' tests: the oldest and the newest PostgreSQL at hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import running_target
from tests.targets.connectors.postgresql_target import PostgresTarget, set_up

OLD = Path("/usr/lib/postgresql/15/bin")


def versions() -> list[str]:
    """15 only where it is installed; there CREATEROLE is wide and starting sessions are not listed."""
    return ["18", "15"] if OLD.exists() else ["18"]


@pytest.fixture(scope="session", params=versions())
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresTarget]:
    """A target of each version, with prepared transactions possible."""
    settings = {"max_prepared_transactions": "5"}
    with running_target(settings, bin_dir=OLD if request.param == "15" else None) as server, set_up(server) as target:
        yield target


@pytest.fixture(scope="session")
def newest() -> Iterator[PostgresTarget]:
    """A target of the newest version at hand, as an owner would run it."""
    with running_target() as server, set_up(server) as target:
        yield target
