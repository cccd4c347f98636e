"""All cases of one incident on one page: who sees which, one timeline, as many queries for three as for one, each look on record."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.cases.models import CaseRow
from audit.cases.projection import rebuild
from audit.log.read import of_case
from portal.access_requests.actions import supplement
from portal.grants import authorising
from tests.audit.cases.conftest import listed
from tests.audit.cases.written import Did, do
from tests.factories import broken_log
from tests.worlds import REASON, World, actor, make_world, opened, request_of

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db(transaction=True)
ADDRESSES = ("/cases/incident/", "/cases/incident/timeline/")


def test_each_sees_their_cases_of_an_incident_with_one_timeline(world: World, sign_in: SignIn) -> None:
    ann = opened(world, "ann", incident_ref="INC-7")
    do(ann, [Did("SELECT 'of the case alone'")])
    ben = request_of(world, "ben", reason=f"{REASON} I help.", incident_ref="INC-7")
    request_of(world, "ben", reason=f"{REASON} Another thing.", incident_ref="INC-8")
    listed()
    for address in ADDRESSES:
        said = sign_in("otto").get(f"{address}?ref=INC-7").content.decode()
        assert said.count("/cases/") >= 2
        assert all(f"/cases/{pk}/" in said for pk in (ann.request_id, ben.pk))
        assert (f"{REASON} I help" in said, "Another thing" in said, "of the case alone" in said) == (
            True,
            False,
            False,
        )
        assert said.index("Open until") < said.index("I help"), "in the order in which it happened"
        mine = sign_in("ben").get(f"{address}?ref=INC-7").content.decode()
        assert (f"/cases/{ben.pk}/" in mine, f"/cases/{ann.request_id}/" in mine) == (True, False)
        for name, ref in (("zoe", "INC-7"), ("otto", "INC-9"), ("otto", ""), ("ben", "%00")):
            assert sign_in(name).get(f"{address}?ref={ref}").status_code == 404, (name, ref)
    assert "ref=INC-7" in sign_in("otto").get(f"/cases/{ben.pk}/").content.decode()


def test_incident_with_more_than_a_page_shows_its_newest_and_says_so(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ann", "ben"):
        request_of(world, name, reason=f"{REASON} by {name}", incident_ref="INC-7")
    listed()
    whole = sign_in("otto").get("/cases/incident/?ref=INC-7").content.decode()
    monkeypatch.setattr("audit.cases.incident.MOST_LINES", 1)
    cut = sign_in("otto").get("/cases/incident/?ref=INC-7").content.decode()
    assert ["Only the newest entries" in each for each in (whole, cut)] == [False, True]
    assert [(f"{REASON} by ann" in each, f"{REASON} by ben" in each) for each in (whole, cut)] == [
        (True, True), (False, True),
    ]  # fmt: skip


def test_look_is_on_record_once_for_each_case_or_nothing_is_shown(world: World, sign_in: SignIn) -> None:
    cases = [request_of(world, name, reason=f"{REASON} {name}", incident_ref="INC-7").pk for name in ("ann", "ben")]
    listed()
    otto = sign_in("otto")
    with broken_log():
        assert otto.get("/cases/incident/?ref=INC-7").status_code == 503
    for _ in range(2):
        assert otto.get("/cases/incident/?ref=INC-7").status_code == 200
    assert [len(of_case(case, ["page.viewed"])) for case in cases] == [1, 1]


def queries(browser: Client) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert browser.get("/cases/incident/?ref=INC-7").status_code == 200
    return len(counted)


def test_three_cases_ask_as_often_as_one(world: World, sign_in: SignIn) -> None:
    otto = sign_in("otto")
    request_of(world, "ann", incident_ref="INC-7")
    listed()
    otto.get("/cases/incident/?ref=INC-7")
    one = queries(otto)
    other = make_world(slug="payments", on_target="payments_emergency", people=world.people)
    for place, name in ((world, "ben"), (other, "ann")):
        request_of(place, name, reason=f"{REASON} Also.", incident_ref="INC-7")
    listed()
    otto.get("/cases/incident/?ref=INC-7")
    assert queries(otto) == one


def test_incident_that_a_bypass_owed_is_in_the_list_and_in_one_made_again(world: World) -> None:
    grant = authorising.bypass(
        by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass", incident_ref="")
    )
    listed()
    assert CaseRow.objects.get().incident == ""
    supplement(by=actor(world.ann), request=grant.request, asked=world.asked("bypass", incident_ref="INC-7"))
    listed()
    assert CaseRow.objects.get().incident == "INC-7"
    rebuild()
    assert CaseRow.objects.get().incident == "INC-7"
