"""A review that nobody finishes moves on by itself, with all that was answered, and never because of the responder."""

from datetime import timedelta

import pytest

from audit.cases.reading import record_of
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, WrongState
from portal.grants.models import Extension
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.reviews import actions, late, sweep
from portal.reviews.judging import kept
from portal.reviews.models import Review
from portal.reviews.states import CLAIMED, DUE, MOVES
from tests.browsing import browser_of
from tests.portal.reviews.test_reviews import START
from tests.portal.reviews.used import FINE, due, events_of, grant_of, state_of, taken
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def overdue(review: Review) -> Review:
    Review.objects.filter(pk=review.pk).update(due_at=now() - timedelta(minutes=1))
    review.refresh_from_db()
    return review


def told_of(kind: str) -> set[str]:
    return set(Alert.objects.filter(kind=kind).values_list("recipient__name", flat=True))


def test_overdue_review_goes_to_the_next_reviewer_with_its_answers_once(world: World) -> None:
    review = taken(world)
    actions.save(by=actor(world.kim), review=review, answers=FINE)
    overdue(review)
    assert sweep.run_due() == 2  # the reminder, and the next reviewer
    review.refresh_from_db()
    assert (review.state, review.reviewer, review.answers) == (CLAIMED, world.lea, kept(FINE))
    (event,) = events_of(review, "review.given_next")
    assert (event.fields["from_id"], event.fields["to_id"]) == (str(world.kim.pk), str(world.lea.pk))
    assert told_of("review.given_next") == {world.kim.name, world.lea.name, world.mo.name}
    assert sweep.run_due() == 0
    with pytest.raises(NotAllowed, match="Another reviewer"):
        actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    actions.submit(by=actor(world.lea), review=review, answers=FINE, outcome="accepted")


@pytest.mark.parametrize("act", ["save", "submit"])
def test_who_was_typing_sees_their_words_and_who_has_it_now(world: World, act: str) -> None:
    review = overdue(taken(world))
    browser_of(world.kim).get(f"/reviews/{review.pk}/")
    said = {"Q01": "no", "Q01_comment": "Writes did <b>not</b> hang."}
    sweep.run_due()
    answer = browser_of(world.kim).post(f"/reviews/{review.pk}/{act}/", said)
    page = answer.content.decode()
    assert (answer.status_code, "No. Writes did &lt;b&gt;not&lt;/b&gt; hang." in page) == (403, True)
    assert "Lea has this review since" in " ".join(page.split())
    assert [event.by for event in events_of(review, "review.act_refused")] == [str(world.kim.pk)]
    assert "What you typed" not in browser_of(world.kim).get(f"/reviews/{review.pk}/").content.decode()
    outsider = browser_of(world.zoe).post(f"/reviews/{review.pk}/{act}/", said).content.decode()
    assert "Lea" not in outsider


def test_case_tells_who_has_it(world: World) -> None:
    review = overdue(taken(world))
    sweep.run_due()
    record = record_of(review.request_id)
    assert record is not None
    assert record.case.review is not None
    assert record.case.review.reviewer == str(world.lea.pk)


def test_nobody_had_taken_it_and_the_least_busy_gets_it(world: World) -> None:
    taken(world)  # kim is busy
    review = overdue(due(world, by="ben"))
    sweep.run_due()
    review.refresh_from_db()
    (event,) = events_of(review, "review.given_next")
    assert (review.reviewer, event.fields.get("from_id")) == (world.lea, None)


def test_stays_where_nobody_else_may_review(world: World) -> None:
    review = overdue(taken(world))
    RoleAssignment.objects.filter(role="reviewer", person=world.lea).update(to_at=now())
    assert sweep.run_due() == 1  # the reminder
    review.refresh_from_db()
    assert review.reviewer == world.kim
    with pytest.raises(WrongState, match="nobody else"):
        late.give_next(by=sweep.SWEEP, review=review)


def leaves(person: Person) -> None:
    Person.objects.filter(pk=person.pk).update(left_at=now())


def loses_the_role(person: Person) -> None:
    RoleAssignment.objects.filter(role="reviewer", person=person).update(to_at=now())


@pytest.mark.parametrize("lose", [leaves, loses_the_role])
def test_who_can_review_no_longer_loses_it_at_once(world: World, lose) -> None:  # type: ignore[no-untyped-def]  # two of one shape
    review = taken(world)
    actions.save(by=actor(world.kim), review=review, answers=FINE)
    Alert.objects.all().delete()
    assert sweep.run_due() == 0
    lose(world.kim)
    assert (sweep.run_due(), sweep.run_due()) == (1, 0)
    review.refresh_from_db()
    assert (review.state, review.reviewer, review.answers) == (DUE, None, kept(FINE))
    assert events_of(review)[-1].name == "review.handed_over"
    assert told_of("review.due") == {world.lea.name}


def comes_back_from_the_sweep(review: Review) -> None:
    late.take_back(by=sweep.SWEEP, review=review)


def gives_it_back(review: Review) -> None:
    actions.hand_over(by=actor(review.reviewer), review=review)  # type: ignore[arg-type]  # it is taken


@pytest.mark.parametrize("gives", [comes_back_from_the_sweep, gives_it_back])
def test_owner_is_told_where_it_comes_back_and_nobody_can_review(world: World, gives) -> None:  # type: ignore[no-untyped-def]  # two of one shape
    review = taken(world)
    RoleAssignment.objects.filter(role="reviewer").update(to_at=now())
    Alert.objects.all().delete()
    gives(review)
    assert [(each.kind, each.recipient) for each in Alert.objects.all()] == [("system.problem", world.mo)]


def test_who_became_part_of_the_use_loses_it(world: World) -> None:
    review = taken(world)
    Extension.objects.create(
        grant=grant_of(review),
        minutes=5,
        reason="More.",
        asked_at=now(),
        decision="approve",
        decided_by=world.kim,
        decided_at=now(),
    )
    assert sweep.run_due() == 1
    review.refresh_from_db()
    assert review.reviewer is None


@pytest.mark.parametrize("act", [late.take_back, late.give_next])
@pytest.mark.parametrize("state", START)
def test_each_state(world: World, state: str, act) -> None:  # type: ignore[no-untyped-def]  # two of one shape
    review = overdue(START[state](world))
    loses_the_role(world.kim)
    before = state_of(review)
    move = MOVES[act.__name__]
    if state in move.sources:
        assert act(by=sweep.SWEEP, review=review).state == move.target
        assert events_of(review)[-1].name == move.event
        return
    with pytest.raises(WrongState):
        act(by=sweep.SWEEP, review=review)
    assert state_of(review) == before


def test_neither_comes_too_early_nor_twice(world: World) -> None:
    review = taken(world)
    with pytest.raises(NotAllowed, match="may go on"):
        late.take_back(by=sweep.SWEEP, review=review)
    with pytest.raises(WrongState, match="not overdue"):
        late.give_next(by=sweep.SWEEP, review=review)
    late.give_next(by=sweep.SWEEP, review=overdue(review))
    with pytest.raises(ChangedMeanwhile):
        late.give_next(by=sweep.SWEEP, review=review)
