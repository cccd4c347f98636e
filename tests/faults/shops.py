"""A world whose system is a real PostgreSQL, made as the demo's shop, with ends as near as a test wants them."""

import itertools
from datetime import datetime
from typing import Any

import psycopg

from audit.log.models import QueueEntry
from audit.sources.declared import declared
from portal.clock import ms
from portal.demo import target as shop
from portal.grants import actions, opening
from portal.grants.models import Grant
from portal.grants.targets import closing_of, connector_of, target_of
from portal.people.models import Person
from portal.secrets import encrypt
from portal.systems import actions as systems
from portal.systems.models import System
from tests.servers import Postgres, wait_until
from tests.worlds import REASON, World, actor, authorised, make_world

PASSWORD = "the portal's own, for tests"
CASES = itertools.count(1)
LIVE = r"""
SELECT rolname::text FROM pg_roles WHERE rolname ~ '^bg_[0-9]+$'
UNION SELECT usename::text FROM pg_stat_activity WHERE usename ~ '^bg_[0-9]+$' ORDER BY 1
"""


def make_shop(
    target: Postgres,
    slug: str = "shop",
    on_target: str = "shop_support",
    people: dict[str, Person] | None = None,
    **more: object,
) -> World:
    """The people of `make_world`, and the shop as their system. `more` goes into the connector's settings."""
    shop.prepare(target.url(database=shop.DATABASE), PASSWORD)
    settings: dict[str, object] = {
        "host": "127.0.0.1", "port": target.port, "dbname": shop.DATABASE, "user": shop.PORTAL_LOGIN,
        "privileges": list(shop.PRIVILEGES), "log_dir": str(target.log_folder), **more,
    }  # fmt: skip
    world = make_world(
        connector="postgresql", connector_settings=settings, on_target=on_target, slug=slug, people=people
    )
    System.objects.filter(pk=world.system.pk).update(secret=encrypt(PASSWORD, f"system:{world.system.pk}"))
    world.system.refresh_from_db()
    return world


def log_in(target: Postgres, grant: Grant, world: World, *, options: str = "") -> psycopg.Connection:
    """A session of the grant, with the password that the portal reveals to its responder."""
    return psycopg.connect(address(target, grant, world), autocommit=True, options=options)


def address(target: Postgres, grant: Grant, world: World) -> str:
    """The responder's way in, password included."""
    Grant.objects.filter(pk=grant.pk).update(revealed_at=None)
    responder = next(person for person in world.people.values() if person.pk == grant.person_id)
    password = actions.reveal(by=actor(responder), grant=grant).reveal()
    return target.url(grant.login, password, shop.DATABASE)


def end_at(grant: Grant, when: datetime) -> None:
    """Move the end, in the portal and on the target, as an extension would; here it comes nearer."""
    grant.refresh_from_db()
    connector_of(grant.system).extend(target_of(grant.system), closing_of(grant), expires_at_ms=ms(when))
    Grant.objects.filter(pk=grant.pk).update(expires_at=when, first_expires_at=when, planned_expires_at=when)
    grant.refresh_from_db()


def live_logins(target: Postgres) -> list[str]:
    """Grants' logins on the target that exist, and those of which a session lives."""
    with psycopg.connect(target.url(database=shop.DATABASE), autocommit=True) as connection:
        return [str(row[0]) for row in connection.execute(LIVE)]


def open_anyhow(world: World, by: str = "ann", **changes: Any) -> Grant:
    """An open grant, whoever opens it: this process, or another that is quicker. Needs a sealer. Each has a reason of its own."""
    grant = authorised(world, by, **{"reason": f"{REASON} Case {next(CASES)}.", **changes})
    waiting = QueueEntry.objects.filter(event__case=grant.log_case)
    wait_until(
        lambda: not waiting.exists(), "the sealer, which may be starting"
    )  # an attempt waits five seconds for it
    opening.run(grant.pk)
    wait_until(lambda: Grant.objects.get(pk=grant.pk).state == "active", "the grant to open")
    grant.refresh_from_db()
    return grant


def declare_source(target: Postgres, world: World) -> str:
    """Declare the target's log as the system's source, as two administrators do; its id."""
    after: dict[str, object] = {
        "counting": "line_num per session",
        "settings": {
            "log_dir": str(target.log_folder), "portal_login": shop.PORTAL_LOGIN, "declared_logins": "shop_app,portal_super",
            "database": shop.DATABASE,
        },
    }  # fmt: skip
    change = systems.propose(by=actor(world.pia), kind=systems.SOURCE, after=after, system=world.system)
    systems.approve(by=actor(world.quinn), change=change)
    return next(source.id for source in declared() if source.system_id == str(world.system.pk))
