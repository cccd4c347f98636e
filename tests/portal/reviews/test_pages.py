"""Pages of reviews: who sees what, nothing typed is lost, as many queries for three rows as for one."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.findings.models import Finding
from portal.reviews import actions
from portal.reviews.models import Review
from portal.reviews.queries import due_for
from portal.reviews.questions import questions
from tests.browsing import browser_of, code_of_device, stale
from tests.portal.reviews.used import FINE, due, events_of, grant_of, state_of, submitted, taken
from tests.worlds import World, actor, make_world, names_of

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def world() -> World:
    return make_world()


def filled(**changes: Any) -> dict[str, Any]:
    """The form of a use in which all was well."""
    answers = {each.id: next(word for word in ("yes", "no") if word not in each.adverse) for each in questions()}
    return {**answers, "outcome": "accepted", "stated": "on", **changes}


def test_who_sees_a_review(world: World) -> None:
    review, sees = taken(world), {}
    for name, person in world.people.items():
        answer = browser_of(person).get(f"/reviews/{review.pk}/")
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            sees[name] = "form" in answer.context
    assert sees == {"kim": True, "lea": False, "mo": False, "otto": False, "pia": False, "quinn": False}


def test_who_is_offered_what_waits(world: World) -> None:
    review, offered = due(world), set()
    for name in ("kim", "lea", "mo", "otto", "pia"):
        page = browser_of(world.people[name]).get(f"/reviews/{review.pk}/")
        listed = browser_of(world.people[name]).get("/reviews/").context["due"]
        assert (review in listed) == page.context["may_claim"]
        offered |= {name} if page.context["may_claim"] else set()
    assert offered == {"kim", "lea"}


@pytest.mark.parametrize(("then", "to"), [("acts", "acts/"), ("after", "after/"), ("elsewhere", ""), ("", "")])
def test_answers_are_kept_before_the_page_is_left(world: World, then: str, to: str) -> None:
    review, kim = taken(world), browser_of(world.kim)
    page = kim.get(f"/reviews/{review.pk}/").content.decode()
    assert [f'name="then" value="{each}"' in page for each in ("acts", "after")] == [True, True]
    answer = kim.post(f"/reviews/{review.pk}/save/", {"Q01_comment": "Half a thought.", "then": then})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/reviews/{review.pk}/{to}")
    review.refresh_from_db()
    assert review.answers["Q01"]["comment"] == "Half a thought."


def test_old_page_does_not_put_its_answers_over_newer_ones(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    address = f"/reviews/{review.pk}/"
    since = kim.get(address).context["form"]["since"].value()
    newer, older = {"Q01_comment": "Newer.", "since": since}, {"Q01_comment": "Older.", "since": since}
    assert [kim.post(f"{address}save/", each).status_code for each in (newer, newer)] == [302, 302]
    answer = kim.post(f"{address}save/", older)
    assert (answer.status_code, answer.context["form"]["Q01_comment"].value()) == (409, "Newer.")
    assert "Older." in answer.content.decode(), "to copy"
    assert kim.post(f"{address}save/", older | {"since": answer.context["form"]["since"].value()}).status_code == 302
    review.refresh_from_db()
    assert review.answers["Q01"]["comment"] == "Older."


def test_page_that_came_back_says_that_nothing_of_it_is_kept_yet(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    fresh = kim.get(f"/reviews/{review.pk}/")
    since = fresh.context["form"]["since"].value()
    back = kim.post(f"/reviews/{review.pk}/submit/", {"Q01_comment": "Half a thought.", "since": since})
    assert ["data-unsaved" in each.content.decode() for each in (fresh, back)] == [False, True]
    assert (back.status_code, back.context["form"]["since"].value()) == (422, since)


def test_what_one_had_a_part_in_takes_no_place_among_what_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.reviews.queries.MOST", 2)
    reviews = [due(world, by="ann", ended_h=hours) for hours in (5, 4, 3, 2, 1)]
    for review in reviews[:3]:
        AccessRequest.objects.filter(review=review).update(responder=world.lea)
    assert due_for(world.lea) == reviews[3:]
    assert due_for(world.kim) == reviews[:2]


@pytest.mark.parametrize("act", ["claim", "save", "submit", "hand-over"])
@pytest.mark.parametrize(("name", "status"), [("zoe", 403), ("ann", 403), ("ines", 403), ("mo", 403)])
def test_acts_of_others_are_refused_and_on_record(world: World, act: str, name: str, status: int) -> None:
    review = due(world) if act == "claim" else taken(world)
    before = state_of(review)
    assert browser_of(world.people[name]).post(f"/reviews/{review.pk}/{act}/", filled()).status_code == status
    assert state_of(review) == before
    assert events_of(review)[-1].name == "review.act_refused"


def test_what_a_bypass_owed_is_given_before_its_review_or_not_at_all(world: World) -> None:
    review = taken(world, mode="bypass", incident_ref="", intended_classes=())
    request, browser = review.request, browser_of(world.ann)
    page = f"/requests/{request.pk}/supplement/"
    assert browser.post(page, {"intended_classes": ["data_read"]}).status_code == 302
    actions.submit(by=actor(world.kim), review=review, answers=FINE, outcome="accepted")
    assert browser.get(page).status_code == 302, "nothing can be given any more"
    late = browser.post(page, {"incident_ref": "INC-9"})
    assert late.status_code == 409
    assert "This use was reviewed." in late.content.decode()
    request.refresh_from_db()
    assert (request.incident_ref, request.intended_classes) == ("", ["data_read"])
    assert names_of(request.pk).count("request.supplemented") == 1
    assert names_of(request.pk)[-1] == "request.act_refused"
    assert "You still owe" not in browser.get(f"/requests/{request.pk}/").content.decode()
    assert "You still owe" not in browser.get("/").content.decode()


def test_strangers_sign_in_first_and_unknown_reviews_are_not_found(world: World) -> None:
    review = due(world)
    assert Client().get(f"/reviews/{review.pk}/").headers["Location"] == f"/sign-in/?next=/reviews/{review.pk}/"
    kim = browser_of(world.kim)
    assert kim.get(f"/reviews/{uuid.uuid4()}/").status_code == 404
    assert kim.post(f"/reviews/{uuid.uuid4()}/claim/").status_code == 404


def test_way_through_the_pages(world: World) -> None:
    review, kim = due(world), browser_of(world.kim)
    assert kim.post(f"/reviews/{review.pk}/claim/").headers["Location"] == f"/reviews/{review.pk}/"
    half = {"Q01": "no", "Q01_comment": HOSTILE}
    assert kim.post(f"/reviews/{review.pk}/save/", half).status_code == 302
    page = kim.get(f"/reviews/{review.pk}/")
    assert page.context["form"]["Q01"].value() == "no"
    assert HOSTILE not in page.content.decode()
    assert (
        page.content.decode().index('href="#questions"')
        < page.content.decode().index('id="done"')
        < page.content.decode().index('id="questions"')
    )
    sent = filled(Q01="no", Q01_comment=HOSTILE, outcome="not_accepted", finding_owner=world.pia.pk)
    assert kim.post(f"/reviews/{review.pk}/submit/", sent).status_code == 302
    row = Review.objects.get(pk=review.pk)
    assert (row.state, row.outcome) == ("submitted", "not_accepted")
    assert Finding.objects.get().owner == world.pia
    page = kim.get(f"/reviews/{review.pk}/")
    assert "form" not in page.context
    assert HOSTILE not in page.content.decode()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"Q03": ""}, {"Q03"}),
        ({"Q05": "unsure"}, {"Q05_comment", "outcome"}),
        ({"outcome": ""}, {"outcome"}),
        ({"stated": ""}, {"stated"}),
        ({"outcome": "splendid"}, {"outcome"}),
        ({"Q02": "maybe"}, {"Q02"}),
        ({"finding_due": "2020-01-01T00:00"}, {"finding_due"}),
        ({"finding_owner": "nobody"}, {"finding_owner"}),
        ({"Q04_comment": "left \u202e right"}, {"Q04_comment"}),
        ({"Q04_comment": "x" * 1_000_000}, {"Q04_comment"}),
    ],
)
def test_what_is_missing_is_said_beside_it_and_the_rest_is_kept(
    world: World, changes: dict[str, str], fields: set[str]
) -> None:
    review = taken(world)
    answer = browser_of(world.kim).post(
        f"/reviews/{review.pk}/submit/", filled(**{"Q07_comment": "I typed this.", **changes})
    )
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == fields
    assert "I typed this." in answer.content.decode()
    assert answer.content.decode().count("<title>Error: ") == 1
    assert state_of(review)["state"] == "claimed"


def test_second_factor_is_asked_with_what_was_typed(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    stale(world.kim)
    asked = kim.post(f"/reviews/{review.pk}/submit/", filled(Q07_comment="I typed this."))
    assert (asked.status_code, "I typed this." in asked.content.decode()) == (200, True)
    assert state_of(review)["state"] == "claimed"
    sent = filled(Q07_comment="I typed this.", code=code_of_device(world.kim))
    assert kim.post(f"/reviews/{review.pk}/submit/", sent).status_code == 302
    assert Review.objects.get(pk=review.pk).answers["Q07"]["comment"] == "I typed this."


def test_handing_over_through_the_page(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    address = f"/reviews/{review.pk}/hand-over/"
    assert kim.post(address, {"to": str(world.ann.pk)}).status_code == 422
    assert kim.post(address, {"to": str(world.lea.pk), "comment": "You know it better."}).status_code == 302
    assert state_of(review)["reviewer_id"] == world.lea.pk
    assert browser_of(world.lea).post(address, {"to": ""}).status_code == 302
    assert state_of(review)["state"] == "due"


def test_unread_back_use_is_said_on_the_page(world: World) -> None:
    review, kim = taken(world, state="closing"), browser_of(world.kim)
    assert "Access was not read back yet" in kim.get(f"/reviews/{review.pk}/").content.decode()
    assert kim.post(f"/reviews/{review.pk}/submit/", filled()).status_code == 409


def test_looking_is_in_the_log_once(world: World) -> None:
    from audit.log.read import of_case

    review, kim = taken(world), browser_of(world.kim)
    for _ in range(3):
        kim.get(f"/reviews/{review.pk}/")
    assert [event.by for event in of_case(review.log_case, ["page.viewed"])] == [str(world.kim.pk)]


def test_late_ones_are_marked(world: World) -> None:
    review = due(world)
    Review.objects.filter(pk=review.pk).update(due_at=now() - timedelta(hours=1))
    assert "Overdue" in browser_of(world.kim).get("/reviews/").content.decode()


def queries(browser: Client, path: str) -> int:
    browser.get(path)
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(path).status_code == 200
    return len(caught)


@pytest.mark.parametrize("path", ["/reviews/", "/reviews/?show=done"])
def test_lists_ask_as_often_for_three_rows_as_for_one(world: World, path: str) -> None:
    kim = browser_of(world.kim)
    due(world), taken(world, by="ben"), submitted(world)
    one = queries(kim, path)
    for _ in range(2):
        due(world), taken(world, by="ben"), submitted(world)
    assert queries(kim, path) == one


def test_review_asks_as_often_for_three_of_everything(world: World) -> None:
    review, kim = taken(world), browser_of(world.kim)
    one = queries(kim, f"/reviews/{review.pk}/")
    for number in range(3):
        grant_of(review).extensions.create(
            minutes=number + 1, asked_at=now(), decided_at=now(), decided_by=world.mo, decision="approve"
        )
        Finding.objects.create(
            kind="x",
            about=str(review.pk),
            title=str(number),
            raised_at=now(),
            owner=world.mo,
            due_at=now(),
            state="assigned",
        )
    assert queries(kim, f"/reviews/{review.pk}/") == one
