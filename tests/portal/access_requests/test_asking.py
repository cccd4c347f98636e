"""Asking for access by the pages: what the policy says, what is refused beside its field, what is kept."""

import pytest

from portal.access_requests.models import AccessRequest
from tests.browsing import browser_of
from tests.worlds import REASON, World, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)
SAID = {
    "criterion": "outage", "category": "availability", "reason": REASON, "intended_classes": ["data_read", "data_change"],
    "incident_ref": "INC-1", "minutes": "30",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    return make_world()


def test_only_one_eligibility_leads_to_its_form_at_once(world: World) -> None:
    page = browser_of(world.ann).get("/requests/new/").content.decode()
    for sentence in ("One approver of 2 must say yes.", "At most 120 minutes.", "You must name an incident.", "Ines, Jon"):
        assert sentence in page


def test_request_is_made_and_leads_to_its_page(world: World) -> None:
    answer = browser_of(world.ann).post("/requests/new/", SAID)
    made = AccessRequest.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/requests/{made.pk}/")
    assert (made.reason, made.minutes, made.state) == (REASON, 30, "awaiting")


def test_bypass_opens_within_the_request(world: World) -> None:
    with sealing():
        browser = browser_of(world.ann)
        answer = browser.post("/requests/bypass/", {"criterion": "outage", "reason": "Writes fail."}, follow=True)
    assert answer.status_code == 200, answer.content
    assert "psql" not in answer.content.decode()
    assert "I am done" in answer.content.decode()
