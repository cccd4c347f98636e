"""One incident, many hands: several privileges in one act, a colleague who joins, several approved with one press."""

import html
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.read import of_case
from portal.access_requests import actions, asking, together
from portal.access_requests.models import AccessRequest, Approval
from portal.clock import now
from portal.eligibility.models import Eligibility
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants.models import Grant
from portal.grants.several import approve_several
from portal.notifications.models import Alert
from portal.policy.rules import Policy
from tests.browsing import browser_of
from tests.factories import broken_log, passkey_of
from tests.worlds import REASON, World, actor, make_world, names_of, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "I look at the queue while the other one looks at the disk."
SAID: dict[str, object] = {
    "criterion": "outage", "category": "availability", "reason": REASON, "intended_classes": ["data_read"], "incident_ref": "INC-7",
    "minutes": "30",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def other(world: World) -> World:
    policy = Policy(max_grant_minutes=60, bypass_minutes=30, criteria=("outage",), min_reason_chars=50)
    return make_world(slug="payments", on_target="payments_emergency", people=world.people, policy=policy)


def text(page: bytes) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def address(*worlds: World) -> str:
    return "/requests/several/?" + "&".join(f"privilege={each.privilege.pk}" for each in worlds)


def test_one_form_makes_a_request_for_each_under_one_incident(world: World, other: World) -> None:
    ann = browser_of(world.ann)
    assert "Several at once, for one incident" in text(ann.get("/requests/new/").content)
    assert "Choose two or more" in text(ann.get("/requests/several/?sent=1").content)
    said = text(ann.get(address(world, other)).content)
    assert "At most 60 minutes." in said, "the strictest policy holds"
    assert "An attack or leak is going on" not in said, "one criterion is shared"
    answer = ann.post(address(world, other), SAID)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/incidents/?ref=INC-7")
    made = AccessRequest.objects.all()
    assert {(each.privilege_id, each.incident_ref, each.state) for each in made} == {
        (each.privilege.pk, "INC-7", "awaiting") for each in (world, other)
    }
    assert {each.kind for each in Alert.objects.all()} == {"request.asked"}
    told = [of_case(each.pk, ["request.made"]) for each in made]
    assert [[event.fields["reason_repeats"] for event in each] for each in told] == [[0], [0]], (
        "one act repeats nothing"
    )
    for each in made:
        actions.withdraw(by=actor(world.ann), request=each)
    again = asking.ask(
        by=actor(world.ann), privilege=world.privilege, asked=world.asked(incident_ref="INC-8", minutes=29)
    )
    assert of_case(again.pk, ["request.made"])[0].fields["reason_repeats"] == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"incident_ref": " "}, "name the incident"), ({"minutes": 61}, "Payments, Billing emergency: At most 60"),
        ({"criterion": "security"}, "Payments"), ({"reason": REASON[:45]}, "Payments, Billing emergency: The reason has at least 50"),
    ],
)  # fmt: skip
def test_all_or_none(world: World, other: World, changes: dict[str, Any], sentence: str) -> None:
    asked = world.asked(**{"incident_ref": "INC-7", **changes})
    with pytest.raises(RefusedByPolicy, match=sentence):
        together.ask_several(by=actor(world.ann), privileges=[world.privilege, other.privilege], asked=asked)
    assert (AccessRequest.objects.count(), Alert.objects.count()) == (0, 0)
    assert refusals() == ["request.refused"]


def refusals() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM audit_event WHERE name LIKE '%%refused' ORDER BY at")
        return [name for (name,) in cursor.fetchall()]


def test_one_that_is_not_on_the_list_stops_all(world: World, other: World) -> None:
    Eligibility.objects.filter(person=world.ann, privilege=other.privilege).update(to_at=now())
    ann = browser_of(world.ann)
    assert ann.get(address(world, other)).status_code == 404
    assert ann.post(address(world, other), SAID).status_code == 403
    assert (AccessRequest.objects.count(), refusals()) == (0, ["request.refused"])
    with broken_log():
        assert ann.post(address(world, other), SAID).status_code == 503


@pytest.mark.parametrize("count", [0, 1, 11])
def test_too_few_and_too_many(world: World, count: int) -> None:
    several = [
        world.privilege,
        *(type(world.privilege)(system=world.system, name=f"p{number}") for number in range(10)),
    ]
    with pytest.raises(RefusedByPolicy, match="Choose two to 10"):
        together.ask_several(by=actor(world.ann), privileges=several[:count], asked=world.asked())


def test_colleague_joins_with_one_sentence_of_their_own(world: World) -> None:
    ann = request_of(world, incident_ref="INC-7")
    ben = browser_of(world.ben)
    home = ben.get("/").content.decode()
    assert "/incidents/?ref=INC-7" in home
    page = text(ben.get("/incidents/?ref=INC-7").content)
    assert "Ann works on Billing as Billing emergency" in page
    assert REASON not in page, "what Ann wrote is for those who decide and audit"
    short = ben.post(f"/requests/{ann.pk}/join/", {"reason": "I help.", "privilege": str(world.privilege.pk)})
    assert (
        short.status_code,
        "The reason has at least 40" in text(short.content),
        "I help." in text(short.content),
    ) == (422, True, True)
    answer = ben.post(f"/requests/{ann.pk}/join/", {"reason": WORDS, "privilege": str(world.privilege.pk)})
    made = AccessRequest.objects.get(responder=world.ben)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/requests/{made.pk}/")
    assert (made.reason, made.incident_ref, made.minutes, made.criterion, made.intended_classes) == (
        WORDS, "INC-7", ann.minutes, ann.criterion, ann.intended_classes,
    )  # fmt: skip
    assert of_case(made.pk, ["request.made"])[0].fields["joins_id"] == str(ann.pk)
    assert "Join a colleague" not in text(ben.get("/").content)
    assert ben.get("/incidents/?ref=INC-7").status_code == 200, "by now one of theirs"


@pytest.mark.parametrize(
    ("who", "before", "error"),
    [
        ("ann", "", NotAllowed), ("ines", "", NotAllowed), ("zoe", "", NotAllowed), ("ben", "withdrawn", WrongState),
        ("ben", "incident", WrongState), ("ben", "other system", NotAllowed), ("ben", "short", RefusedByPolicy),
    ],
)  # fmt: skip
def test_who_may_not_join_or_too_late(
    world: World, other: World, who: str, before: str, error: type[Exception]
) -> None:
    ann = request_of(world, incident_ref="INC-7")
    if before == "withdrawn":
        actions.withdraw(by=actor(world.ann), request=ann)
    if before == "incident":
        AccessRequest.objects.update(incident_ref="")
    privilege = other.privilege if before == "other system" else world.privilege
    with pytest.raises(error):
        together.join(
            by=actor(world.people[who]), request=ann, privilege=privilege, reason="." if before == "short" else WORDS
        )
    assert (AccessRequest.objects.count(), refusals()) == (1, ["request.refused"])


def test_what_was_typed_to_join_is_kept_where_joining_is_no_longer_offered(world: World) -> None:
    ann, ben = request_of(world, incident_ref="INC-7"), browser_of(world.ben)
    address, said = f"/requests/{ann.pk}/join/", {"reason": WORDS, "privilege": str(world.privilege.pk)}
    actions.withdraw(by=actor(world.ann), request=ann)
    late = ben.post(address, said)
    assert (late.status_code, WORDS in text(late.content)) == (409, True)
    AccessRequest.objects.update(state="awaiting", decided_at=None, requested_at=now() - timedelta(days=2))
    assert ben.post(address, said).status_code == 302, (
        "somebody works on it for two days: one may join, and is not offered it"
    )
    assert AccessRequest.objects.get(responder=world.ben).reason == WORDS


def test_incident_is_there_for_those_who_see_or_may_join_it(world: World) -> None:
    ann = request_of(world, incident_ref="INC-7")
    for name, status in (("ann", 200), ("ben", 200), ("ines", 200), ("mo", 200), ("otto", 200), ("zoe", 404)):
        browser = browser_of(world.people[name])
        assert (name, browser.get("/incidents/?ref=INC-7").status_code) == (name, status)
        assert browser.get("/incidents/?ref=INC-9").status_code == browser.get("/incidents/?ref=%00").status_code == 404
    assert [event.by for event in of_case(ann.pk, ["page.viewed"])] == [
        str(world.people[name].pk) for name in ("ann", "ines", "mo", "otto")
    ]


@pytest.fixture
def sealed(world: World) -> Iterator[World]:
    with sealing():
        yield world


def test_several_are_approved_each_by_itself_and_what_fails_is_said(sealed: World) -> None:
    world = sealed
    mine = [request_of(world, who, reason=f"{REASON} {who}", incident_ref="INC-7") for who in ("ann", "ben")]
    gone = request_of(world, "ann", reason=f"{REASON} gone", incident_ref="INC-7")
    ines = browser_of(world.ines)
    page = ines.get("/incidents/?ref=INC-7").content.decode()
    assert all(f'value="{each.pk}"' in page for each in (*mine, gone))
    actions.withdraw(by=actor(world.ann), request=gone)
    chosen = {"requests": [str(each.pk) for each in (*mine, gone)], "ref": "INC-7", "comment": "Go on."}
    answer = ines.post("/incidents/approve/", chosen, follow=True)
    said = text(answer.content)
    assert said.count("approved. It opens now.") == 2
    assert "not approved. This request is no longer waiting." in said
    assert {(each.request_id, each.comment) for each in Approval.objects.all()} == {
        (each.pk, "Go on.") for each in mine
    }
    for each in mine:
        assert names_of(each.pk).count("request.approved") == names_of(each.pk).count("grant.authorised") == 1
    assert names_of(gone.pk)[-1] == "request.approval_refused"
    assert {each.person for each in Grant.objects.all()} == {world.ann, world.ben}
    for opening in [each for each in threading.enumerate() if each.name.startswith("hurry-")]:
        opening.join(30)
    assert {each.state for each in Grant.objects.all()} == {"active"}


def test_nothing_of_others_is_shown_or_decided(world: World) -> None:
    ann = request_of(world, incident_ref="INC-7")
    for name in ("zoe", "ben", "ann", "mo"):
        answer = browser_of(world.people[name]).post("/incidents/approve/", {"requests": [str(ann.pk)], "ref": "INC-7"})
        assert (name, answer.status_code) == (name, 403)
    spied = browser_of(world.zoe).post(
        "/incidents/approve/", {"requests": [str(ann.pk)], "ref": "INC-7", "comment": "\u202e"}
    )
    assert (spied.status_code, REASON in text(spied.content)) == (404, False)
    assert (Approval.objects.count(), names_of(ann.pk).count("request.approval_refused")) == (0, 4)
    wrong = browser_of(world.ines).post("/incidents/approve/", {"requests": [], "ref": "INC-7"})
    assert (wrong.status_code, "Choose at least one." in text(wrong.content)) == (422, True)


@pytest.mark.parametrize("has", ["passkey", "new passkey", "code"])
def test_passkey_is_asked_for_before_any_of_them_where_one_of_them_wants_it(
    world: World, other: World, has: str
) -> None:
    strict = Policy(phishing_resistant=1)
    type(other.policy).objects.filter(pk=other.policy.pk).update(document=strict.document(), sha256=strict.sha256())
    ann = actor(world.ann, method="webauthn")
    rows = [asking.ask(by=ann, privilege=each.privilege, asked=each.asked()) for each in (world, other)]
    if has != "code":
        passkey_of(world.ines, settled=has == "passkey")
    by_code = actor(world.ines)
    if has == "passkey":
        with pytest.raises(StepUpNeeded) as needed:
            approve_several(by=by_code, requests=rows)
        assert (needed.value.resistant, Approval.objects.count()) == (True, 0)
        by_code = actor(world.ines, method="webauthn")
    done = approve_several(by=by_code, requests=rows)
    assert [bool(each.grant) for each in done] == [True, has == "passkey"]
    assert ("Confirm with a passkey first" in done[1].sentence) == (has != "passkey")


def test_second_factor_is_asked_before_any_of_them(world: World) -> None:
    rows = [request_of(world, who, reason=f"{REASON} {who}", incident_ref="INC-7") for who in ("ann", "ben")]
    with pytest.raises(StepUpNeeded):
        approve_several(by=actor(world.ines, age_s=3600), requests=rows)
    with broken_log():
        done = approve_several(by=actor(world.ines), requests=rows)
    assert [each.grant for each in done] == [None, None]
    assert all("The log cannot be written" in each.sentence for each in done)
    assert Approval.objects.count() == 0


def test_incident_asks_as_often_for_three_as_for_one(world: World) -> None:
    request_of(world, incident_ref="INC-7")
    browser = browser_of(world.ines)

    def queries() -> int:
        browser.get("/incidents/?ref=INC-7")
        with CaptureQueriesContext(connection) as counted:
            assert browser.get("/incidents/?ref=INC-7").status_code == 200
        return len(counted)

    one = queries()
    for number in range(2):
        request_of(world, "ben", reason=f"{REASON} {number}", incident_ref="INC-7")
    assert queries() == one
