"""A use is put up for review, judged by somebody who had no part in it, and what is adverse is put right by somebody."""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml

from audit.log.append import Actor, LogUnavailable, Refused
from portal.clock import ms, now
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings.models import Finding
from portal.grants.models import Grant
from portal.notifications.models import Alert
from portal.reviews import accepting, actions, sweep
from portal.reviews.late import GIVEN
from portal.reviews.models import Review
from portal.reviews.questions import FILE, questions, statement, statement_sha256
from portal.reviews.states import CLAIMED, DUE, MOVES, SECOND, STATES, SUBMITTED
from portal.reviews.tasks import sweep as sweep_task
from tests.audit.cases.written import Did, do
from tests.portal.reviews.used import FINE, due, events_of, grant_of, state_of, submitted, taken, used
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def worse(**said: tuple[str, str]) -> dict[str, dict[str, str]]:
    """Fine answers but for some."""
    return FINE | {key: {"answer": answer, "comment": comment} for key, (answer, comment) in said.items()}


# --- put up and brought to mind


def test_use_that_is_over_is_put_up_once(world: World) -> None:
    grant = used(world)
    assert (sweep_task(), sweep_task()) == (1, 0)
    review = Review.objects.get(grant=grant)
    assert grant.ended_at is not None
    assert review.due_at == grant.ended_at + timedelta(hours=72)
    (event,) = events_of(review, "review.due")
    assert set(event.fields["pool"]) == {str(world.kim.pk), str(world.lea.pk)}
    assert {each.recipient for each in Alert.objects.filter(kind="review.due")} == {world.kim, world.lea}


@pytest.mark.parametrize(
    ("mode", "criticality", "hours"),
    [("approved", "normal", 72), ("approved", "critical", 24), ("bypass", "normal", 24)],
)
def test_review_is_due_as_the_policy_says(world: World, mode: str, criticality: str, hours: int) -> None:
    world.system.criticality = criticality
    world.system.save()
    review = due(world, mode=mode)
    assert review.over_at is not None
    assert review.due_at == review.over_at + timedelta(hours=hours)


@pytest.mark.parametrize("state", ["authorised", "opening", "active"])
def test_use_that_is_not_over_is_not_put_up(world: World, state: str) -> None:
    grant = used(world, state="closing")
    Grant.objects.filter(pk=grant.pk).update(state=state, ended_at=None, end_cause="")
    assert sweep.run_due() == 0
    grant.refresh_from_db()
    with pytest.raises(WrongState):
        actions.set_due(by=sweep.SWEEP, grant=grant)


def test_grant_that_never_opened_is_not_reviewed(world: World) -> None:
    grant = used(world)
    Grant.objects.filter(pk=grant.pk).update(opened_at=None)
    assert sweep.run_due() == 0


def test_pool_leaves_out_whoever_had_a_part(world: World) -> None:
    _also(world, "lea", "approver")
    grant = used(world)
    grant.request.approvals.create(approver=world.lea, decision="approve", decided_at=now())
    sweep.run_due()
    (event,) = events_of(Review.objects.get(), "review.due")
    assert event.fields["pool"] == [str(world.kim.pk)]


def test_owner_is_told_where_nobody_can_review(world: World) -> None:
    RoleAssignment.objects.filter(role="reviewer").update(to_at=now())
    review = due(world)
    (alert,) = Alert.objects.filter(kind="system.problem")
    assert (alert.recipient, alert.path) == (world.mo, f"/reviews/{review.pk}/")


def test_reminders_go_out_once_each(world: World) -> None:
    review = due(world)
    told: list[tuple[str, int]] = []
    for left in (48, 30, 30, 18, 18, 0, 0, -25, -25, -49):
        due_at = now() + timedelta(hours=left) - timedelta(seconds=1)
        Review.objects.filter(pk=review.pk).update(due_at=due_at)
        Grant.objects.filter(review=review).update(ended_at=due_at - timedelta(hours=72))
        sweep.run_due()
        review.refresh_from_db()
        marks = [mark for mark in review.reminded if mark != GIVEN]
        told.append((marks[-1] if marks else "", len(marks)))
    assert told == [
        ("", 0),
        ("before", 1),
        ("before", 1),
        ("owner", 2),
        ("owner", 2),
        ("at", 3),
        ("at", 3),
        ("after-1", 4),
        ("after-1", 4),
        ("after-2", 5),
    ]
    reminded = Alert.objects.filter(kind="review.reminder").values_list("recipient__name", flat=True)
    assert Counter(reminded) == {world.kim.name: 2, world.lea.name: 2, world.mo.name: 1}
    late = Alert.objects.filter(kind="review.overdue").values_list("recipient__name", flat=True)
    assert Counter(late) == {world.kim.name: 3, world.lea.name: 1, world.mo.name: 3}


def test_reminder_goes_to_who_claimed_it_and_ends_with_submission(world: World) -> None:
    review = taken(world)
    Review.objects.filter(pk=review.pk).update(due_at=now() + timedelta(minutes=30))
    sweep.run_due()
    assert {each.recipient for each in Alert.objects.filter(kind="review.reminder")} == {world.kim}
    actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    Review.objects.filter(pk=review.pk).update(due_at=now() - timedelta(days=2))
    assert sweep.run_due() == 0


# --- who, and when


ACTS: dict[str, Callable[[Actor, Review], Any]] = {
    "claim": lambda by, review: actions.claim(by=by, review=review),
    "hand_over": lambda by, review: actions.hand_over(by=by, review=review),
    "pass_on": lambda by, review: actions.pass_on(by=by, review=review, to=review.reviewer or review.request.responder),
    "save": lambda by, review: actions.save(by=by, review=review, answers=FINE),
    "submit": lambda by, review: actions.submit(by=by, review=review, answers=FINE, outcome="accepted"),
}
START = {DUE: due, CLAIMED: taken, SUBMITTED: submitted}
ALLOWED = {(DUE, "claim"), (CLAIMED, "hand_over"), (CLAIMED, "pass_on"), (CLAIMED, "save"), (CLAIMED, "submit")}


def test_table_names_every_act_that_moves() -> None:
    first = {name for name in MOVES if not name.endswith("_second")} - {"confirm", "disagree"}  # see test_second
    assert first == set(ACTS) - {"save"} | {"take_back", "give_next"}  # the two of the sweep: see test_late
    assert set(START) == set(STATES) - SECOND


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", START)
def test_act_in_each_state(world: World, state: str, act: str) -> None:
    review = START[state](world)
    before, count = state_of(review), len(events_of(review))
    if act == "pass_on":
        run: Callable[[], Any] = lambda: actions.pass_on(by=actor(world.kim), review=review, to=world.lea)  # noqa: E731 - one of several
    else:
        run = lambda: ACTS[act](actor(world.kim), review)  # noqa: E731 - likewise
    if (state, act) in ALLOWED:
        run()
        assert state_of(review) != before
        assert events_of(review)[-1].name in {"review.saved", *(move.event for move in MOVES.values())}
        return
    with pytest.raises((WrongState, ChangedMeanwhile, NotAllowed)):
        run()
    assert state_of(review) == before
    assert [event.name for event in events_of(review)[count:]] == ["review.act_refused"]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["ann", "ben", "ines", "jon", "mo", "otto", "pia", "zoe"])
def test_nobody_but_a_reviewer_acts(world: World, name: str, act: str) -> None:
    review = due(world) if act == "claim" else taken(world)
    before = state_of(review)
    with pytest.raises(NotAllowed):
        ACTS[act](actor(world.people[name]), review)
    assert state_of(review) == before
    assert events_of(review)[-1].name == "review.act_refused"


@pytest.mark.parametrize("act", ["hand_over", "pass_on", "save", "submit"])
def test_another_reviewer_does_not_act_on_a_claimed_one(world: World, act: str) -> None:
    review = taken(world)
    with pytest.raises(NotAllowed, match="Another reviewer"):
        ACTS[act](actor(world.lea), review)


def _also(world: World, name: str, role: str) -> None:
    RoleAssignment._base_manager.create(
        person=world.people[name], role=role, system=world.system, proposed_by=world.pia, approved_by=world.quinn,
        proposed_at=now() - timedelta(days=1), approved_at=now() - timedelta(days=1), from_at=now() - timedelta(days=1),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["ann", "ines"])
def test_reviewer_who_had_a_part_is_refused(world: World, name: str) -> None:
    _also(world, name, "reviewer")
    review = due(world)
    with pytest.raises(NotAllowed) as refusal:
        actions.claim(by=actor(world.people[name]), review=review)
    assert refusal.value.kind == "involved"


def test_who_ended_the_use_had_a_part(world: World) -> None:
    """The grant does not say who ended it; the log does."""
    _also(world, "mo", "reviewer")
    from portal.grants.actions import revoke

    grant = used(world, state="closing")
    Grant.objects.filter(pk=grant.pk).update(
        state="active", ended_at=None, end_cause="", expires_at=now() + timedelta(hours=1)
    )
    revoke(by=actor(world.mo), grant=grant, reason="Wrong system.")
    sweep.run_due()
    with pytest.raises(NotAllowed) as refusal:
        actions.claim(by=actor(world.mo), review=Review.objects.get())
    assert refusal.value.kind == "involved"


def test_who_became_involved_since_cannot_save_or_submit_but_hand_over(world: World) -> None:
    review = taken(world)
    review.request.approvals.create(approver=world.kim, decision="approve", decided_at=now())
    for act in ("save", "submit"):
        with pytest.raises(NotAllowed) as refusal:
            ACTS[act](actor(world.kim), review)
        assert refusal.value.kind == "involved"
    assert actions.hand_over(by=actor(world.kim), review=review).state == DUE


def test_who_lost_the_role_cannot_submit_but_hand_over(world: World) -> None:
    review = taken(world)
    RoleAssignment.objects.filter(person=world.kim).update(to_at=now())
    with pytest.raises(NotAllowed, match="Only a reviewer"):
        actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    assert actions.hand_over(by=actor(world.kim), review=review).reviewer is None


def test_handing_over_keeps_the_answers_and_tells(world: World) -> None:
    review = taken(world)
    actions.save(by=actor(world.kim), review=review, answers={"Q01": {"answer": "yes", "comment": ""}})
    Alert.objects.all().delete()
    actions.hand_over(by=actor(world.kim), review=review, comment="I am away.")
    assert [each.recipient for each in Alert.objects.all()] == [world.lea]
    again = actions.claim(by=actor(world.lea), review=review)
    assert (again.answers, again.reviewer) == ({"Q01": {"answer": "yes", "comment": ""}}, world.lea)
    (event,) = events_of(review, "review.handed_over")
    assert event.personal["comment"] == "I am away."


@pytest.mark.parametrize(("to", "ok"), [("lea", True), ("kim", False), ("ann", False), ("mo", False), ("zoe", False)])
def test_passing_on_is_to_another_free_reviewer(world: World, to: str, *, ok: bool) -> None:
    review = taken(world)
    if not ok:
        with pytest.raises(NotAllowed):
            actions.pass_on(by=actor(world.kim), review=review, to=world.people[to])
        return
    actions.pass_on(by=actor(world.kim), review=review, to=world.people[to])
    assert state_of(review)["reviewer_id"] == world.people[to].pk


# --- judging


def test_judgement_is_whole_in_the_log(world: World) -> None:
    review = submitted(world)
    (event,) = events_of(review, "review.submitted")
    assert event.fields == {
        "review_id": str(review.pk), "grant_id": str(review.grant_id), "system_id": str(world.system.pk), "reviewer_id": str(world.kim.pk),
        "due_at": ms(review.due_at), "answers": {key: said["answer"] for key, said in FINE.items()}, "answers_missing": 0,
        "adverse_answers": 0, "emergency_upheld": 1, "accepted_activities": [], "outcome": "accepted",
        "statement_sha256": hashlib.sha256(statement().encode()).hexdigest(),
        "involved": sorted([str(world.ann.pk), str(world.ines.pk)]), "activities_seen": 0, "log_says": {"Q06": "unsure", "Q07": "unsure"},
    }  # fmt: skip
    assert (event.method, event.by) == ("totp", str(world.kim.pk))
    assert not Finding.objects.exists()


def test_questions_and_statement_are_the_catalogues() -> None:
    stored = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert [(each.id, each.ask) for each in questions()] == [(row["id"], row["ask"]) for row in stored["post_use"]]
    assert statement_sha256() == hashlib.sha256(stored["post_use_statement"].encode()).hexdigest()
    adverse = {each.number: set(each.adverse) for each in questions()}
    assert adverse == {number: {"no", "unsure"} for number in (1, 2, 4, 5, 6, 7, 8)} | {
        3: {"yes"},
        9: {"yes", "unsure"},
        10: {"yes"},
    }


def test_adverse_answers_open_findings_in_the_same_transaction(world: World) -> None:
    review = taken(world)
    ids = do(grant_of(review), [Did("SELECT 1"), Did("DROP TABLE x", "schema_change")])
    accepting.accept(by=actor(world.kim), review=review, activities=[*reversed(ids), ids[0]], note="Needed.")
    answers = worse(Q01=("no", "It could wait."), Q09=("unsure", "Names were read."))
    due_at = now() + timedelta(days=3)
    actions.submit(
        by=actor(world.kim),
        review=review,
        answers=answers,
        outcome="not_accepted",
        owner=world.pia,
        due_at=due_at,
    )
    found = Finding.objects.order_by("-title")
    assert [each.title for each in found] == [
        "Was there a real emergency that one of the criteria in the policy covers? No",
        "Could personal or confidential data have been seen, changed, copied or lost beyond what the work needed? Not sure",
    ]
    assert [(each.about, each.owner, each.due_at, each.test_id, each.case) for each in found] == [
        (str(review.pk), world.pia, due_at, "T-45", str(review.request_id)),
        (str(review.pk), world.pia, due_at, "T-39", str(review.request_id)),
    ]
    (event,) = events_of(review, "review.submitted")
    assert (event.fields["adverse_answers"], event.fields["emergency_upheld"], event.fields["accepted_activities"]) == (
        2,
        0,
        sorted(ids),
    )
    assert event.personal["comments"] == "Q01: It could wait.\nQ09: Names were read."
    assert "It could wait." not in str(event.fields)


def test_findings_go_to_the_owner_of_the_system_unless_named(world: World) -> None:
    actions.submit(
        by=actor(world.kim),
        review=taken(world),
        answers=worse(Q10=("yes", "A cause.")),
        outcome="accepted_with_findings",
    )
    (finding,) = Finding.objects.all()
    assert finding.owner == world.mo
    assert finding.due_at is not None
    assert finding.due_at - finding.raised_at == timedelta(days=10)


@pytest.mark.parametrize(
    ("answers", "outcome", "says"),
    [
        ({key: said for key, said in FINE.items() if key not in ("Q03", "Q07")}, "accepted", "question 3, question 7"),
        (worse(Q02=("no", " ")), "not_accepted", "Say why, for question 2"),
        (worse(Q06=("unsure", "")), "not_accepted", "Say why, for question 6"),
        (FINE, "", "Choose an outcome"),
        (FINE, "splendid", "Choose an outcome"),
        (worse(Q02=("no", "It does not.")), "accepted", "open findings"),
        (FINE | {"Q11": {"answer": "yes", "comment": ""}}, "accepted", "no such question"),
        (worse(Q01=("perhaps", "")), "accepted", "no such question"),
    ],
)
def test_judgement_that_is_not_whole_is_refused(
    world: World, answers: dict[str, dict[str, str]], outcome: str, says: str
) -> None:
    review = taken(world)
    before = state_of(review)
    with pytest.raises(RefusedByPolicy, match=says):
        actions.submit(by=actor(world.kim), review=review, answers=answers, outcome=outcome)
    assert (state_of(review), Finding.objects.count()) == (before, 0)


def test_nothing_is_judged_before_the_target_was_read_back(world: World) -> None:
    review = taken(world, state="closing")
    with pytest.raises(WrongState, match="read back"):
        actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    actions.save(by=actor(world.kim), review=review, answers=FINE)
    assert state_of(review)["state"] == CLAIMED


@pytest.mark.parametrize(("method", "age_s"), [("totp", 16 * 60), ("recovery", 10), (None, 10)])
def test_judging_needs_a_fresh_second_factor(world: World, method: str | None, age_s: int) -> None:
    with pytest.raises(StepUpNeeded):
        actions.submit(
            by=actor(world.kim, method=method, age_s=age_s), review=taken(world), answers=FINE, outcome="accepted"
        )


def test_nothing_changes_when_the_log_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    review, waiting = taken(world), used(world, "ben")
    before = state_of(review)

    def broken(*_args: object, **_given: object) -> None:
        raise LogUnavailable("The log cannot be written.")

    for module in ("portal.reviews.actions.append", "portal.findings.actions.append"):
        monkeypatch.setattr(module, broken)
    for act in ("hand_over", "save"):
        with pytest.raises(LogUnavailable):
            ACTS[act](actor(world.kim), review)
    with pytest.raises(LogUnavailable):
        actions.submit(by=actor(world.kim), review=review, answers=worse(Q01=("no", "No.")), outcome="not_accepted")
    with pytest.raises(LogUnavailable):
        actions.set_due(by=sweep.SWEEP, grant=waiting)
    assert (state_of(review), Finding.objects.count(), Review.objects.count()) == (before, 0, 1)


def test_refusals_of_every_act_are_on_record(world: World) -> None:
    review = submitted(world)
    count = len(events_of(review))
    for act in ("claim", "hand_over", "save", "submit"):
        with pytest.raises(Refused):
            ACTS[act](actor(world.kim), review)
    assert [(event.name, event.fields["act"]) for event in events_of(review)[count:]] == [
        ("review.act_refused", act) for act in ("claim", "hand_over", "save", "submit")
    ]
