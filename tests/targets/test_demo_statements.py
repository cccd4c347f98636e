"""The demo's page for visitors without psql: it acts as the granted login, and says nothing of the responder that they did not do."""

from collections.abc import Iterator

import psycopg
import pytest

from portal.demo import statements
from portal.errors import NotAllowed, StepUpNeeded
from portal.grants.models import Grant
from tests.faults.shops import log_in, make_shop
from tests.servers import Postgres
from tests.worlds import World, actor, names_of, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(target: Postgres) -> Iterator[World]:
    with psycopg.connect(target.url(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'shop'").fetchone():
            connection.execute("CREATE DATABASE shop")
    made = make_shop(target)
    with sealing():
        yield made


@pytest.fixture
def grant(world: World) -> Grant:
    return opened(world)


def test_statements_run_as_the_granted_login_and_no_showing_is_recorded(world: World, grant: Grant) -> None:
    read, refused = statements.run(by=actor(world.ann), grant=grant, chosen=["read", "refused"])
    assert (read.said, len(read.rows)) == ("SELECT 5", 5)
    assert refused.said.startswith("42501: permission denied")
    assert "grant.revealed" not in names_of(grant.request_id)


def test_statements_are_for_the_responder_with_a_fresh_factor(world: World, grant: Grant) -> None:
    with pytest.raises(NotAllowed):
        statements.run(by=actor(world.ben), grant=grant, chosen=["read"])
    with pytest.raises(StepUpNeeded):
        statements.run(by=actor(world.ann, age_s=3600), grant=grant, chosen=["read"])


def test_tables_are_found_without_their_schema(target: Postgres, world: World, grant: Grant) -> None:
    with log_in(target, grant, world) as session:
        assert session.execute("SELECT count(*) FROM orders").fetchone() == (4000,)
