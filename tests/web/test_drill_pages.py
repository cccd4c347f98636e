"""A drill as people see it, by keyboard and at both widths: started, gone through as in an emergency, failed, put right and repeated; and
the pages that show what is owed and how it went."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from portal.clock import now
from portal.drills import sweep
from portal.drills.models import Drill
from portal.grants import actions, authorising, ending, opening
from portal.grants.models import Grant
from portal.notifications.sending import send_due
from tests.browsing import enter
from tests.servers import MailSink
from tests.web.looking import VARIANTS, fits, press, seen, write
from tests.worlds import World, actor, make_world, sealing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[3]
ACT = "Sign in, read the health page, sign out."


@pytest.fixture
def world(mail_sink: MailSink, settings: Any) -> Iterator[World]:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False
    with sealing():
        yield make_world()


def gone_through(world: World, drill: Drill) -> None:
    """Approved, opened, given back, gone; and it is long ago."""
    grant = authorising.approve(by=actor(world.ines), request=drill.request)
    assert grant is not None
    opening.run(grant.pk)
    actions.give_back(by=actor(world.ann), grant=grant)
    ending.run(grant.pk)
    Grant.objects.filter(pk=grant.pk).update(ended_at=now() - timedelta(hours=1))


def test_drill_from_what_is_owed_to_the_repeated_one(browser: Browser, base: str, world: World) -> None:
    with seen(browser, NARROW) as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/drills/")
        press(page, page.get_by_role("link", name="Drill Billing"))
        write(page, page.get_by_label("What harmless thing will you do there?"), ACT)
        press(page, page.get_by_role("button", name="Start the drill"))
        expect(page.get_by_text("It goes on")).to_be_visible()
        fits(page)
        failed = Drill.objects.get()
        gone_through(world, failed)  # and nobody was told by mail
        assert sweep.run_due() == 1
        page.reload()
        expect(page.get_by_text("It failed", exact=True)).to_be_visible()
        expect(page.get_by_role("row", name="Approvers were told")).to_contain_text("Failed")
        press(page, page.get_by_role("link", name="Repeat it"))
        expect(page.get_by_label("What harmless thing will you do there?")).to_have_value(ACT)
        press(page, page.get_by_role("button", name="Start the drill"))
        expect(page.get_by_text("which failed.")).to_be_visible()
    again = Drill.objects.get(repeats=failed)
    send_due()
    gone_through(world, again)
    assert sweep.run_due() == 1
    with seen(browser, WIDE, script=False) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/drills/{again.pk}/")
        expect(page.get_by_text("It worked", exact=True)).to_be_visible()
        press(page, page.get_by_role("link", name="the drill of"))
        expect(page.get_by_role("link", name="It was repeated")).to_be_visible()
        expect(page.get_by_text("This sheet stays as it is.")).to_be_visible()
        page.goto(f"{base}/drills/")
        expect(page.get_by_role("row", name="Billing")).to_have_count(3)  # what is owed next, and both drills
    with seen(browser, WIDE) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/drills/{failed.pk}/")
        fits(page)
