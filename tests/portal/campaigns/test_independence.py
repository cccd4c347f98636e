"""Nobody judges themselves, what they asked for or gave, nor their manager: when lines are put, when one is decided, and in between."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from audit.log.append import LogUnavailable, clock
from portal.campaigns import actions, queries, rules, starting, sweep
from portal.campaigns.models import Item
from portal.campaigns.reassigning import reassign
from portal.clock import ms, now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy
from portal.grants import narrowing
from portal.notifications.models import Alert
from portal.people.reporting import set_manager
from portal.systems.models import System
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.campaigns.attested import ACTS, NOTE, begun, events_of, line, ready, row_of, seen
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
BEGUN = now().replace(second=0, microsecond=0)  # pages ask for minutes


@pytest.fixture
def world() -> World:
    return make_world()


def roles_end(world: World, *names: str) -> None:
    RoleAssignment.objects.filter(person__in=[world.people[name] for name in names]).update(to_at=now())


def administer_all(world: World, name: str = "pia") -> None:
    """Who looks after people administers all systems."""
    RoleAssignment.objects.filter(person=world.people[name]).update(system=None)


def all_are_concerned(world: World) -> None:
    """A small house: its one owner and its one administrator put Ben on the list, and there is no reviewer."""
    RoleAssignment.objects.filter(role="reviewer").update(to_at=now())
    roles_end(world, "quinn")
    Eligibility.objects.filter(person=world.ben).update(proposed_by=world.pia, approved_by=world.mo)


# --- when lines are put


def test_nobody_gets_a_line_of_their_manager(world: World) -> None:
    administer_all(world)
    set_manager(by=actor(world.pia), person=world.mo, manager=world.ann)
    campaign = begun(world)
    judges = {item.person: item.reviewer for item in Item.objects.filter(campaign=campaign)}
    assert judges[world.ben] == world.mo
    assert judges[world.ann] in (world.kim, world.lea)  # Pia and Quinn put Ann on the list


def test_owners_share_the_lines_evenly(world: World) -> None:
    RoleAssignment.objects.filter(person=world.kim).update(role="owner")
    campaign = begun(world)
    assert {item.reviewer for item in Item.objects.filter(campaign=campaign)} == {world.mo, world.kim}


def test_line_that_nobody_may_decide_is_escalated_and_keeps_nothing_else_up(world: World) -> None:
    all_are_concerned(world)
    campaign = begun(world)
    ann, ben = line(campaign, "Ann"), line(campaign, "Ben")
    assert (ann.reviewer, ben.reviewer, ben.owner) == (world.mo, None, world.pia)
    (event,) = events_of(campaign, "campaign.started")
    assert (event.fields["item_count"], event.fields["not_put_to_anyone"]) == (2, 1)
    assert "reviewer_id" not in events_of(ben, "campaign.item_listed")[0].fields
    told = Alert.objects.get(kind="system.problem", about=campaign.log_subject)
    assert (told.recipient, "Nobody can decide on: Ben: Billing emergency." in told.facts["sentence"]) == (
        world.pia,
        True,
    )
    with pytest.raises(NotAllowed):
        actions.keep(by=actor(world.pia), item=ben, reason=NOTE)
    assert [each.nobodys for each in queries.waiting_for(world.pia)] == [1]  # type: ignore[attr-defined]  # counted by the query


def test_who_has_to_find_somebody_is_reminded_each_day_until_there_is_one(world: World) -> None:
    all_are_concerned(world)
    RoleAssignment.objects.filter(person=world.pia).update(approved_by=world.ines)
    Eligibility.objects.filter(person=world.ann).delete()  # only Ben's line, which nobody may decide
    campaign, began = begun(world), now()
    sweep.run_due()
    told = Alert.objects.filter(kind="campaign.nobody_reminder").order_by("queued_at")
    assert not told.exists()
    for day in (1, 1, 2, 3):
        with clock(lambda: ms(began + timedelta(days=day, minutes=1))):  # noqa: B023 - it is asked for within the loop
            sweep.run_due()
    assert [(each.recipient, each.facts["lines"]) for each in told] == [(world.pia, 1)] * 3
    assert all("Nobody can decide on: Ben: Billing emergency." in each.facts["sentence"] for each in told)
    assert all(each.next_try_at > each.queued_at for each in told)  # with the digest of the morning
    RoleAssignment.objects.filter(person=world.kim).update(to_at=None)
    with clock(lambda: ms(began + timedelta(days=4, minutes=1))):
        sweep.run_due()
    assert (told.count(), line(campaign, "Ben").reviewer) == (3, world.kim)


def test_escalated_line_goes_to_somebody_as_soon_as_there_is_one(world: World) -> None:
    all_are_concerned(world)
    campaign = begun(world)
    assert sweep.run_due() == 1  # the duty of the roles is set; nobody else came
    RoleAssignment.objects.filter(person=world.kim).update(to_at=None)
    sweep.run_due()
    ben = line(campaign, "Ben")
    assert (ben.reviewer, ben.owner) == (world.kim, world.kim)
    (event,) = events_of(ben, "campaign.item_reassigned")
    assert event.fields == {
        "item_id": str(ben.pk), "campaign_id": str(campaign.pk), "to_id": str(world.kim.pk), "owner_id": str(world.kim.pk),
        "cause": "nobody before",
    }  # fmt: skip
    assert [each.recipient for each in Alert.objects.filter(kind="campaign.item_due", recipient=world.kim)] == [
        world.kim
    ]
    with pytest.raises(ChangedMeanwhile):
        reassign(by=sweep.SWEEP, campaign=campaign)


# --- between assignment and decision


def _leaves(world: World) -> None:
    narrowing.note_leaving(by=actor(world.pia), person=world.mo)


def _loses_the_role(world: World) -> None:
    System.objects.update(owner=world.kim)
    roles_end(world, "mo")


def _comes_to_report(world: World) -> None:
    set_manager(by=actor(world.pia), person=world.mo, manager=world.ann)


def _is_put_on_the_list_by(world: World) -> None:
    Eligibility.objects.filter(person=world.ann).update(approved_by=world.mo)


CHANGES = {
    "left": (_leaves, "attests no longer"), "lost the role": (_loses_the_role, "attests no longer"),
    "reports": (_comes_to_report, "became concerned"), "gave it": (_is_put_on_the_list_by, "became concerned"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_who_may_not_judge_any_longer_loses_the_line_and_cannot_decide_meanwhile(world: World, change: str) -> None:
    administer_all(world)
    item, (act, cause) = ready(world), CHANGES[change]
    act(world)
    with pytest.raises(NotAllowed):
        actions.keep(by=actor(world.mo), item=item, reason=NOTE)
    sweep.run_due()
    moved = Item.objects.get(pk=item.pk)
    assert moved.reviewer is not None
    assert str(moved.reviewer_id) not in {str(world.mo.pk), *rules.concerned_in(moved)}
    assert (moved.owner, moved.shown_at) == (moved.reviewer, None)
    (event,) = events_of(item, "campaign.item_reassigned")
    assert (event.fields["from_id"], event.fields["to_id"], event.fields["cause"]) == (
        str(world.mo.pk), str(moved.reviewer_id), cause,
    )  # fmt: skip


def test_line_that_loses_its_judge_and_finds_none_is_escalated(world: World) -> None:
    item = ready(world)
    all_are_concerned(world)
    Eligibility.objects.filter(person=world.ann).update(proposed_by=world.pia, approved_by=world.mo)
    sweep.run_due()
    assert (row_of(item)["reviewer_id"], row_of(item)["owner_id"]) == (None, world.pia.pk)
    (event,) = events_of(item, "campaign.item_reassigned")
    assert (event.fields["from_id"], "to_id" in event.fields, event.fields["owner_id"]) == (
        str(world.mo.pk), False, str(world.pia.pk),
    )  # fmt: skip


def test_nothing_moves_when_the_log_cannot_be_written(world: World) -> None:
    item = ready(world)
    _is_put_on_the_list_by(world)
    before = row_of(item)
    with broken_log(), pytest.raises(LogUnavailable):
        reassign(by=sweep.SWEEP, campaign=item.campaign)
    assert row_of(item) == before


# --- roles


def test_roles_are_attested_by_who_neither_holds_nor_gave_them(world: World) -> None:
    campaign = begun(world, kind="roles")
    items = list(Item.objects.filter(campaign=campaign).select_related("person", "reviewer"))
    assert {item.label for item in items} == {
        "Ann: responder", "Ben: responder", "Ines: approver", "Jon: approver", "Kim: reviewer", "Lea: reviewer", "Mo: owner",
        "Otto: auditor", "Pia: administrator", "Quinn: administrator",
    }  # fmt: skip
    for item in items:
        role = RoleAssignment.objects.get(pk=item.subject)
        assert item.reviewer not in (role.person, role.proposed_by, role.approved_by)
    assert all(item.reviewer == world.mo for item in items if item.person not in (world.mo, world.pia))


@pytest.mark.parametrize(
    ("act", "name"), [("keep", ""), ("revoke", "role.ended"), ("modify", "role.shortened")], ids=["keep", "revoke", "modify"]
)  # fmt: skip
def test_decision_on_a_role_takes_effect_and_is_read_back(world: World, act: str, name: str) -> None:
    item = ready(world, "Ben", kind="roles")
    ACTS[act](actor(world.mo), item, world)
    sweep.run_due()
    role = RoleAssignment.objects.get(pk=item.subject)
    assert (role.ended_at is not None, role.to_at is not None) == (act == "revoke", act == "modify")
    assert [event.name for event in events_of(role)] == ([name] if name else [])
    assert row_of(item)["access_present"] is (None if act == "keep" else False)
    assert [event.name for event in events_of(item)][2:] == [
        "campaign.item_decided", *(() if act == "keep" else ("campaign.removal_done", "campaign.removal_read_back")),
    ]  # fmt: skip


def test_roles_for_all_systems_are_a_list_of_their_own(world: World) -> None:
    administer_all(world)
    administer_all(world, "quinn")
    with pytest.raises(NotAllowed):
        starting.run_now(by=actor(world.mo), system=None, kind="roles")
    campaign = starting.run_now(by=actor(world.pia), system=None, kind="roles")
    items: dict[str, Any] = {item.label: item.reviewer for item in Item.objects.filter(campaign=campaign)}
    assert items == {"Pia: administrator": None, "Quinn: administrator": world.mo}  # Quinn and Mo made Pia one
    (event,) = events_of(campaign, "campaign.started")
    assert ("system_id" in event.fields, event.fields["kind"], event.fields["not_put_to_anyone"]) == (False, "roles", 1)
    RoleAssignment.objects.filter(person=world.kim).update(role="owner")
    sweep.run_due()
    for item in Item.objects.filter(campaign=campaign):
        assert item.reviewer is not None
        seen(world, campaign, item.reviewer.name.lower())
        actions.keep(by=actor(item.reviewer), item=item, reason=NOTE)
    with pytest.raises(NotAllowed):
        actions.close(by=actor(world.mo), campaign=campaign)
    assert actions.close(by=actor(world.quinn), campaign=campaign).statement.count("All systems") == 1


# --- two agree before an owner of one system takes away what holds for all


def judged_by_owners(world: World, *owners: str) -> Any:
    """Three administrate all systems and gave each other the role, so that owners judge; Mo is asked first."""
    for name, hands in (("pia", "quinn zoe"), ("quinn", "pia zoe"), ("zoe", "pia quinn")):
        first, second = hands.split()
        RoleAssignment.objects.filter(person=world.people[name]).delete()
        RoleAssignment._base_manager.create(
            person=world.people[name], role="administrator", proposed_by=world.people[first], proposed_at=now(), approved_by=world.people[second],
            approved_at=now(), from_at=now(),
        )  # fmt: skip
    RoleAssignment.objects.filter(person__in=[world.people[name] for name in owners]).update(role="owner")
    campaign = starting.run_now(by=actor(world.pia), system=None, kind="roles")
    Item.objects.filter(campaign=campaign).update(reviewer=world.mo, owner=world.mo)
    return seen(world, campaign)


@pytest.mark.parametrize(("act", "name"), [("revoke", "role.ended"), ("modify", "role.shortened")])
def test_role_for_all_systems_goes_when_two_owners_agree(world: World, act: str, name: str) -> None:
    campaign = judged_by_owners(world, "kim")
    item = line(campaign, "Quinn")
    ACTS[act](actor(world.mo), item, world)
    role = RoleAssignment.objects.get(pk=item.subject)
    asked = row_of(item)
    assert (role.ended_at, role.to_at, asked["state"], asked["reviewer_id"]) == (None, None, "undecided", world.kim.pk)
    assert (asked["removal_asked_by_id"], asked["shown_at"]) == (world.mo.pk, None)
    (event,) = events_of(item, "campaign.item_decided")
    assert {key: event.fields[key] for key in ("decision", "to_id", "removal_asked")} == {
        "decision": "transfer", "to_id": str(world.kim.pk), "removal_asked": 1,
    }  # fmt: skip
    with pytest.raises(NotAllowed):
        ACTS[act](actor(world.mo), item, world)
    page = browser_of(world.kim).get(f"/campaigns/{campaign.pk}/").content.decode()
    assert ("Mo asks " in page, f": {NOTE}" in page) == (True, True)
    ACTS[act](actor(world.kim), line(campaign, "Quinn"), world)
    assert [event.name for event in events_of(role)] == [name]
    assert row_of(item)["decided_by_id"] == world.kim.pk


def asks(world: World, by: str, campaign: Any, days: int | None) -> None:
    """Quinn's role is to end after so many days; without, at once."""
    with contextlib.suppress(ChangedMeanwhile):  # seen before
        seen(world, campaign, by)
    item, judge = line(campaign, "Quinn"), actor(world.people[by])
    if days is None:
        actions.revoke(by=judge, item=item, reason=NOTE)
    else:
        actions.modify(by=judge, item=item, to_at=BEGUN + timedelta(days=days), reason=NOTE)


@pytest.mark.parametrize(
    ("first", "second", "agreed"),
    [
        (9, None, False), (9, 8, False), (9, 9, True), (9, 10, True), (None, None, True), (None, 9, True),
    ],
)  # fmt: skip
def test_second_goes_no_further_than_the_first_asked_for(
    world: World, first: int | None, second: int | None, agreed: bool
) -> None:
    campaign = judged_by_owners(world, "kim")
    item = line(campaign, "Quinn")
    role = RoleAssignment.objects.get(pk=item.subject)
    for by, days in (("mo", first), ("kim", second)):
        asks(world, by, campaign, days)
    assert bool(events_of(role)) is agreed
    if not agreed:  # it was asked anew: the first may agree to that now
        row, wanted = row_of(item), None if second is None else BEGUN + timedelta(days=second)
        assert (row["state"], row["reviewer_id"], row["removal_asked_by_id"]) == (
            "undecided",
            world.mo.pk,
            world.kim.pk,
        )
        assert row["removal_asked_to_at"] == wanted
        told = events_of(item, "campaign.item_decided")[-1].fields
        assert (told["removal_asked"], told.get("expires_at")) == (1, ms(wanted) if wanted else None)
        asks(world, "mo", campaign, second)
        assert [each.name for each in events_of(role)] == ["role.ended" if second is None else "role.shortened"]


def test_page_says_until_when_the_first_wants_it_to_last(world: World) -> None:
    campaign = judged_by_owners(world, "kim")
    asks(world, "mo", campaign, 9)
    page = browser_of(world.kim).get(f"/campaigns/{campaign.pk}/").content.decode()
    assert ("Mo asks that it ends" in page, "To be taken away" in page) == (True, False)
    assert f'value="{BEGUN + timedelta(days=9):%Y-%m-%dT%H:%M}"' in page  # who agrees need not type it


def test_nobody_is_asked_to_agree_to_an_end_that_cannot_be(world: World) -> None:
    campaign = judged_by_owners(world, "kim")
    before = row_of(line(campaign, "Quinn"))
    with pytest.raises(RefusedByPolicy, match="between now and the present end"):
        asks(world, "mo", campaign, -1)
    assert row_of(line(campaign, "Quinn")) == before


def test_second_owner_may_keep_what_the_first_wants_taken_away(world: World) -> None:
    campaign = judged_by_owners(world, "kim")
    ACTS["revoke"](actor(world.mo), line(campaign, "Quinn"), world)
    seen(world, campaign, "kim")
    actions.keep(by=actor(world.kim), item=line(campaign, "Quinn"), reason=NOTE)
    assert RoleAssignment.objects.get(person=world.quinn).ended_at is None


def test_owner_without_a_second_takes_nothing_away(world: World) -> None:
    campaign = judged_by_owners(world)
    item = line(campaign, "Quinn")
    before = row_of(item)
    with pytest.raises(RefusedByPolicy, match="Two people agree"):
        ACTS["revoke"](actor(world.mo), item, world)
    assert (row_of(item), RoleAssignment.objects.get(pk=item.subject).ended_at) == (before, None)


def test_free_administrator_decides_alone(world: World) -> None:
    campaign = judged_by_owners(world, "kim")
    RoleAssignment.objects.filter(person=world.quinn).update(approved_by=world.ines)
    Item.objects.filter(campaign=campaign).update(reviewer=world.zoe, owner=world.zoe)
    ACTS["revoke"](actor(world.zoe), line(campaign, "Quinn"), world)
    assert RoleAssignment.objects.get(person=world.quinn).ended_at is not None


def test_attestation_leaves_two_administrators(world: World) -> None:
    campaign = judged_by_owners(world, "kim")
    RoleAssignment.objects.filter(person=world.zoe).update(ended_at=now(), ended_by="x", ended_cause="x")
    ACTS["revoke"](actor(world.mo), line(campaign, "Quinn"), world)
    seen(world, campaign, "kim")
    for act in ("revoke", "modify"):
        with pytest.raises(RefusedByPolicy, match="Fewer than two people"):
            ACTS[act](actor(world.kim), line(campaign, "Quinn"), world)
    assert RoleAssignment.objects.get(person=world.quinn).ended_at is None
