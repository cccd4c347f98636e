"""A campaign on a real PostgreSQL: standing access is found there, and what is revoked cannot act any more."""

import psycopg
import pytest

from portal.campaigns import actions, removal, starting
from portal.campaigns.models import Item
from portal.demo import target as shop
from portal.grants.actions import reveal
from tests.portal.campaigns.attested import events_of, line, seen
from tests.targets.test_grants_on_postgresql import Shop, made
from tests.worlds import actor, opened

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["made"]


def test_open_session_of_a_revoked_person_ends_and_no_login_is_left(made: Shop) -> None:
    world = made.world
    world.system.refresh_from_db()
    grant = opened(world)
    password = reveal(by=actor(world.ann), grant=grant).reveal()
    with made.login(grant.login, password) as session:
        campaign = seen(world, starting.run_now(by=actor(world.pia), system=world.system))
        item = actions.revoke(by=actor(world.mo), item=line(campaign, "Ann"), reason="Left the team.")
        item = removal.run(item.pk)
        assert item.access_present is False
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        made.login(grant.login, password)
    names = [event.name for event in events_of(item, "campaign.removal_done", "campaign.removal_read_back")]
    assert names == ["campaign.removal_done", "campaign.removal_read_back"]


def test_standing_access_is_found_and_watched_until_its_owner_removed_it(made: Shop) -> None:
    world = made.world
    world.system.refresh_from_db()
    with psycopg.connect(made.server.url(database=shop.DATABASE), autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS old_admin")
        owner.execute("CREATE ROLE old_admin LOGIN")
        owner.execute("GRANT shop_support TO old_admin")
        campaign = seen(world, starting.run_now(by=actor(world.pia), system=world.system))
        found = Item.objects.filter(campaign=campaign, subject_kind="standing_access").values_list("label", flat=True)
        assert shop.PORTAL_LOGIN not in " ".join(found)
        assert "old_admin as shop_support" in found
        item = actions.revoke(by=actor(world.mo), item=line(campaign, "old_admin"), reason="The vendor left.")
        assert removal.run(item.pk).removed_at is None
        owner.execute("DROP ROLE old_admin")
    from portal.reconciliation.models import Listing

    Listing.objects.all().delete()
    assert removal.run(item.pk).access_present is False
