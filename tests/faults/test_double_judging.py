"""Fifty at once submit a review, decide on a line, close an attestation: one effect, one event, and everybody else is told so."""

from collections import Counter

import pytest

from audit.log.read import of_subject
from portal.campaigns import actions, removal
from portal.campaigns.models import Campaign, Item
from portal.eligibility.models import Eligibility
from portal.findings.models import Finding
from portal.reviews.models import Review
from tests.browsing import browser_of
from tests.faults.test_double_submits import MANY, at_once, poster
from tests.portal.campaigns.attested import at_line, begun, ready, seen
from tests.portal.reviews.test_pages import filled
from tests.portal.reviews.used import due, taken
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
ONCE = {302: 1, 409: MANY - 1}


@pytest.fixture
def world() -> World:
    return make_world()


def told(subject: str) -> Counter[str]:
    """How often each event stands in the log."""
    return Counter(event.name for event in of_subject(subject))


def test_fifty_submits_of_a_review_are_one(world: World) -> None:
    review = taken(world)
    sent = filled(Q01="no", Q01_comment="It could wait.", outcome="not_accepted")
    assert at_once(poster(f"/reviews/{review.pk}/submit/", sent), browser_of(world.kim)) == ONCE
    names = told(review.log_subject)
    assert (names["review.submitted"], names["review.act_refused"], Finding.objects.count()) == (1, MANY - 1, 1)
    assert Review.objects.get(pk=review.pk).state == "submitted"


def test_fifty_claims_of_two_reviewers_are_one(world: World) -> None:
    review = due(world)
    address = poster(f"/reviews/{review.pk}/claim/")
    assert at_once(address, browser_of(world.kim)) + at_once(address, browser_of(world.lea)) == {
        302: 1,
        409: 2 * MANY - 1,
    }
    assert told(review.log_subject)["review.claimed"] == 1


@pytest.mark.parametrize("decision", ["keep", "revoke"])
def test_fifty_decisions_on_a_line_are_one(world: World, decision: str) -> None:
    item = ready(world)
    sent = at_line(item, {"decision": decision, "reason": "Reorganised."})
    assert at_once(poster(f"/campaigns/lines/{item.pk}/decide/", sent), browser_of(world.mo)) == ONCE
    removal.run(item.pk)
    names = told(item.log_subject)
    assert (names["campaign.item_decided"], names["campaign.act_refused"]) == (1, MANY - 1)
    assert names["campaign.removal_read_back"] == (decision == "revoke")
    assert told(Eligibility.objects.get(pk=item.subject).log_subject)["eligibility.revoked"] == (decision == "revoke")


def test_fifty_closings_are_one(world: World) -> None:
    campaign = seen(world, begun(world))
    for item in Item.objects.filter(campaign=campaign):
        actions.keep(by=actor(world.mo), item=item, reason="Needed.")
    assert at_once(poster(f"/campaigns/{campaign.pk}/close/"), browser_of(world.mo)) == ONCE
    assert told(campaign.log_subject)["campaign.closed"] == 1


def test_fifty_beginnings_are_one(world: World) -> None:
    assert (
        at_once(
            poster("/campaigns/start/", {"kind": "eligibility", "system": str(world.system.pk)}), browser_of(world.pia)
        )
        == ONCE
    )
    assert (Campaign.objects.count(), Item.objects.count()) == (1, 2)
