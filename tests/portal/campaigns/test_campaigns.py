"""A list is attested line by line, by people who are not concerned, and what is revoked is gone."""

import pytest

from portal.campaigns.models import Item
from portal.eligibility.models import Eligibility
from tests.portal.campaigns.attested import begun, events_of, line, ready, seen, stand
from tests.worlds import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def test_list_and_target_become_lines(world: World) -> None:
    stand(world, "old_admin")
    campaign = begun(world)
    assert [(each.label, each.reviewer) for each in Item.objects.filter(campaign=campaign)] == [
        ("Ann: Billing emergency", world.mo),
        ("Ben: Billing emergency", world.mo),
        ("old_admin as billing_emergency", world.mo),
    ]
    (event,) = events_of(campaign, "campaign.started")
    assert (event.fields["item_count"], event.fields["not_put_to_anyone"], event.fields["snapshot_sha256"]) == (
        3,
        0,
        campaign.snapshot_sha256,
    )
