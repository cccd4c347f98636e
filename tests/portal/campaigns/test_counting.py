"""The second count of a list: from the log, the target and the personnel list; they agree, or it is said why not."""

from datetime import timedelta

import pytest

from portal.campaigns.models import Campaign
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import Eligibility
from portal.people.models import Person
from portal.personnel import queries as personnel
from portal.personnel.models import PersonnelList
from tests.portal.campaigns.attested import begun, down, events_of, stand
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert said(begun(world)) == (2, "log and target", "1 line stands in the log and not on the list.")


def test_row_that_the_log_does_not_know_is_said(world: World) -> None:
    at = now() - timedelta(days=1)
    Eligibility._base_manager.create(
        person=world.zoe, privilege=world.privilege, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn, approved_at=at, from_at=at,
    )  # fmt: skip
    assert said(begun(world)) == (2, "log and target", "1 line stands on the list and not in the log.")


def test_personnel_list_says_whom_it_could_not_know(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Person.objects.filter(pk=world.ben.pk).update(added_at=now())
    taken = PersonnelList(taken_at=now() - timedelta(days=2))
    monkeypatch.setattr("portal.campaigns.counting.last_imported", lambda: taken)
    assert personnel.last_imported() is None
    count, source, says = said(begun(world))
    assert (count, source, says.startswith("1 line is of people who came after the personnel list of ")) == (
        2, "log and target, personnel list", True,
    )  # fmt: skip


def test_target_that_was_not_asked_is_said(world: World) -> None:
    from portal.campaigns import beginning, duties

    down(world)
    duty = duties.set_duty(by=actor(world.pia), system=world.system, kind="eligibility")
    campaign = beginning.start(by=actor(world.pia), duty=duty, listing=None)
    assert said(campaign) == (2, "log", "The target was not asked, so logins on it are in neither count.")
