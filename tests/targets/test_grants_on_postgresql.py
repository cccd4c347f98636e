"""One emergency on a real PostgreSQL: opened, used, ended, read back."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from portal.demo import target as shop
from portal.grants import actions, ending, sweep
from portal.secrets import encrypt
from portal.systems.models import System
from tests.servers import Postgres
from tests.worlds import World, actor, make_world, names_of, opened, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "the portal's own, for tests"


@dataclass
class Shop:
    """A world whose system is the real target."""

    world: World
    server: Postgres

    def login(self, user: str, password: str) -> psycopg.Connection:
        return psycopg.connect(self.server.url(user, password, shop.DATABASE), autocommit=True)


@pytest.fixture
def made(target: Postgres) -> Iterator[Shop]:
    with psycopg.connect(target.url(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'shop'").fetchone():
            connection.execute("CREATE DATABASE shop")
    shop.prepare(target.url(database=shop.DATABASE), PASSWORD)
    settings: dict[str, object] = {
        "host": "127.0.0.1", "port": target.port, "dbname": shop.DATABASE, "user": shop.PORTAL_LOGIN,
        "privileges": list(shop.PRIVILEGES), "log_dir": str(target.log_folder),
    }  # fmt: skip
    world = make_world(connector="postgresql", connector_settings=settings, on_target="shop_support", slug="shop")
    System.objects.filter(pk=world.system.pk).update(secret=encrypt(PASSWORD, f"system:{world.system.pk}"))
    with sealing():
        yield Shop(world, target)


def test_grant_is_used_ended_and_read_back(made: Shop) -> None:
    grant = opened(made.world)
    password = actions.reveal(by=actor(made.world.ann), grant=grant).reveal()
    with made.login(grant.login, password) as session:
        assert session.execute("SELECT count(*) FROM shop.orders").fetchone() == (4000,)
        session.execute("UPDATE shop.payments SET state = 'done' WHERE id = 29")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM shop.salaries")
        overdue(grant)
        sweep.run_due("test")
        grant.refresh_from_db()
        assert (grant.state, grant.last_trouble) == ("ended", "")
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        made.login(grant.login, password)
    assert names_of(grant.request_id)[-2:] == ["alert.queued", "grant.ended"]


def test_two_grants_of_one_person_do_not_end_each_other(made: Shop) -> None:
    first, second = opened(made.world), opened(made.world, reason="Another disk is full and payments are failing too.")
    secret = actions.reveal(by=actor(made.world.ann), grant=second).reveal()
    with made.login(second.login, secret) as session:
        actions.give_back(by=actor(made.world.ann), grant=first)
        assert ending.run(first.pk).state == "ended"
        assert session.execute("SELECT 1").fetchone() == (1,)
    overdue(second)
    assert ending.run(second.pk).state == "ended"
