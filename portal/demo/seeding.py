"""One call that fills the demo; idempotent."""

from datetime import UTC, datetime

from portal.demo import target
from portal.demo.organisation import (
    PLACES,
    Organisation,
    build,
    connector_settings,
    declare_sources,
    demo_clock,
    target_password,
)
from portal.demo.past_uses import walk
from portal.systems.models import System

SOURCES_FROM = datetime(2026, 6, 29, tzinfo=UTC)


def seed(superuser_url: str) -> None:
    """Prepare the target, then build the organisation and its past uses if they are not there."""
    target.prepare(superuser_url, target_password())
    if System.objects.filter(slug="shop").exists():
        follow_port()
        return
    with demo_clock() as clock:
        organisation = Organisation(clock)
        build(organisation)
        clock.set(SOURCES_FROM)
        declare_sources(organisation, "simulated")
        walk(organisation)
        clock.set(datetime.now(tz=UTC))
        declare_sources(organisation, "postgresql")


def follow_port() -> None:
    """The target's port may differ at each start of the demo; nothing else of the system does."""
    shop = System.objects.get(slug="shop")
    wanted = connector_settings(PLACES[0])
    if shop.settings != wanted:
        shop.settings = wanted
        shop.save(update_fields=["settings"])
