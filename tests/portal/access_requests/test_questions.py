"""A question to the responder and its answer: who may, until when, and that both stay on the case."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.cases.reading import record_of
from portal.access_requests import actions, questions
from portal.access_requests.models import AccessRequest, Question
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.notifications.models import Alert
from portal.reviews import actions as reviews
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.reviews.used import FINE, taken
from tests.worlds import World, actor, make_world, names_of, request_of

pytestmark = pytest.mark.django_db(transaction=True)
ASKED, ANSWER = "Which disk is it, the first or the second?", "The second one; the first was replaced."


@pytest.fixture
def world() -> World:
    return make_world()


def text(page: bytes) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def asked_by(world: World, name: str, request: AccessRequest) -> Question:
    return questions.question(by=actor(world.people[name]), request=request, text=ASKED)


def test_question_and_answer_go_back_and_forth_and_stay_on_the_case(world: World) -> None:
    request = request_of(world)
    page = f"/requests/{request.pk}/"
    assert browser_of(world.ines).post(f"{page}question/", {"question": ASKED}).status_code == 302
    asked = Question.objects.get()
    ann = browser_of(world.ann)
    assert f"{page}#questions" in ann.get("/").content.decode()
    assert "Ask Ann something" not in text(ann.get(page).content)
    assert ann.post(f"/questions/{asked.pk}/answer/", {"answer": ANSWER}).status_code == 302
    assert ASKED not in text(ann.get("/").content)
    for name in ("ann", "jon", "mo", "otto"):
        said = text(browser_of(world.people[name]).get(page).content)
        assert (ASKED in said, ANSWER in said) == (True, True), name
    told = Alert.objects.filter(kind__in=("request.questioned", "request.answered")).values_list(
        "kind", "recipient__name"
    )
    assert sorted(told) == [("request.answered", "Ines"), ("request.questioned", "Ann")]
    record = record_of(request.pk)
    assert record is not None
    (kept,) = record.case.questions
    assert (kept.by, kept.text, kept.answer) == (str(world.ines.pk), ASKED, ANSWER)
    assert ANSWER in text(browser_of(world.otto).get(f"/cases/{request.pk}/").content)


@pytest.mark.parametrize(
    ("who", "before", "error"),
    [
        ("ann", "", NotAllowed), ("ben", "", NotAllowed), ("otto", "", NotAllowed), ("zoe", "", NotAllowed), ("pia", "", NotAllowed),
        ("ines", "withdrawn", WrongState), ("ines", "empty", RefusedByPolicy), ("ines", "ten", RefusedByPolicy),
    ],
)  # fmt: skip
def test_who_may_not_ask_or_too_late(world: World, who: str, before: str, error: type[Exception]) -> None:
    request = request_of(world)
    if before == "withdrawn":
        actions.withdraw(by=actor(world.ann), request=request)
    for _ in range(10 if before == "ten" else 0):
        asked_by(world, "jon", request)
    count = Question.objects.count()
    with pytest.raises(error):
        questions.question(by=actor(world.people[who]), request=request, text=" " if before == "empty" else ASKED)
    assert (Question.objects.count(), names_of(request.pk)[-1]) == (count, "request.act_refused")


def test_responder_alone_answers_once_and_not_after_the_review(world: World) -> None:
    review = taken(world)
    request = review.request
    first, second = asked_by(world, "kim", request), asked_by(world, "mo", request)
    for name in ("ines", "ben", "zoe", "kim"):
        with pytest.raises(NotAllowed):
            questions.answer(by=actor(world.people[name]), question=first, text=ANSWER)
    with pytest.raises(RefusedByPolicy):
        questions.answer(by=actor(world.ann), question=first, text=" ")
    questions.answer(by=actor(world.ann), question=first, text=ANSWER)
    with pytest.raises(ChangedMeanwhile):
        questions.answer(by=actor(world.ann), question=first, text="No, the first.")
    reviews.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    with pytest.raises(WrongState):
        questions.answer(by=actor(world.ann), question=second, text=ANSWER)
    with pytest.raises(WrongState):
        asked_by(world, "kim", request)
    said = text(browser_of(world.ann).get(f"/requests/{request.pk}/").content)
    assert ("Not answered" in said, "Your answer" in said) == (True, False)
    assert [each.answer for each in Question.objects.all()] == [ANSWER, ""]


def test_without_the_log_nothing_is_asked_and_what_was_typed_stays(world: World) -> None:
    request, ines = request_of(world), browser_of(world.ines)
    ines.get(f"/requests/{request.pk}/")
    with broken_log():
        answer = ines.post(f"/requests/{request.pk}/question/", {"question": ASKED})
    assert (answer.status_code, ASKED in text(answer.content)) == (503, True)
    assert (Question.objects.count(), Alert.objects.filter(kind="request.questioned").count()) == (0, 0)


def test_page_asks_as_often_for_three_questions_as_for_one(world: World) -> None:
    request, browser = request_of(world), browser_of(world.ann)

    def queries() -> int:
        browser.get(f"/requests/{request.pk}/")
        with CaptureQueriesContext(connection) as counted:
            assert browser.get(f"/requests/{request.pk}/").status_code == 200
        return len(counted)

    asked_by(world, "ines", request)
    one = queries()
    for name in ("jon", "mo"):
        asked_by(world, name, request)
    assert queries() == one
