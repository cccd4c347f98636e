"""When a campaign begins, what it puts before whom, and what happens when something fails on the way."""

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from audit.log.append import LogUnavailable, Refused
from portal.campaigns import actions, beginning, starting, sweep
from portal.campaigns.duties import note_missed
from portal.campaigns.figures import attestation_interval, decisions, dormant_after, statement
from portal.campaigns.lines import again, sha256
from portal.campaigns.models import Campaign, Duty, Item
from portal.campaigns.queries import to_miss
from portal.campaigns.tasks import remove
from portal.campaigns.tasks import sweep as sweep_task
from portal.clock import ms, now
from portal.eligibility.models import Eligibility
from portal.errors import ChangedMeanwhile, NotAllowed
from portal.findings.models import Finding
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.reconciliation.listings import NotListed
from portal.systems.models import System
from tests.at_once import at_once
from tests.portal.campaigns.attested import ACTS, NOTE, begun, down, events_of, line, ready, row_of, seen, stand
from tests.portal.reviews.used import used
from tests.servers import wait_until
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


# --- duties


def test_figures_are_the_catalogues() -> None:
    assert (attestation_interval("eligibility").days, attestation_interval("roles").days, dormant_after().days) == (
        90,
        90,
        180,
    )
    assert set(decisions()) == {"keep", "modify", "revoke", "transfer"}
    assert statement().startswith("I am the owner of what is listed")


def test_duty_is_set_once_and_so_long_after_coming_into_scope(world: World) -> None:
    assert (sweep_task(), sweep_task()) == (2, 0)
    for kind in ("eligibility", "roles"):
        duty = Duty.objects.get(subject_kind=kind)
        assert (duty.due_at - world.system.in_scope_from, duty.due_at - duty.starts_at) == (
            timedelta(days=90),
            timedelta(days=14),
        )
        (event,) = events_of(duty, "duty.set")
        assert (event.fields["kind"], event.fields["subject_kind"], event.fields["days_since_previous"]) == (
            "campaign",
            kind,
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
    assert (sweep.run_due(), sweep.run_due()) == (4, 0)
    campaign = Campaign.objects.get(kind="eligibility")
    assert campaign.due_at == Duty.objects.get(subject_kind="eligibility").due_at
    told = Alert.objects.filter(kind="campaign.item_due", about=campaign.log_subject)
    assert [each.recipient for each in told] == [world.mo]


def test_duty_that_is_missed_stays_a_row_and_the_next_is_set(world: World) -> None:
    _scope(90.5)
    sweep.run_due()
    mine = Duty.objects.filter(subject_kind="eligibility")
    duty = mine.earliest("due_at")
    assert duty.missed_at is not None
    assert [event.name for event in events_of(duty)] == ["duty.set", "duty.missed"]
    told = {each.recipient for each in Alert.objects.filter(kind="system.problem", about=duty.log_subject)}
    assert told == {world.mo, world.pia, world.quinn, world.kim, world.lea}
    assert Campaign.objects.get(kind="eligibility").duty == duty
    assert sweep.run_due() == 2
    assert mine.latest("due_at").due_at == duty.due_at + timedelta(days=90)
    assert sweep.run_due() == 0


def _due(closed_after: timedelta) -> Duty:
    """The attestation's time was over an hour ago, and it was closed so long after it, or before."""
    campaign = Campaign.objects.get(kind="eligibility")
    assert campaign.duty is not None
    due_at = now() - timedelta(hours=1)
    Duty.objects.filter(pk=campaign.duty.pk).update(due_at=due_at)
    Campaign.objects.filter(pk=campaign.pk).update(
        state="closed", closed_at=due_at + closed_after, closed_by=Person.objects.get(name="Mo"), statement="Closed."
    )
    return Duty.objects.get(pk=campaign.duty.pk)


def test_what_was_done_in_time_is_not_missed_however_late_the_sweep_looks(world: World) -> None:
    begun(world)
    for closed_after in (timedelta(minutes=-1), timedelta(0)):
        duty = _due(closed_after)
        assert duty not in to_miss(now())
        with pytest.raises(ChangedMeanwhile):
            note_missed(by=sweep.SWEEP, duty=duty)
    assert events_of(duty, "duty.missed") == []


def test_what_was_done_late_between_two_looks_is_missed_once(world: World) -> None:
    begun(world)
    duty = _due(timedelta(minutes=1))
    assert duty in to_miss(now())
    assert sorted(type(each).__name__ for each in at_once(4, lambda: note_missed(by=sweep.SWEEP, duty=duty))) == [
        "ChangedMeanwhile", "ChangedMeanwhile", "ChangedMeanwhile", "Duty",
    ]  # fmt: skip
    assert (len(events_of(duty, "duty.missed")), duty in to_miss(now())) == (1, False)
    assert (
        "It was afterwards." in Alert.objects.filter(kind="system.problem", about=duty.log_subject)[0].facts["sentence"]
    )


def test_what_is_closing_in_time_while_the_sweep_looks_is_waited_for(world: World) -> None:
    begun(world)
    duty = _due(timedelta(minutes=1))
    Campaign.objects.filter(duty=duty).update(state="open", closed_at=None, closed_by=None, statement="")
    got: list[object] = []

    def look() -> None:
        got.extend(at_once(1, lambda: note_missed(by=sweep.SWEEP, duty=duty)))

    looking = threading.Thread(target=look)
    with transaction.atomic():
        row = Campaign.objects.select_for_update().get(duty=duty)
        looking.start()
        wait_until(_waits_for_a_lock, "the sweep to wait for the closing")
        row.state, row.closed_at, row.closed_by, row.statement = "closed", duty.due_at, world.mo, "Closed."
        row.save()
    looking.join(60)
    assert [type(each) for each in got] == [ChangedMeanwhile]
    assert events_of(duty, "duty.missed") == []


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])


def test_nothing_is_missed_of_a_system_that_left_scope_before_its_time(world: World) -> None:
    begun(world)
    duty = _due(timedelta(minutes=1))
    System.objects.update(in_scope_to=duty.due_at - timedelta(days=1))
    assert to_miss(now()) == []
    with pytest.raises(ChangedMeanwhile):
        note_missed(by=sweep.SWEEP, duty=duty)
    System.objects.update(in_scope_to=duty.due_at + timedelta(minutes=1))
    assert duty in to_miss(now())


def test_next_duty_counts_from_the_closing(world: World) -> None:
    campaign = begun(world)
    seen(world, campaign)
    for item in Item.objects.filter(campaign=campaign):
        actions.keep(by=actor(world.mo), item=item, reason="Needed.")
    closed = actions.close(by=actor(world.mo), campaign=campaign)
    assert closed.closed_at is not None
    sweep.run_due()
    assert Duty.objects.filter(subject_kind="eligibility").latest("due_at").due_at == closed.closed_at + timedelta(
        days=90
    )


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
    assert campaign.snapshot_sha256 == hashlib.sha256(campaign.snapshot.text.encode()).hexdigest()
    assert again(campaign) == campaign.snapshot.text
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
    assert [each.kind for each in Campaign.objects.all()] == ["roles"]  # which asks no target
    Duty.objects.update(due_at=now() + timedelta(days=6))
    sweep.run_due()
    (event,) = events_of(Campaign.objects.get(kind="eligibility"), "campaign.started")
    assert "listing_id" not in event.fields


def test_lines_are_shown_once(world: World) -> None:
    campaign = begun(world)
    assert actions.show(by=actor(world.mo), campaign=campaign) == 2
    with pytest.raises(ChangedMeanwhile):
        actions.show(by=actor(world.mo), campaign=campaign)
    assert len(events_of(line(campaign, "Ann"), "campaign.item_shown")) == 1


# --- faults


def test_nothing_changes_when_the_log_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    item = ready(world)
    before, duties = row_of(item), Duty.objects.count()

    def broken(*_args: object, **_given: object) -> None:
        raise LogUnavailable("The log cannot be written.")

    for module in (actions, beginning):
        monkeypatch.setattr(module, "append", broken)
        monkeypatch.setattr(module, "append_many", broken)
    for act in ACTS:
        with pytest.raises(LogUnavailable):
            ACTS[act](actor(world.mo), item, world)
    with pytest.raises(LogUnavailable):
        beginning.start(by=starting.SWEEP, duty=_second_system_duty(world), listing=None)
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
