"""A drill from its start to what is put right, by the real actions and a real mail server; and what is owed over a year."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.log.append import LogUnavailable
from audit.log.read import of_case
from portal.access_requests import actions as requests
from portal.clock import now
from portal.drills import duties, queries, sweep
from portal.drills.actions import judge, remind, start
from portal.drills.models import Drill
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.findings.models import Finding
from portal.grants import actions, authorising, ending, opening
from portal.grants.models import Grant
from portal.notifications.models import Alert
from portal.notifications.sending import send_due
from portal.people.models import Person
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.systems import actions as systems
from portal.systems.facts import differences
from portal.systems.forms import SimulatedForm
from portal.systems.models import System
from tests.at_once import at_once
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.servers import MailSink
from tests.worlds import World, actor, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)
ACT = "Quarterly drill: sign in, read the health page, sign out."


@pytest.fixture
def world(mail_sink: MailSink, settings: Any) -> Iterator[World]:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False
    with sealing():
        yield make_world()


def begun(world: World, **changes: object) -> Drill:
    said = {"by": actor(world.ann), "privilege": world.privilege, "act": ACT, "minutes": 10, **changes}
    return start(**said)  # type: ignore[arg-type]  # arguments by name


def gone_through(world: World, drill: Drill, *, mailed: bool = True) -> Grant:
    """Told, approved, opened, given back, gone."""
    if mailed:
        send_due()
    grant = authorising.approve(by=actor(world.ines), request=drill.request)
    assert grant is not None
    opening.run(grant.pk)
    actions.give_back(by=actor(world.ann), grant=grant)
    return ending.run(grant.pk)


def judged(drill: Drill) -> Drill:
    assert sweep.run_due() >= 1
    drill.refresh_from_db()
    return drill


def long_over(drill: Drill) -> None:
    past = now() - timedelta(hours=1)
    Grant.objects.filter(request=drill.request_id).update(ended_at=past)


# --- the way


def test_drill_that_worked_is_on_record_and_counts_as_no_use(world: World) -> None:
    drill = begun(world)
    gone_through(world, drill)
    judged(drill)
    assert (drill.worked, {step["name"]: step["result"] for step in drill.steps}) == (
        True,
        {
            "told": "ok",
            "answered": "ok",
            "approved": "ok",
            "opened": "ok",
            "gathered": "none",
            "record": "none",
            "ended": "ok",
        },
    )
    assert drill.request.mode == "drill"
    names = [event.name for event in of_case(drill.log_case) if event.name.startswith("drill.")]
    assert names == ["drill.started", "drill.judged"]
    assert not Finding.objects.exists()
    assert sweep.run_due() == 0


def test_failed_drill_is_put_right_repeated_and_stays(world: World) -> None:
    drill = begun(world)
    gone_through(world, drill, mailed=False)
    assert sweep.run_due() == 0  # the alerts may still leave
    long_over(drill)
    judged(drill)
    finding = Finding.objects.get(about=str(drill.pk))
    assert (drill.worked, finding.kind, finding.test_id, finding.system) == (False, "drill", "T-34", world.system)
    assert finding.title == "A drill of Billing failed: Approvers were told"
    before = drill.steps
    again = begun(world, repeats=drill, act=f"{ACT} Again.")
    gone_through(world, again)
    assert judged(again).worked is True
    drill.refresh_from_db()
    assert (drill.worked, drill.steps, again.repeats) == (False, before, drill)
    with pytest.raises(WrongState, match="Only a drill that failed"):
        begun(world, repeats=again, act=f"{ACT} Once more.")


def test_declined_drill_has_failed(world: World) -> None:
    drill = begun(world)
    send_due()
    requests.decline(by=actor(world.ines), request=drill.request, comment="Not tonight.")
    judged(drill)
    assert [step["name"] for step in drill.steps if step["result"] == "failed"] == ["approved", "opened", "ended"]


# --- who and when


@pytest.mark.parametrize("who", ["zoe", "ines", "kim", "mo"])
def test_only_who_is_on_the_list_drills(world: World, who: str) -> None:
    with pytest.raises(NotAllowed):
        begun(world, by=actor(world.people[who]))
    assert not Drill.objects.exists()


def test_policy_may_know_no_drills_and_has_its_say(world: World) -> None:
    with pytest.raises(RefusedByPolicy, match="at least 40 characters"):
        begun(world, act="Sign in.")
    PolicyVersion.objects.update(document=Policy(modes=("approved", "bypass")).document())
    with pytest.raises(RefusedByPolicy, match="does not allow the mode drill"):
        begun(world)


def test_nobody_approves_their_own_drill(world: World) -> None:
    drill = begun(world)
    with pytest.raises(NotAllowed, match="their own"):
        authorising.approve(by=actor(world.ann), request=drill.request)


def test_drill_is_judged_once_and_not_before_it_is_over(world: World) -> None:
    drill = begun(world)
    with pytest.raises(WrongState, match="not over"):
        judge(by=actor(world.ann), drill=drill)
    gone_through(world, drill)
    done = at_once(10, lambda: judge(by=actor(world.ann), drill=drill))
    assert [type(each) for each in done].count(Drill) == 1
    assert {type(each) for each in done} == {Drill, ChangedMeanwhile}


def test_without_the_log_nothing_begins_and_nothing_is_judged(world: World) -> None:
    with broken_log(), pytest.raises(LogUnavailable):
        begun(world)
    assert not Drill.objects.exists()
    drill = begun(world)
    gone_through(world, drill)
    with broken_log():
        assert sweep.run_due() == 0
    drill.refresh_from_db()
    assert (drill.judged_at, drill.steps) == (None, [])


def test_half_a_judgement_is_refused_by_the_database(world: World) -> None:
    drill = begun(world)
    for half in ({"worked": True}, {"judged_at": now()}, {"steps": [{"name": "told"}]}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Drill.objects.filter(pk=drill.pk).update(**half)


# --- what is owed


def test_duty_that_comes_near_is_told_once_and_one_that_is_late_not_by_this(world: World) -> None:
    since = datetime.fromisoformat(
        "2027-11-15T09:30:00+00:00"
    )  # over a new year, a leap day and both changes of the clocks
    System.objects.update(in_scope_from=since)
    told: list[tuple[int, str]] = []
    for day in range(200):
        at = since + timedelta(days=day)
        for due, mark in queries.to_remind(at):
            told.append((day, mark))
            remind(by=sweep.SWEEP, due=due, mark=mark)
        assert queries.to_remind(at) == []
    assert told == [(76, "soon")]
    assert Alert.objects.filter(kind="drill.due", recipient=world.mo).count() == 1


def test_drill_that_worked_moves_the_duty_and_one_that_failed_does_not(world: World) -> None:
    (owed,) = duties.due_of(System.objects.all())
    assert (owed.due_at - world.system.in_scope_from, owed.last_at) == (timedelta(days=90), None)
    drill = begun(world)
    gone_through(world, drill)
    judged(drill)
    (then,) = duties.due_of(System.objects.all())
    assert (then.due_at, then.last_at) == (drill.over_at + timedelta(days=90), drill.over_at)  # type: ignore[operator]  # judged
    Drill.objects.update(worked=False)
    assert duties.due_of(System.objects.all()) == [owed]


def test_major_change_brings_the_drill_forward_until_it_is_drilled(world: World) -> None:
    form = SimulatedForm(people=Person.objects.all(), present=world.system)
    said = {**form.initial, "owner": str(world.mo.pk), "way_in": "Another way.", "major": "on"}
    form = SimulatedForm(said, people=Person.objects.all(), present=world.system)
    assert form.is_valid(), form.errors
    change = systems.propose(by=actor(world.pia), kind="change", system=world.system, after=form.after())
    assert ("Major: to be drilled again", "no", "yes") in differences(change)
    assert duties.due_of(System.objects.all())[0].changed_at is None
    systems.approve(by=actor(world.quinn), change=change)
    change.refresh_from_db()
    (owed,) = duties.due_of(System.objects.all())
    assert (owed.changed_at, owed.due_at) == (change.decided_at, change.decided_at + timedelta(days=14))  # type: ignore[operator]  # decided
    drill = begun(world)
    gone_through(world, drill)
    judged(drill)
    (owed,) = duties.due_of(System.objects.all())
    assert (owed.changed_at, owed.due_at) == (None, drill.over_at + timedelta(days=90))  # type: ignore[operator]  # judged


def test_system_out_of_scope_owes_nothing(world: World) -> None:
    System.objects.update(in_scope_to=now())
    assert duties.due_of(System.objects.all()) == []


# --- pages


def test_pages_lead_from_the_duty_to_the_sheet(world: World) -> None:
    ann, zoe = browser_of(world.ann), browser_of(world.zoe)
    assert "Drill Billing" in text(ann.get("/drills/").content)
    assert "No system of yours is to be drilled" in text(zoe.get("/drills/").content)
    assert ann.post("/drills/new/", {"act": "Short.", "minutes": 10}).status_code == 422
    answer = ann.post("/drills/new/", {"act": ACT, "minutes": 10})
    drill = Drill.objects.get()
    assert answer.headers["Location"] == f"/drills/{drill.pk}/"
    assert "It goes on" in text(ann.get(f"/drills/{drill.pk}/").content)
    assert zoe.get(f"/drills/{drill.pk}/").status_code == 404
    gone_through(world, drill)
    judged(drill)
    page = text(browser_of(world.mo).get(f"/drills/{drill.pk}/").content)
    assert "It worked" in page
    assert "The target confirmed after" in page


def test_who_is_not_on_the_list_is_refused_on_record(world: World) -> None:
    ines = browser_of(world.ines)
    chosen = f"/drills/new/?privilege={world.privilege.pk}"
    assert ines.get(chosen).status_code == 404
    assert ines.post(chosen, {"act": ACT, "minutes": 10}).status_code == 403
    assert ines.get("/drills/new/?privilege=nonsense").status_code == 200


def test_list_asks_as_much_for_three_as_for_one(world: World) -> None:
    mo, counts = browser_of(world.mo), []
    for number in (1, 2, 3):
        drill = begun(world, act=f"{ACT} {number}.")
        gone_through(world, drill)
        judged(drill)
        if number > 1:
            make_world(slug=f"more-{number}", on_target=f"more_{number}", people=world.people)
        with CaptureQueriesContext(connection) as asked:
            mo.get("/drills/")
        counts.append(len(asked))
    assert counts[0] == counts[2]


def test_look_at_the_sheet_is_logged_once_and_without_the_log_it_is_not_shown(world: World) -> None:
    drill, mo = begun(world), browser_of(world.mo)
    address = f"/drills/{drill.pk}/"
    with broken_log():
        assert mo.get(address).status_code == 503
    assert [mo.get(address).status_code for _ in range(2)] == [200, 200]
    (look,) = of_case(drill.request_id, ["page.viewed"])
    assert (look.by, look.fields["page"]) == (str(world.mo.pk), "the sheet of the drill")
