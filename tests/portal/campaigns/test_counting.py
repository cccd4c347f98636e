"""The second count of a list: from the log, the target and the personnel list; they agree, or it is said why not."""

from datetime import timedelta

import pytest

from portal.campaigns.models import Campaign
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.people.models import Person
from tests.browsing import browser_of
from tests.portal.campaigns.attested import begun, down, events_of, stand
from tests.portal.personnel import listed
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
ANN, ZOE = "Ann: Billing emergency", "Zoe: Billing emergency"


@pytest.fixture
def world() -> World:
    """Whose list was made by the real actions, so that the log tells of it."""
    made = make_world()
    Eligibility._base_manager.all().delete()
    for name in ("ann", "ben"):
        row = lists.propose_eligibility(by=actor(made.pia), person=made.people[name], privilege=made.privilege)
        lists.approve_eligibility(by=actor(made.quinn), eligibility=row)
    return made


def said(campaign: Campaign) -> tuple[int | None, str, str]:
    return campaign.second_count, campaign.second_source, campaign.second_says


def administers_all(world: World) -> None:
    """Only who administers all systems imports a personnel list."""
    RoleAssignment.objects.filter(person=world.pia).update(system=None)


def slipped_in(world: World) -> None:
    """A row that no action made."""
    at = now() - timedelta(days=1)
    Eligibility._base_manager.create(
        person=world.zoe, privilege=world.privilege, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn, approved_at=at, from_at=at,
    )  # fmt: skip


def test_log_and_target_agree_with_the_list(world: World) -> None:
    stand(world, "old_admin")
    campaign = begun(world)
    assert said(campaign) == (3, "log and target", "")
    (event,) = events_of(campaign, "campaign.started")
    assert (event.fields["item_count"], event.fields["second_count"], event.fields["second_source"]) == (
        3,
        3,
        "log and target",
    )


def test_what_ended_or_ends_earlier_is_in_neither(world: World) -> None:
    ann, ben = (Eligibility.objects.get(person=world.people[name]) for name in ("ann", "ben"))
    lists.revoke_eligibility(by=actor(world.mo), eligibility=ann)
    lists.shorten_eligibility(by=actor(world.mo), eligibility=ben, to_at=now() + timedelta(days=3))
    assert said(begun(world)) == (1, "log and target", "")


def test_difference_is_said_from_both_sides(world: World) -> None:
    row = Eligibility.objects.get(person=world.ann)
    Eligibility._base_manager.filter(pk=row.pk).update(ended_at=now(), ended_by="somebody", ended_cause="by hand")
    assert said(begun(world)) == (2, "log and target", f"1 line stands in the log and not on the list: {ANN}.")


def test_one_row_more_and_one_less_are_as_many_and_not_the_same(world: World) -> None:
    row = Eligibility.objects.get(person=world.ann)
    Eligibility._base_manager.filter(pk=row.pk).update(ended_at=now(), ended_by="somebody", ended_cause="by hand")
    slipped_in(world)
    campaign = begun(world)
    assert said(campaign) == (
        2, "log and target",
        f"1 line stands on the list and not in the log: {ZOE}. 1 line stands in the log and not on the list: {ANN}.",
    )  # fmt: skip
    (event,) = events_of(campaign, "campaign.started")
    assert (event.fields["item_count"], event.fields["second_count"]) == (2, 2)
    assert (event.fields["only_listed"], event.fields["only_elsewhere"]) == (1, 1)
    assert event.personal["second_says"] == campaign.second_says
    page = browser_of(world.mo).get(f"/campaigns/{campaign.pk}/").content.decode()
    assert all(words in page for words in ("Not the same", f"not in the log: {ZOE}", f"not on the list: {ANN}"))


def test_row_that_the_log_does_not_know_is_said(world: World) -> None:
    slipped_in(world)
    assert said(begun(world)) == (2, "log and target", f"1 line stands on the list and not in the log: {ZOE}.")


def test_personnel_list_says_whom_it_could_not_know(world: World) -> None:
    administers_all(world)
    Person.objects.filter(pk=world.ben.pk).update(added_at=now() + timedelta(minutes=1))
    taken = listed.imported(world, listed.content(world))
    assert taken.state == "done"
    assert said(begun(world)) == (
        2, "log and target, personnel list",
        f"1 line is of people who came after the personnel list of {taken.taken_at:%-d %b %Y}.",
    )  # fmt: skip


def test_personnel_list_that_knew_everybody_says_nothing(world: World) -> None:
    administers_all(world)
    listed.imported(world, listed.content(world))
    assert said(begun(world)) == (2, "log and target, personnel list", "")


def test_target_that_was_not_asked_is_said(world: World) -> None:
    from portal.campaigns import beginning, duties

    down(world)
    duty = duties.set_duty(by=actor(world.pia), system=world.system, kind="eligibility")
    campaign = beginning.start(by=actor(world.pia), duty=duty, listing=None)
    assert said(campaign) == (2, "log", "The target was not asked, so logins on it are in neither count.")
