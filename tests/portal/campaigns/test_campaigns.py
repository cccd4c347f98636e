"""A list is attested line by line, by people who are not concerned, and closed with a statement."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit.log.append import Actor, LogUnavailable, Refused
from portal.campaigns import actions, starting, sweep
from portal.campaigns.figures import attestation_interval, decisions, dormant_after, statement
from portal.campaigns.lines import again, sha256
from portal.campaigns.models import Campaign, Duty, Item
from portal.campaigns.states import ITEM_MOVES, ITEM_STATES, KEPT, MODIFIED, REVOKED, UNDECIDED
from portal.campaigns.tasks import remove
from portal.campaigns.tasks import sweep as sweep_task
from portal.clock import ms, now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings.models import Finding
from portal.notifications.models import Alert
from portal.reconciliation.listings import NotListed
from portal.systems.models import System
from tests.portal.campaigns.attested import begun, down, events_of, line, ready, row_of, seen, stand
from tests.portal.reviews.used import used
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
NOTE = "Left the team."


@pytest.fixture
def world() -> World:
    return make_world()


# --- duties


def test_figures_are_the_catalogues() -> None:
    assert (attestation_interval().days, dormant_after().days) == (90, 180)
    assert set(decisions()) == {"keep", "modify", "revoke", "transfer"}
    assert statement().startswith("I am the owner of what is listed")


def test_duty_is_set_once_and_so_long_after_coming_into_scope(world: World) -> None:
    assert (sweep_task(), sweep_task()) == (1, 0)
    duty = Duty.objects.get()
    assert (duty.due_at - world.system.in_scope_from, duty.due_at - duty.starts_at) == (
        timedelta(days=90),
        timedelta(days=14),
    )
    (event,) = events_of(duty, "duty.set")
    assert (event.fields["kind"], event.fields["subject_kind"], event.fields["days_since_previous"]) == (
        "campaign",
        "eligibility",
        90,
    )


def test_duty_out_of_scope_is_not_set(world: World) -> None:
    System.objects.update(in_scope_to=now())
    assert (sweep.run_due(), Duty.objects.count()) == (0, 0)


def _scope(days: float) -> None:
    System.objects.update(in_scope_from=now() - timedelta(days=days))


def test_campaign_begins_a_fortnight_before_and_once(world: World) -> None:
    _scope(75)
    sweep.run_due()
    assert not Campaign.objects.exists()
    Duty.objects.all().delete()
    _scope(77)
    assert (sweep.run_due(), sweep.run_due()) == (2, 0)
    campaign = Campaign.objects.get()
    assert campaign.due_at == Duty.objects.get().due_at
    assert [each.recipient for each in Alert.objects.filter(kind="campaign.item_due")] == [world.mo]


def test_duty_that_is_missed_stays_a_row_and_the_next_is_set(world: World) -> None:
    _scope(90.5)
    sweep.run_due()
    duty = Duty.objects.earliest("due_at")
    assert duty.missed_at is not None
    assert [event.name for event in events_of(duty)] == ["duty.set", "duty.missed"]
    told = {each.recipient for each in Alert.objects.filter(kind="system.problem")}
    assert told == {world.mo, world.pia, world.quinn, world.kim, world.lea}
    assert Campaign.objects.get().duty == duty
    assert sweep.run_due() == 1
    assert Duty.objects.latest("due_at").due_at == duty.due_at + timedelta(days=90)
    assert sweep.run_due() == 0


def test_next_duty_counts_from_the_closing(world: World) -> None:
    campaign = begun(world)
    seen(world, campaign)
    for item in Item.objects.filter(campaign=campaign):
        actions.keep(by=actor(world.mo), item=item, reason="Needed.")
    closed = actions.close(by=actor(world.mo), campaign=campaign)
    assert closed.closed_at is not None
    sweep.run_due()
    assert Duty.objects.latest("due_at").due_at == closed.closed_at + timedelta(days=90)


def test_reminders_go_once_to_those_with_undecided_lines(world: World) -> None:
    campaign = begun(world)
    marks = []
    for gone in (6, 7, 7, 14, 15, 15):
        begin = now() - timedelta(days=gone, seconds=1)
        Campaign.objects.update(snapshot_at=begin, due_at=begin + timedelta(days=14))
        sweep.run_due()
        campaign.refresh_from_db()
        marks.append(list(campaign.reminded))
    assert marks == [[], ["half"], ["half"], ["half", "at"], ["half", "at", "after-1"], ["half", "at", "after-1"]]
    told = Alert.objects.filter(kind="campaign.item_reminder")
    assert [(each.recipient, each.facts["lines"]) for each in told] == [(world.mo, 2)] * 3


# --- the list


def test_list_and_target_become_lines(world: World) -> None:
    stand(world, "old_admin")
    campaign = begun(world)
    assert [(each.label, each.reviewer) for each in Item.objects.filter(campaign=campaign)] == [
        ("Ann: Billing emergency", world.mo), ("Ben: Billing emergency", world.mo), ("old_admin as billing_emergency", world.mo),
    ]  # fmt: skip
    (event,) = events_of(campaign, "campaign.started")
    assert (event.fields["item_count"], event.fields["not_put_to_anyone"], event.fields["kind"]) == (
        3,
        0,
        "eligibility",
    )
    listed = [events_of(item, "campaign.item_listed")[0] for item in Item.objects.all()]
    assert {each.personal["label"] for each in listed} == {each.label for each in Item.objects.all()}
    assert "old_admin" not in json.dumps([each.fields for each in listed])


def test_list_can_be_made_again_and_a_change_shows(world: World) -> None:
    stand(world, "old_admin")
    campaign = begun(world)
    assert campaign.snapshot_sha256 == hashlib.sha256(campaign.snapshot.encode()).hexdigest()
    assert again(campaign) == campaign.snapshot
    Item.objects.filter(label__startswith="Ann").update(privilege_name="Something else")
    assert sha256(again(campaign)) != campaign.snapshot_sha256


def test_declared_logins_and_live_grants_are_no_standing_access(world: World) -> None:
    world.system.settings["declared_logins"] = ["shop_app"]
    world.system.save()
    stand(world, "shop_app", "old_admin")
    labels = Item.objects.filter(campaign=begun(world), subject_kind="standing_access").values_list("label", flat=True)
    assert list(labels) == ["old_admin as billing_emergency"]


def test_facts_say_how_often_it_was_used(world: World) -> None:
    last = used(world, "ann", ended_h=2)
    used(world, "ann", ended_h=30, mode="bypass")
    used(world, "ann", ended_h=50, mode="drill", minutes=10)
    facts = line(begun(world), "Ann").facts
    assert (facts["uses"], facts["bypasses"], facts["drills"]) == (2, 1, 1)
    assert last.opened_at is not None
    assert facts["last_use"] == ms(last.opened_at)
    assert {"last_use", "last_drill"} & set(line(Campaign.objects.get(), "Ben").facts) == set()


@pytest.mark.parametrize("hand", ["person", "proposed_by", "approved_by"])
def test_line_goes_to_somebody_who_is_not_concerned(world: World, hand: str) -> None:
    """The owner of the system is on the list, or put somebody on it: then the next who is free decides."""
    row = Eligibility.objects.get(person=world.ben)
    setattr(row, hand, world.mo)
    row.save()
    line_of_it = Item.objects.get(campaign=begun(world), subject=str(row.pk))
    assert line_of_it.reviewer not in (row.person, row.proposed_by, row.approved_by)
    assert line_of_it.owner == line_of_it.reviewer


def _all_are_concerned(world: World) -> None:
    """A small house: its one owner and its one administrator put Ben on the list, and there is no reviewer."""
    RoleAssignment.objects.filter(role="reviewer").update(to_at=now())
    RoleAssignment.objects.filter(person=world.quinn).update(to_at=now())
    Eligibility.objects.filter(person=world.ben).update(proposed_by=world.pia, approved_by=world.mo)


def test_line_that_nobody_can_decide_keeps_it_from_beginning(world: World) -> None:
    _all_are_concerned(world)
    with pytest.raises(RefusedByPolicy, match=r"Nobody can decide on this line: Ben.* owner or reviewer"):
        begun(world)
    assert not Campaign.objects.exists()


def test_campaign_that_nobody_can_decide_is_told_once_and_begins_when_there_is_somebody(world: World) -> None:
    _scope(77)
    _all_are_concerned(world)
    for _ in range(3):
        sweep.run_due()
    duty = Duty.objects.get()
    told = Alert.objects.filter(kind="system.problem", about=duty.log_subject)
    assert {each.recipient for each in told} == {world.mo, world.pia}
    assert len(told) == 2
    assert all("Nobody can decide on this line: Ben" in each.facts["sentence"] for each in told)
    assert (Campaign.objects.exists(), events_of(world.system)) == (False, [])
    RoleAssignment.objects.filter(person=world.kim).update(to_at=None)
    sweep.run_due()
    assert {item.label: item.reviewer for item in Item.objects.all()} == {
        "Ann: Billing emergency": world.mo, "Ben: Billing emergency": world.kim,
    }  # fmt: skip


def test_only_administrators_begin_before_the_time(world: World) -> None:
    for name in ("mo", "kim", "ann", "zoe", "otto"):
        with pytest.raises(NotAllowed):
            begun(world, name)
    assert not Campaign.objects.exists()
    assert begun(world, "quinn").state == "open"
    with pytest.raises(ChangedMeanwhile, match="open already"):
        begun(world, "pia")


def test_target_that_does_not_answer_is_waited_for_until_the_last_week(world: World) -> None:
    down(world)
    with pytest.raises(NotListed):
        begun(world)
    _scope(80)
    Duty.objects.all().delete()
    sweep.run_due()
    assert not Campaign.objects.exists()
    Duty.objects.update(due_at=now() + timedelta(days=6))
    sweep.run_due()
    (event,) = events_of(Campaign.objects.get(), "campaign.started")
    assert "listing_id" not in event.fields


def test_lines_are_shown_once(world: World) -> None:
    campaign = begun(world)
    assert actions.show(by=actor(world.mo), campaign=campaign) == 2
    with pytest.raises(ChangedMeanwhile):
        actions.show(by=actor(world.mo), campaign=campaign)
    assert len(events_of(line(campaign, "Ann"), "campaign.item_shown")) == 1


# --- decisions

ACTS: dict[str, Callable[[Actor, Item, World], Any]] = {
    "keep": lambda by, item, _: actions.keep(by=by, item=item, reason=NOTE),
    "modify": lambda by, item, _: actions.modify(by=by, item=item, to_at=now() + timedelta(days=5), reason=NOTE),
    "revoke": lambda by, item, _: actions.revoke(by=by, item=item, reason=NOTE),
    "transfer": lambda by, item, world: actions.transfer(by=by, item=item, to=world.kim, reason=NOTE),
}
AFTER = {"keep": KEPT, "modify": MODIFIED, "revoke": REVOKED, "transfer": UNDECIDED}


def test_table_names_every_act() -> None:
    assert set(ACTS) == set(ITEM_MOVES)
    assert {move.target for move in ITEM_MOVES.values()} == set(ITEM_STATES)


@pytest.mark.parametrize("act", ACTS)
def test_decision_takes_effect_with_its_events(world: World, act: str) -> None:
    item = ready(world)
    ACTS[act](actor(world.mo), item, world)
    row = row_of(item)
    assert row["state"] == AFTER[act]
    event = events_of(item)[-1]
    assert (event.name, event.fields["decision"], event.fields["reason_given"], event.personal["reason"]) == (
        "campaign.item_decided", act, 1, NOTE,
    )  # fmt: skip
    assert NOTE not in json.dumps(event.fields)
    eligibility = Eligibility.objects.get(pk=item.subject)
    told = {
        "keep": "eligibility.reconfirmed",
        "modify": "eligibility.shortened",
        "revoke": "eligibility.revoked",
        "transfer": "eligibility",
    }
    assert [each.name for each in events_of(eligibility)] == ([told[act]] if act != "transfer" else [])
    assert (eligibility.ended_at is not None, eligibility.to_at is not None) == (act == "revoke", act == "modify")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", [KEPT, MODIFIED, REVOKED])
def test_decided_line_is_never_decided_again(world: World, state: str, act: str) -> None:
    item = ready(world)
    ACTS[next(name for name, after in AFTER.items() if after == state)](actor(world.mo), item, world)
    before = row_of(item)
    with pytest.raises(ChangedMeanwhile):
        ACTS[act](actor(world.mo), item, world)
    assert row_of(item) == before
    assert events_of(item)[-1].name == "campaign.act_refused"


@pytest.mark.parametrize("act", ["keep", "modify", "revoke"])
@pytest.mark.parametrize("name", ["ann", "ben", "kim", "pia", "otto", "ines", "zoe"])
def test_line_is_decided_by_whom_it_was_put_to(world: World, name: str, act: str) -> None:
    item = ready(world)
    with pytest.raises(NotAllowed):
        ACTS[act](actor(world.people[name]), item, world)
    assert row_of(item)["state"] == UNDECIDED


@pytest.mark.parametrize("act", ACTS)
def test_nobody_decides_on_a_line_about_themselves(world: World, act: str) -> None:
    """Not even if the row says that it was put to them."""
    item = ready(world)
    Item.objects.filter(pk=item.pk).update(person=world.mo)
    with pytest.raises(NotAllowed) as refusal:
        ACTS[act](actor(world.mo), item, world)
    assert refusal.value.kind == "own"


def test_who_left_their_role_decides_no_more_and_an_administrator_hands_on(world: World) -> None:
    item = ready(world)
    actions.transfer(by=actor(world.mo), item=item, to=world.kim)
    actions.show(by=actor(world.kim), campaign=item.campaign)
    RoleAssignment.objects.filter(person=world.kim).update(to_at=now())
    with pytest.raises(NotAllowed, match="attest its list"):
        actions.keep(by=actor(world.kim), item=item, reason=NOTE)
    actions.transfer(by=actor(world.pia), item=item, to=world.mo)
    assert row_of(item)["reviewer_id"] == world.mo.pk


def test_transfer_names_the_owner_who_must_see_it_first(world: World) -> None:
    item = ready(world)
    Alert.objects.all().delete()
    actions.transfer(by=actor(world.mo), item=item, to=world.lea, reason="Her team.")
    row = row_of(item)
    assert (row["owner_id"], row["reviewer_id"], row["shown_at"]) == (world.lea.pk, world.lea.pk, None)
    assert [each.recipient for each in Alert.objects.all()] == [world.lea]
    with pytest.raises(WrongState, match="Look at this line"):
        actions.keep(by=actor(world.lea), item=item, reason=NOTE)
    seen(world, item.campaign, "lea")
    assert actions.keep(by=actor(world.lea), item=item, reason=NOTE).state == KEPT


@pytest.mark.parametrize("act", ["keep", "modify", "revoke"])
@pytest.mark.parametrize("hand", ["proposed_by", "approved_by"])
def test_nobody_decides_on_a_right_that_they_proposed_or_approved(world: World, hand: str, act: str) -> None:
    """Not even if the row says that it was put to them: they hand it on, to somebody who is not concerned."""
    item = ready(world)
    Eligibility.objects.filter(pk=item.subject).update(**{hand: world.mo})
    before = row_of(item)
    with pytest.raises(NotAllowed, match="proposed or approved") as refusal:
        ACTS[act](actor(world.mo), item, world)
    assert (refusal.value.kind, row_of(item), events_of(item)[-1].name) == ("own", before, "campaign.act_refused")
    assert actions.transfer(by=actor(world.mo), item=item, to=world.kim).reviewer == world.kim


@pytest.mark.parametrize("by", ["mo", "quinn"])
@pytest.mark.parametrize("to", ["pia", "quinn"])
def test_line_is_never_handed_to_who_proposed_or_approved_the_right(world: World, by: str, to: str) -> None:
    """An administrator who approved it could else take it, and keep it."""
    item = ready(world)
    before = row_of(item)
    with pytest.raises(NotAllowed, match="proposed or approved this right") as refusal:
        actions.transfer(by=actor(world.people[by]), item=item, to=world.people[to])
    assert (refusal.value.kind, row_of(item)) == ("own", before)


@pytest.mark.parametrize("to", ["mo", "ann", "zoe", "otto", "ines"])
def test_transfer_is_to_another_who_attests_and_is_not_concerned(world: World, to: str) -> None:
    item = ready(world)
    with pytest.raises(NotAllowed):
        actions.transfer(by=actor(world.mo), item=item, to=world.people[to])


@pytest.mark.parametrize(("method", "age_s"), [("totp", 16 * 60), ("recovery", 10), (None, 10)])
@pytest.mark.parametrize("act", ACTS)
def test_deciding_needs_a_fresh_second_factor(world: World, act: str, method: str | None, age_s: int) -> None:
    item = ready(world)
    with pytest.raises(StepUpNeeded):
        ACTS[act](actor(world.mo, method=method, age_s=age_s), item, world)


def test_note_is_needed_where_it_is_not_kept(world: World) -> None:
    item, by = ready(world), actor(world.mo)
    with pytest.raises(RefusedByPolicy, match="Say why it does not stay"):
        actions.modify(by=by, item=item, to_at=now() + timedelta(days=5), reason=" ")
    with pytest.raises(RefusedByPolicy, match="Say why it does not stay"):
        actions.revoke(by=by, item=item, reason="")


@pytest.mark.parametrize(
    ("granted", "used_d", "drilled_d", "needed"),
    [
        (179, None, None, False),
        (181, None, None, True),
        (400, 179, None, False),
        (400, 181, None, True),
        (400, 300, 10, False),
    ],
)
def test_note_is_needed_to_keep_what_nobody_used(
    world: World, granted: int, used_d: int | None, drilled_d: int | None, *, needed: bool
) -> None:
    item = ready(world)
    ago = {"granted_at": granted, "last_use": used_d, "last_drill": drilled_d}
    item.facts |= {name: ms(now() - timedelta(days=days)) for name, days in ago.items() if days is not None}
    item.save(update_fields=["facts"])
    if needed:
        with pytest.raises(RefusedByPolicy, match="say why it stays"):
            actions.keep(by=actor(world.mo), item=item)
        return
    assert actions.keep(by=actor(world.mo), item=item).state == KEPT


def test_narrowing_is_to_an_earlier_end(world: World) -> None:
    item = ready(world)
    with pytest.raises(RefusedByPolicy):
        actions.modify(by=actor(world.mo), item=item, to_at=now() - timedelta(days=1), reason=NOTE)
    end = now() + timedelta(days=2)
    actions.modify(by=actor(world.mo), item=item, to_at=end, reason=NOTE)
    (event,) = events_of(item, "campaign.item_decided")
    assert (event.fields["expires_at"], Eligibility.objects.get(pk=item.subject).to_at) == (ms(end), end)


def test_line_whose_eligibility_ended_meanwhile_can_still_be_decided(world: World) -> None:
    from portal.grants import narrowing

    item = ready(world)
    narrowing.revoke_eligibility(by=actor(world.kim), eligibility=Eligibility.objects.get(pk=item.subject))
    with pytest.raises(RefusedByPolicy, match="in force"):
        ACTS["modify"](actor(world.mo), item, world)
    assert actions.revoke(by=actor(world.mo), item=item, reason=NOTE).state == REVOKED


def test_standing_access_is_not_narrowed(world: World) -> None:
    stand(world, "old_admin")
    item = ready(world, "old_admin")
    with pytest.raises(RefusedByPolicy):
        ACTS["modify"](actor(world.mo), item, world)
    with pytest.raises(RefusedByPolicy, match="say why it stays"):
        actions.keep(by=actor(world.mo), item=item)
    assert actions.keep(by=actor(world.mo), item=item, reason="The vendor's.").state == KEPT


# --- closing


def decided(world: World) -> Campaign:
    campaign = seen(world, begun(world))
    for act, who in (("keep", "Ann"), ("revoke", "Ben")):
        ACTS[act](actor(world.mo), line(campaign, who), world)
    return campaign


def test_closing_states_the_fingerprint_and_counts(world: World) -> None:
    campaign = actions.close(by=actor(world.mo), campaign=decided(world))
    assert campaign.closed_at is not None
    (event,) = events_of(campaign, "campaign.closed")
    assert event.fields == {
        "campaign_id": str(campaign.pk), "duty_id": str(campaign.duty_id), "kind": "eligibility", "system_id": str(world.system.pk),
        "closed_at": ms(campaign.closed_at), "recomputed_sha256": campaign.snapshot_sha256, "statement_sha256": sha256(campaign.statement),
        "kept": 1, "modified": 0, "revoked": 1, "undecided": 0,
    }  # fmt: skip
    assert campaign.statement.startswith(statement())
    assert campaign.snapshot_sha256 in campaign.statement


def test_change_of_the_list_shows_at_closing(world: World) -> None:
    campaign = decided(world)
    Item.objects.filter(label__startswith="Ann").update(label="Ann: Nothing")
    (event,) = events_of(actions.close(by=actor(world.mo), campaign=campaign), "campaign.closed")
    assert event.fields["recomputed_sha256"] != campaign.snapshot_sha256


def test_closing_waits_for_every_line(world: World) -> None:
    item = ready(world)
    actions.keep(by=actor(world.mo), item=item, reason=NOTE)
    with pytest.raises(RefusedByPolicy, match="undecided: 1"):
        actions.close(by=actor(world.mo), campaign=item.campaign)


@pytest.mark.parametrize(
    ("name", "ok"), [("mo", True), ("pia", True), ("kim", False), ("ann", False), ("otto", False), ("zoe", False)]
)
def test_owner_and_administrators_close(world: World, name: str, *, ok: bool) -> None:
    campaign = decided(world)
    if ok:
        assert actions.close(by=actor(world.people[name]), campaign=campaign).closed_by_id == world.people[name].pk
        return
    with pytest.raises(NotAllowed):
        actions.close(by=actor(world.people[name]), campaign=campaign)


def test_closing_is_once_and_freshly_confirmed(world: World) -> None:
    campaign = decided(world)
    with pytest.raises(StepUpNeeded):
        actions.close(by=actor(world.mo, age_s=3600), campaign=campaign)
    actions.close(by=actor(world.mo), campaign=campaign)
    with pytest.raises(ChangedMeanwhile):
        actions.close(by=actor(world.mo), campaign=campaign)
    assert events_of(campaign)[-1].name == "campaign.act_refused"


def test_list_of_nobody_is_closed_too(world: World) -> None:
    Eligibility.objects.update(to_at=now())
    assert actions.close(by=actor(world.mo), campaign=begun(world)).state == "closed"


# --- faults


def test_nothing_changes_when_the_log_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    item = ready(world)
    before, duties = row_of(item), Duty.objects.count()

    def broken(*_args: object, **_given: object) -> None:
        raise LogUnavailable("The log cannot be written.")

    monkeypatch.setattr(actions, "append", broken)
    monkeypatch.setattr(actions, "append_many", broken)
    for act in ACTS:
        with pytest.raises(LogUnavailable):
            ACTS[act](actor(world.mo), item, world)
    with pytest.raises(LogUnavailable):
        actions.start(by=starting.SWEEP, duty=_second_system_duty(world), listing=None)
    assert (row_of(item), Finding.objects.count(), Campaign.objects.count(), Duty.objects.count()) == (
        before,
        0,
        1,
        duties + 1,
    )
    eligibility = Eligibility.objects.get(pk=item.subject)
    assert (eligibility.ended_at, eligibility.to_at, events_of(eligibility)) == (None, None, [])


def _second_system_duty(world: World) -> Duty:
    other = System.objects.create(
        slug="other", name="Other", owner=world.mo, connector="simulated", in_scope_from=now()
    )
    return Duty.objects.create(
        kind="campaign",
        subject_kind="eligibility",
        system=other,
        starts_at=now(),
        due_at=now() + timedelta(days=1),
        days_since_previous=90,
    )


def test_tasks_may_run_twice_or_for_nothing(world: World) -> None:
    item = ready(world)
    actions.revoke(by=actor(world.mo), item=item, reason=NOTE)
    for _ in range(2):
        remove(str(item.pk))
        remove("00000000-0000-4000-8000-000000000000")
    names = [event.name for event in events_of(item)]
    assert names[-3:] == ["campaign.item_decided", "campaign.removal_done", "campaign.removal_read_back"]
    with pytest.raises(Refused):
        actions.keep(by=actor(world.mo), item=item)
