"""Grave things found twice: somebody else looks as well, and the review is done when they have confirmed or disagreed."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.db import IntegrityError

from audit.cases.reading import record_of
from audit.log.append import LogUnavailable
from portal.campaigns.subjects import roles
from portal.clock import ms, now
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings.models import Finding
from portal.notifications.models import Alert
from portal.parameters import CATALOGUE
from portal.reviews import actions, late, queries, rules, second, sweep
from portal.reviews.models import Review
from portal.reviews.questions import questions
from portal.reviews.states import FIRST, MOVES, SECOND_CLAIMED, SECOND_DUE, STATES, SUBMITTED
from tests.browsing import browser_of
from tests.portal.reviews.test_reviews import START, worse
from tests.portal.reviews.used import FINE, events_of, state_of, taken
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
GRAVE = worse(Q01=("no", "It could wait."), Q04=("no", "Twice as long as needed."))
WORDS = "I read the same statements: nothing was down."


@pytest.fixture
def world() -> World:
    return make_world()


def second_due(world: World) -> Review:
    """Judged by Kim, who found two grave things."""
    return actions.submit(by=actor(world.kim), review=taken(world), answers=GRAVE, outcome="not_accepted")


def second_taken(world: World) -> Review:
    return actions.claim(by=actor(world.lea), review=second_due(world))


def done(world: World) -> Review:
    return second.submit_second(by=actor(world.lea), review=second_taken(world), agrees=True, words=WORDS)


ALL = START | {SECOND_DUE: second_due, SECOND_CLAIMED: second_taken}


def test_severe_questions_are_those_with_a_severe_test() -> None:
    stored = yaml.safe_load((CATALOGUE / "tests.yaml").read_text(encoding="utf-8"))
    severe = {each["id"] for each in stored["tests"] if each["severity"] in ("high", "critical")}
    assert [each.severe for each in questions()] == [bool(severe & set(each.tests)) for each in questions()]


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        (worse(Q01=("no", "No."), Q02=("no", "No."), Q10=("yes", "Yes.")), SUBMITTED),
        (worse(Q06=("unsure", "A gap."), Q09=("unsure", "Names.")), SECOND_DUE),
        (worse(Q04=("no", "No."), Q05=("no", "No."), Q07=("no", "No.")), SECOND_DUE),
    ],
    ids=["one grave", "two grave", "three grave"],
)
def test_two_grave_answers_ask_for_a_second_reviewer(world: World, answers: dict[str, Any], state: str) -> None:
    review = actions.submit(by=actor(world.kim), review=taken(world), answers=answers, outcome="not_accepted")
    assert (review.state, len(events_of(review, "review.second_asked"))) == (state, int(state == SECOND_DUE))


def test_second_is_asked_with_its_time_and_pool(world: World) -> None:
    Alert.objects.all().delete()
    review = second_due(world)
    asked = events_of(review)[-1]
    assert review.submitted_at is not None
    assert review.second_due_at == review.submitted_at + timedelta(hours=72)
    assert (asked.name, asked.fields["pool"], asked.fields["questions"], asked.fields["due_at"]) == (
        "review.second_asked", [str(world.lea.pk)], ["Q01", "Q04"], ms(review.owed_at),
    )  # fmt: skip
    (alert,) = Alert.objects.filter(kind="review.due", facts__second=1)
    assert alert.recipient == world.lea
    assert Finding.objects.filter(about=str(review.pk)).count() == 2


def test_owner_is_told_where_there_is_no_second_reviewer(world: World) -> None:
    RoleAssignment.objects.filter(role="reviewer", person=world.lea).update(to_at=now())
    review = second_due(world)
    (alert,) = Alert.objects.filter(kind="system.problem")
    assert (alert.recipient, alert.path, review.state) == (world.mo, f"/reviews/{review.pk}/", SECOND_DUE)


@pytest.mark.parametrize("agrees", [True, False])
def test_done_when_the_second_has_spoken(world: World, *, agrees: bool) -> None:
    review = second_taken(world)
    before = state_of(review)
    Alert.objects.all().delete()
    row = second.submit_second(by=actor(world.lea), review=review, agrees=agrees, words=f" {WORDS} ")
    assert (row.state, row.second_agrees, row.second_words) == (SUBMITTED, agrees, WORDS)
    kept = ("answers", "outcome", "submitted_at", "reviewer_id", "due_at", "second_due_at")
    assert {name: state_of(row)[name] for name in kept} == {name: before[name] for name in kept}
    (event,) = events_of(row, "review.second_submitted")
    assert (event.fields["agrees"], event.personal["words"], event.by) == (int(agrees), WORDS, str(world.lea.pk))
    assert set(event.fields["involved"]) == {str(person.pk) for person in (world.ann, world.ines, world.kim)}
    told = [(each.kind, each.recipient) for each in Alert.objects.all()]
    assert told == ([] if agrees else [("system.problem", world.mo)])


def test_case_tells_both(world: World) -> None:
    review = second_taken(world)
    record = record_of(review.request_id)
    assert record is not None
    assert record.case.review is not None
    assert (record.case.review.done_at, record.case.review.reviewer) == (None, str(world.kim.pk))
    second.submit_second(by=actor(world.lea), review=review, agrees=False, words=WORDS)
    record = record_of(review.request_id)
    assert record is not None
    assert record.case.review is not None
    said = record.case.review.second
    assert said is not None
    assert (said.reviewer, said.agrees, said.words, said.questions) == (str(world.lea.pk), False, WORDS, ("Q01", "Q04"))
    assert (record.case.review.outcome, record.case.review.done_at) == ("not_accepted", said.submitted_at)


def test_second_look_is_a_use_of_the_role_of_reviewer(world: World) -> None:
    row = done(world)
    uses = {
        line.label: (line.facts.get("uses"), line.facts.get("last_use")) for line in roles.lines(world.system, None)
    }
    assert row.submitted_at is not None
    assert row.second_submitted_at is not None
    assert uses["Kim: reviewer"] == (1, ms(row.submitted_at))
    assert uses["Lea: reviewer"] == (1, ms(row.second_submitted_at))


# --- who, and when


@pytest.mark.parametrize("name", ["kim", "ann", "ines", "mo", "otto", "pia", "zoe"])
def test_only_another_reviewer_takes_the_second_look(world: World, name: str) -> None:
    review = second_due(world)
    before = state_of(review)
    with pytest.raises(NotAllowed):
        actions.claim(by=actor(world.people[name]), review=review)
    assert state_of(review) == before
    assert events_of(review)[-1].name == "review.act_refused"


def test_who_is_offered_the_second_look(world: World) -> None:
    review = second_due(world)
    assert {name for name, each in world.people.items() if review in queries.due_for(each)} == {"lea"}
    taken_by_lea = actions.claim(by=actor(world.lea), review=review)
    assert {name for name, each in world.people.items() if taken_by_lea in queries.claimed_by(each)} == {"lea"}


def test_who_wrote_answers_of_the_first_takes_no_second_look(world: World) -> None:
    _also_reviews(world, "pia")
    review = taken(world)
    actions.save(by=actor(world.kim), review=review, answers=GRAVE)
    actions.pass_on(by=actor(world.kim), review=review, to=world.lea)
    review = actions.submit(by=actor(world.lea), review=review, answers=GRAVE, outcome="not_accepted")
    with pytest.raises(NotAllowed, match="wrote a part of that"):
        actions.claim(by=actor(world.kim), review=review)
    assert rules.pool_of(review) == [world.pia]
    assert {name for name, each in world.people.items() if review in queries.due_for(each)} == {"pia"}
    review = actions.claim(by=actor(world.pia), review=review)
    row = second.submit_second(by=actor(world.pia), review=review, agrees=True, words=WORDS)
    (event,) = events_of(row, "review.second_submitted")
    assert set(event.fields["involved"]) == {str(each.pk) for each in (world.ann, world.ines, world.kim, world.lea)}


def test_database_keeps_the_two_apart(world: World) -> None:
    review = second_taken(world)
    with pytest.raises(IntegrityError, match="review_second_by_another"):
        Review.objects.filter(pk=review.pk).update(second_reviewer=world.kim)
    with pytest.raises(IntegrityError, match="review_second_said_whole"):
        Review.objects.filter(pk=review.pk).update(state=SUBMITTED)


ACTS: dict[str, Callable[[World, Review], Any]] = {
    "claim_second": lambda world, review: actions.claim(by=actor(world.lea), review=review),
    "hand_over_second": lambda world, review: actions.hand_over(by=actor(world.lea), review=review),
    "pass_on_second": lambda world, review: actions.pass_on(by=actor(world.lea), review=review, to=world.pia),
    "take_back_second": lambda world, review: late.take_back(by=sweep.SWEEP, review=_lost(world, review)),
    "give_next_second": lambda _, review: late.give_next(by=sweep.SWEEP, review=_overdue(review)),
    "confirm": lambda world, review: second.submit_second(by=actor(world.lea), review=review, agrees=True, words=WORDS),
    "disagree": lambda world, review: second.submit_second(
        by=actor(world.lea), review=review, agrees=False, words=WORDS
    ),
}


def _lost(world: World, review: Review) -> Review:
    RoleAssignment.objects.filter(person=world.lea, role="reviewer").update(to_at=now())
    return review


def _overdue(review: Review) -> Review:
    rows = Review.objects.filter(pk=review.pk, second_due_at__gt=now())
    rows.update(second_due_at=now() - timedelta(minutes=1))
    return review


def _also_reviews(world: World, name: str) -> None:
    RoleAssignment._base_manager.create(
        person=world.people[name], role="reviewer", system=world.system, proposed_by=world.mo, approved_by=world.quinn,
        proposed_at=now() - timedelta(days=1), approved_at=now() - timedelta(days=1), from_at=now() - timedelta(days=1),
    )  # fmt: skip


PAIRS = [
    (state, act) for act in ACTS for state in ALL
    if act in ("confirm", "disagree") or state not in FIRST  # in the first round these are the first round's own moves
]  # fmt: skip


@pytest.mark.parametrize(("state", "act"), PAIRS)
def test_act_in_each_state(world: World, state: str, act: str) -> None:
    _also_reviews(world, "pia")
    review, move = ALL[state](world), MOVES[act]
    if state in move.sources:
        assert ACTS[act](world, review).state == move.target
        assert events_of(review)[-1].name == move.event
        return
    if act == "give_next_second":
        _overdue(review)
    before = state_of(review)
    with pytest.raises((WrongState, ChangedMeanwhile, NotAllowed)):
        ACTS[act](world, review)
    assert state_of(review) == before


def test_states_and_acts_are_all_there() -> None:
    assert set(ALL) == set(STATES)
    assert {name for name in MOVES if name.endswith("_second")} | {"confirm", "disagree"} == set(ACTS) | {"ask_second"}


def test_first_judgement_cannot_be_changed_in_the_second_round(world: World) -> None:
    review = second_taken(world)
    before = state_of(review)
    with pytest.raises(ChangedMeanwhile):
        actions.save(by=actor(world.lea), review=review, answers=FINE)
    with pytest.raises(ChangedMeanwhile):
        actions.submit(by=actor(world.lea), review=review, answers=FINE, outcome="accepted")
    with pytest.raises(NotAllowed):
        actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    assert state_of(review) == before


@pytest.mark.parametrize("words", ["", "  ", "It could wait.", "it could WAIT."])
def test_words_are_their_own(world: World, words: str) -> None:
    review = second_taken(world)
    before = state_of(review)
    with pytest.raises(RefusedByPolicy, match="words of your own"):
        second.submit_second(by=actor(world.lea), review=review, agrees=True, words=words)
    assert state_of(review) == before


def test_second_judgement_needs_a_fresh_second_factor(world: World) -> None:
    with pytest.raises(StepUpNeeded):
        second.submit_second(by=actor(world.lea, age_s=16 * 60), review=second_taken(world), agrees=True, words=WORDS)


def test_nothing_changes_when_the_log_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    review = second_taken(world)
    before, told = state_of(review), Alert.objects.count()

    def broken(*_args: object, **_given: object) -> None:
        raise LogUnavailable("The log cannot be written.")

    monkeypatch.setattr("portal.reviews.second.append", broken)
    with pytest.raises(LogUnavailable):
        second.submit_second(by=actor(world.lea), review=review, agrees=False, words=WORDS)
    assert (state_of(review), Alert.objects.count()) == (before, told)


# --- its time


def test_second_round_is_reminded_given_on_and_overdue_as_the_first(world: World) -> None:
    _also_reviews(world, "pia")
    review = second_taken(world)
    marks: list[list[str]] = []
    for left in (60, 30, 17, -1, -25):
        due_at = now() + timedelta(hours=left)
        Review.objects.filter(pk=review.pk).update(second_due_at=due_at, submitted_at=due_at - timedelta(hours=72))
        sweep.run_due()
        review.refresh_from_db()
        marks.append(list(review.reminded))
    assert marks == [
        [], ["second-before"], ["second-before", "second-owner"],
        ["second-before", "second-owner", "second-at", "second-given"],
        ["second-before", "second-owner", "second-at", "second-given", "second-after-1"],
    ]  # fmt: skip
    assert (review.state, review.second_reviewer, review.reviewer, review.late) == (
        SECOND_CLAIMED, world.pia, world.kim, True,
    )  # fmt: skip
    (event,) = events_of(review, "review.second_given_next")
    assert (event.fields["from_id"], event.fields["to_id"]) == (str(world.lea.pk), str(world.pia.pk))


# --- pages


def test_way_through_the_pages(world: World) -> None:
    review, lea, kim = second_due(world), browser_of(world.lea), browser_of(world.kim)
    page = f"/reviews/{review.pk}/"
    assert (lea.get(page).context["may_claim"], kim.get(page).context["may_claim"]) == (True, False)
    assert lea.post(f"{page}claim/").status_code == 302
    shown = lea.get(page)
    assert "form" not in shown.context
    assert len(shown.context["answers"]) == 10
    empty = lea.post(f"{page}second/", {"verdict": "disagree"})
    assert (empty.status_code, set(empty.context["second"].errors)) == (422, {"words", "stated"})
    sent = {"verdict": "disagree", "words": f"{WORDS} <script>alert(1)</script>", "stated": "on"}
    assert kim.post(f"{page}second/", sent).status_code == 403
    assert lea.post(f"{page}second/", sent).status_code == 302
    for viewer in (kim, lea, browser_of(world.mo)):
        text = viewer.get(page).content.decode()
        assert re.search(r"Disagrees.*?Lea", text, re.S)
        assert "<script>alert(1)" not in text
    assert lea.post(f"{page}second/", sent).status_code == 409
    told = events_of(review, "review.second_submitted", "review.act_refused")
    assert [each.name for each in told[-2:]] == ["review.second_submitted", "review.act_refused"]
