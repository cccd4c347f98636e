"""What a line says beside its own facts: what changed since it was attested last, dormant days, roles that conflict, and how much is at stake."""

import re
from datetime import timedelta

import pytest

from portal.campaigns import actions
from portal.campaigns.models import Campaign, Item
from portal.campaigns.states import UNDECIDED
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.systems.models import System
from tests.browsing import browser_of
from tests.portal.campaigns.attested import NOTE, begun, line, seen, stand
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def attested(world: World, *revoked: str) -> Campaign:
    """Begun, each line decided by Mo and closed; all but those named are kept."""
    campaign = seen(world, begun(world))
    for item in Item.objects.filter(campaign=campaign, state=UNDECIDED):
        act = actions.revoke if item.label.split(":")[0].lower() in revoked else actions.keep
        act(by=actor(world.mo), item=item, reason=NOTE)
    return actions.close(by=actor(world.mo), campaign=campaign)


def put_on_the_list(world: World, name: str) -> None:
    row = lists.propose_eligibility(by=actor(world.pia), person=world.people[name], privilege=world.privilege)
    lists.approve_eligibility(by=actor(world.quinn), eligibility=row)


def said_of(world: World, campaign: Campaign, who: str) -> str:
    """The words of one line on the page of whom it waits for."""
    page = browser_of(world.mo).get(f"/campaigns/{campaign.pk}/").content.decode()
    (card,) = re.findall(rf'<section class="card[^>]*id="line-{line(campaign, who).pk}".*?</section>', page, re.S)
    return " ".join(re.sub("<[^>]+>", " ", card).split())


def test_first_time_nothing_is_said_of_a_last_one(world: World) -> None:
    facts = line(begun(world), "Ann").facts
    assert ("since_last" in facts, facts["risk"]) == (False, "plain")


def test_what_is_new_and_what_came_back_stand_out(world: World) -> None:
    attested(world, "ben")
    attested(world)  # without him
    for name in ("ben", "zoe"):
        put_on_the_list(world, name)
    campaign = begun(world)
    found = {
        who: (line(campaign, who).facts["since_last"], line(campaign, who).facts["risk"])
        for who in ("Ann", "Ben", "Zoe")
    }
    assert found == {"Ann": ("same", "plain"), "Ben": ("back", "high"), "Zoe": ("new", "raised")}
    said = {who: said_of(world, campaign, who) for who in found}
    assert all(words in said["Ben"] for words in ("Revoked before, and back", "High risk"))
    assert all(words in said["Zoe"] for words in ("New", "Raised risk"))
    assert not any(words in said["Ann"] for words in ("Raised risk", "High risk", "Revoked before"))


def test_what_came_back_and_was_kept_then_is_like_any_other(world: World) -> None:
    attested(world, "ben")
    put_on_the_list(world, "ben")
    attested(world)
    assert line(begun(world), "Ben").facts["since_last"] == "same"


def test_what_is_new_on_a_critical_system_is_of_high_risk(world: World) -> None:
    attested(world)
    put_on_the_list(world, "zoe")
    System.objects.update(criticality="critical")
    campaign = begun(world)
    assert [line(campaign, who).facts["risk"] for who in ("Ann", "Zoe")] == ["plain", "high"]


def test_login_that_nobody_answers_for_is_of_high_risk(world: World) -> None:
    stand(world, "old_admin")
    campaign = begun(world)
    assert line(campaign, "old_admin").facts["risk"] == "high"
    assert "High risk" in said_of(world, campaign, "old_admin")


def test_days_without_use_are_counted_and_said_where_they_are_many(world: World) -> None:
    Eligibility.objects.filter(person=world.ann).update(from_at=now() - timedelta(days=200, minutes=1))
    campaign = begun(world)
    found = {
        who: (line(campaign, who).facts["dormant_days"], line(campaign, who).facts["risk"]) for who in ("Ann", "Ben")
    }
    assert found == {"Ann": (200, "raised"), "Ben": (30, "plain")}
    assert "200 days without use or drill" in said_of(world, campaign, "Ann")
    assert "without use or drill" not in said_of(world, campaign, "Ben")


def test_roles_that_nobody_holds_together_are_said(world: World) -> None:
    given = RoleAssignment.objects.get(person=world.ann)
    RoleAssignment._base_manager.create(
        person=world.ann, role="custodian", system=world.system, proposed_by=given.proposed_by, proposed_at=given.proposed_at,
        approved_by=given.approved_by, approved_at=given.approved_at, from_at=given.from_at,
    )  # fmt: skip
    campaign = begun(world)
    ann, ben = line(campaign, "Ann").facts, line(campaign, "Ben").facts
    assert (ann["conflicts"], ann["risk"], "conflicts" in ben) == (["custodian and responder"], "high", False)
    assert "nobody should hold together: custodian and responder" in said_of(world, campaign, "Ann")


def test_line_says_who_gave_it(world: World) -> None:
    assert "Given by Pia and Quinn" in said_of(world, begun(world), "Ann")
