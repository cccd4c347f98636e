"""One minute is not called "minutes", on no page and in no mail."""

import re
from collections.abc import Iterator

import pytest

from portal.grants.actions import ask_extension, decide_extension
from portal.notifications.messages import message_of
from portal.notifications.models import Alert
from portal.policy.rules import Policy, sentences
from tests.browsing import browser_of
from tests.portal.access_requests.test_asking import text
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = re.compile(r"\b1 (more )?(minutes|hours)\b")


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def test_one_more_minute_is_one_on_every_page_and_in_every_mail(world: World) -> None:
    grant = opened(world, minutes=1)
    asked = ask_extension(by=actor(world.ann), grant=grant, minutes=1)
    read = [
        text(browser_of(person).get(page).content)
        for person in (world.ann, world.jon)
        for page in ("/", "/requests/", f"/requests/{grant.request_id}/")
    ]
    decide_extension(by=actor(world.jon), extension=asked, give=True)
    read += [f"{message_of(alert).subject} {message_of(alert).text}" for alert in Alert.objects.all()]
    assert [found[0] for each in read if (found := WRONG.search(each))] == []
    assert sum("1 more minute" in each for each in read) >= 5


def test_policy_says_one_hour() -> None:
    said = sentences(Policy(review_due_hours_bypass=1), mode="bypass", approvers=2)
    assert "Reviewed within 1 hour; what you leave out now is owed until then." in said
