"""The report of an attestation: from the sealed log alone, for those who may see it, and each time on record."""

import io

import pikepdf
import pytest

from audit.log.models import QueueEntry
from audit.log.read import recent
from audit.packs import views
from audit.packs.campaign import NAMES, NoSuchCampaign, told
from audit.packs.campaign_paper import made
from audit.packs.position import newest
from audit.packs.reading import named, of_campaign
from audit.packs.render import RenderFailed
from portal.campaigns import actions, bulk, removal
from portal.campaigns.models import Campaign, Item
from tests.browsing import browser_of
from tests.portal.campaigns.attested import begun, line, seen, stand
from tests.servers import wait_until
from tests.worlds import World, actor, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)
FORMULA = "=1+1"


def settled() -> None:
    wait_until(lambda: not QueueEntry.objects.exists(), "the sealer", 60)


@pytest.fixture
def world() -> World:
    return make_world()


def judged(world: World) -> Campaign:
    """Ann kept with another, Ben revoked and read back, a login kept; closed."""
    stand(world, "old_admin")
    campaign = seen(world, begun(world))
    actions.revoke(by=actor(world.mo), item=line(campaign, "Ben"), reason=FORMULA)
    removal.run(line(campaign, "Ben").pk)
    items = list(Item.objects.filter(campaign=campaign, state="undecided").values_list("pk", flat=True))
    bulk.keep_many(by=actor(world.mo), campaign=campaign, items=items, reason="On call.", mixed_confirmed=True)
    return actions.close(by=actor(world.mo), campaign=campaign)


def test_report_tells_what_the_log_says(world: World) -> None:
    with sealing():
        begun(world, kind="roles")  # another one, of which the report tells nothing
        campaign = judged(world)
        settled()
        found = told(str(campaign.pk), named(newest().size, NAMES, loose=True))
        assert (found.counts, found.mixed, found.nobody) == (
            {"keep": 2, "modify": 0, "revoke": 1, "undecided": 0},
            1,
            [],
        )
        ben = next(each for each in found.lines.values() if each.label.startswith("Ben"))
        assert (ben.decision, ben.removal, ben.judge, ben.reason) == ("revoke", "gone", str(world.mo.pk), FORMULA)
        mine = list(of_campaign(newest().size, str(campaign.pk), NAMES))
        everything = [each for each in named(newest().size, NAMES) if each.fields["campaign_id"] == str(campaign.pk)]
        assert (mine, len(mine) < sum(1 for _ in named(newest().size, NAMES))) == (everything, True)
        assert list(of_campaign(mine[0].index or 0, str(campaign.pk), NAMES)) == []
        assert found.judges == [(str(world.mo.pk), 3, 3, 0)]
        pdf = made(str(campaign.pk), newest(), signed=False, demo=False)
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            assert set(opened.attachments) >= {"lines.csv"}
            lines = opened.attachments["lines.csv"].get_file().read_bytes().decode()
        assert (lines.count("\r\n"), f"'{FORMULA}" in lines) == (4, True)
        with pytest.raises(NoSuchCampaign):
            made(str(world.system.pk), newest(), signed=False, demo=False)


def test_report_is_handed_to_who_sees_the_campaign_and_on_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "report_of_campaign", lambda _: b"%PDF")
    campaign = begun(world)
    address = f"/campaigns/{campaign.pk}/report/"
    for name, status in (("mo", 200), ("otto", 200), ("ann", 403), ("zoe", 403)):
        assert browser_of(world.people[name]).post(address).status_code == status
    with sealing():
        settled()
        taken = [event for event in recent(["page.viewed"]) if event.fields["page"] == "the report of a campaign"]
    assert {event.by for event in taken} == {str(world.mo.pk), str(world.otto.pk)}


def test_report_that_cannot_be_made_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> bytes:
        raise RenderFailed("no_pango", "PDFs cannot be made here.")

    monkeypatch.setattr(views, "report_of_campaign", broken)
    mo = browser_of(world.mo)
    answer = mo.post(f"/campaigns/{begun(world).pk}/report/", follow=True)
    assert "PDFs cannot be made here. Nothing was handed out." in answer.content.decode()
