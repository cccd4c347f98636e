"""A finding is tested again by its control test, run on the log alone; nobody ticks that, and nobody closes a finding about a use in which they had a part."""

from typing import Any

import pytest

from audit.controls.loading import load_catalogue
from audit.controls.model import Row
from audit.log.append import LogUnavailable
from audit.log.read import of_subject
from audit.packs import retests
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.findings import actions
from portal.findings.models import Finding
from portal.findings.queries import waiting_for
from portal.findings.retests import last_retest
from portal.reviews import actions as reviews
from tests.at_once import at_once
from tests.audit.packs.told import seal
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.reviews.used import FINE, taken
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def found(world: World, *, answered: bool = True) -> Finding:
    """Of a review that said that there is something to learn (question 10, T-18); Mo owns it."""
    review = taken(world)
    answers = FINE | {"Q10": {"answer": "yes", "comment": "A normal way is missing."}}
    reviews.submit(by=actor(world.kim), review=review, answers=answers, outcome="accepted_with_findings")
    row = Finding.objects.get(about=str(review.pk))
    return (
        actions.answer(by=actor(world.mo), finding=row, cause="No role.", response="A role.", proof="CHG-9")
        if answered
        else row
    )


def asked(world: World, row: Finding, by: str = "mo") -> Finding:
    row = actions.ask_retest(by=actor(world.people[by]), finding=row)
    seal()
    return row


def test_control_test_is_run_again_on_the_log_and_its_result_closes(world: World) -> None:
    row = found(world)
    with pytest.raises(RefusedByPolicy, match="has not passed"):
        actions.close(by=actor(world.kim), finding=row, retest_ok=True)
    asked(world, row)
    assert (retests.run_due(), retests.run_due()) == (1, 0)
    result = last_retest(row)
    assert result.done is not None
    assert (result.done.fields["result_of_subject"], result.ok, result.done.by) == ("pass", True, "process:retests")
    closed = actions.close(by=actor(world.kim), finding=row, retest_ok=True)
    last = of_subject(row.log_subject)[-1]
    assert (closed.state, last.name, last.fields["retest_ok"]) == ("closed", "finding.closed", 1)


def test_new_answer_makes_the_result_void(world: World) -> None:
    row = found(world)
    asked(world, row)
    retests.run_due()
    actions.answer(by=actor(world.mo), finding=row, cause="Another.", response="Another.")
    assert (last_retest(row).ok, last_retest(row).asked) == (False, None)
    with pytest.raises(RefusedByPolicy, match="has not passed"):
        actions.close(by=actor(world.kim), finding=row, retest_ok=True)
    assert actions.close(by=actor(world.kim), finding=row, retest_ok=False, comment="Retired.").state == "closed"


def test_retest_is_asked_for_by_its_owner_or_who_may_close_and_when_there_is_a_test(world: World) -> None:
    row = found(world, answered=False)
    by_hand = actions.raise_finding(
        by=actor(world.kim), kind="by hand", title="A gap", about="x", system=world.system, owner=world.mo
    )
    with pytest.raises(WrongState):
        actions.ask_retest(by=actor(world.mo), finding=row)
    for each in (row, by_hand):
        actions.answer(by=actor(world.mo), finding=each, cause="C.", response="R.")
    with pytest.raises(RefusedByPolicy, match="No control test"):
        actions.ask_retest(by=actor(world.mo), finding=by_hand)
    for name in ("ann", "ines", "ben", "zoe", "otto"):
        with pytest.raises(NotAllowed):
            actions.ask_retest(by=actor(world.people[name]), finding=row)
    asked(world, row, "kim")
    with pytest.raises(ChangedMeanwhile):
        actions.ask_retest(by=actor(world.mo), finding=row)


@pytest.mark.parametrize("name", ["ann", "ines"])
def test_nobody_closes_or_moves_what_concerns_them(world: World, name: str) -> None:
    """Ann asked and Ines approved; both hold a role that may close by now."""
    from tests.portal.reviews.test_reviews import _also

    row = found(world)
    _also(world, name, "reviewer")
    with pytest.raises(NotAllowed, match="had a part"):
        actions.close(by=actor(world.people[name]), finding=row, retest_ok=False, comment="Fine.")
    with pytest.raises(NotAllowed):
        actions.move_due(by=actor(world.people[name]), finding=row, due_at=row.raised_at)
    assert (row in waiting_for(world.people[name]), row in waiting_for(world.kim)) == (False, True)


def test_of_fifty_at_once_one_closes_and_one_asks(world: World) -> None:
    row = found(world)
    got = at_once(50, lambda: actions.ask_retest(by=actor(world.mo), finding=row))
    assert [sum(isinstance(each, kind) for each in got) for kind in (Finding, ChangedMeanwhile)] == [1, 49]
    got = at_once(50, lambda: actions.close(by=actor(world.kim), finding=row, retest_ok=False, comment="Retired."))
    assert [sum(isinstance(each, kind) for each in got) for kind in (Finding, WrongState)] == [1, 49]


def test_nothing_is_asked_for_that_the_log_does_not_hold(world: World) -> None:
    row = found(world)
    with broken_log(), pytest.raises(LogUnavailable):
        actions.ask_retest(by=actor(world.mo), finding=row)
    assert last_retest(row).asked is None


def test_way_through_the_page(world: World) -> None:
    row, mo, kim = found(world), browser_of(world.mo), browser_of(world.kim)
    assert "was not run again since the answer" in mo.get(f"/findings/{row.pk}/").content.decode()
    assert mo.post(f"/findings/{row.pk}/retest/").status_code == 302
    assert "is being run" in mo.get(f"/findings/{row.pk}/").content.decode()
    seal()
    retests.run_due()
    page = kim.get(f"/findings/{row.pk}/").content.decode()
    assert ("what the finding is about gives: pass" in page, "CHG-9" in page) == (True, True)
    assert kim.post(f"/findings/{row.pk}/close/", {"retest_ok": "1"}).status_code == 302


def row_of(identity: str, result: str) -> Row:
    return Row(identity, result, {}, {"a": 1}, ())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], (False, 0, 0, "")),
        ([("mine", "pass")], (True, 0, 0, "pass")),
        ([("mine", "deviation")], (False, 0, 0, "deviation")),
        ([("new", "pass")], (True, 1, 0, "")),
        (
            [("mine", "deviation"), ("new", "pass")],
            (True, 1, 0, "deviation"),
        ),  # what is past cannot be undone; since then it holds
        ([("mine", "pass"), ("new", "deviation")], (False, 1, 1, "pass")),
        ([("mine", "pass"), ("new", "pass"), ("newer", "inconclusive")], (False, 2, 1, "pass")),
        ([("mine", "open"), ("new", "open")], (False, 1, 0, "open")),  # nothing to go by yet
        ([("mine", "deviation"), ("new", "pass"), ("newer", "open")], (True, 2, 0, "deviation")),
    ],
)
def test_passed_is_that_nothing_fails_since_and_there_is_something_to_go_by(
    rows: list[Any], expected: tuple[Any, ...]
) -> None:
    outcome = retests.judged(load_catalogue().tests["T-18"], [row_of(*each) for each in rows], frozenset({"mine"}))
    assert (outcome.ok, outcome.rows, outcome.failed, outcome.subject) == expected
