"""Pages of findings: who sees which, what is offered, and that typed text is kept."""

import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.read import named
from portal.clock import now
from portal.findings import actions
from portal.findings.models import Finding
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def world() -> World:
    return make_world()


def raised(world: World, owner: str | None = "ben", title: str = "Records are missing") -> Finding:
    return actions.raise_finding(
        by=actor(world.kim), kind="gap", title=title, about=str(uuid.uuid4()), details=HOSTILE, system=world.system,
        owner=world.people[owner] if owner else None,
    )  # fmt: skip


def test_who_sees_a_finding(world: World) -> None:
    row, sees = raised(world), set()
    for name, person in world.people.items():
        status = browser_of(person).get(f"/findings/{row.pk}/").status_code
        assert status in (200, 404)
        if status == 200:
            sees.add(name)
    assert sees == {"ben", "mo", "kim", "lea", "ines", "jon", "otto", "pia", "quinn"}


def test_look_at_a_finding_is_on_record_and_not_shown_without(world: World) -> None:
    row, other = raised(world), raised(world, title="Another")
    kim, mo = browser_of(world.kim), browser_of(world.mo)
    for _ in range(2):
        assert kim.get(f"/findings/{row.pk}/").status_code == 200
    assert browser_of(world.zoe).get(f"/findings/{row.pk}/").status_code == 404
    assert mo.post(f"/findings/{row.pk}/due/", {"due_at": ""}).status_code == 422  # the form comes back on its page
    looks = [(event.by, event.fields["page"], event.fields["about_id"]) for event in named(["page.viewed"])]
    assert looks == [(str(who.pk), "the finding", str(row.pk)) for who in (world.kim, world.mo)]
    with broken_log():
        answer = kim.get(f"/findings/{other.pk}/")
    assert (answer.status_code, "Another" in answer.content.decode()) == (503, False)


@pytest.mark.parametrize(
    ("name", "offered"),
    [("ben", {"answer"}), ("mo", {"assign", "due"}), ("kim", set()), ("otto", set()), ("pia", {"assign", "due"})],
)
def test_page_offers_what_the_server_would_do(world: World, name: str, offered: set[str]) -> None:
    response = browser_of(world.people[name]).get(f"/findings/{raised(world).pk}/")
    assert set(response.context["forms"]) == offered
    assert HOSTILE not in response.content.decode()


def test_way_through_the_pages(world: World) -> None:
    mo, ben = browser_of(world.mo), browser_of(world.ben)
    sent = browser_of(world.kim).post(
        "/findings/new/", {"system": world.system.pk, "title": "A line is missing", "details": ""}
    )
    row = Finding.objects.get()
    assert (sent.status_code, sent["Location"], row.state) == (302, f"/findings/{row.pk}/", "raised")
    due = (now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert mo.post(f"/findings/{row.pk}/assign/", {"owner": world.ben.pk, "due_at": due}).status_code == 302
    assert ben.post(f"/findings/{row.pk}/answer/", {"cause": "Disk.", "response": "Bigger."}).status_code == 302
    assert mo.post(f"/findings/{row.pk}/close/", {"retest_ok": "1"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.owner) == ("closed", world.ben)
    page = mo.get(f"/findings/{row.pk}/")
    assert [line["title"] for line in page.context["lines"]] == ["Raised", "Given to an owner", "Answered", "Closed"]


def test_faulty_form_keeps_what_was_typed(world: World) -> None:
    response = browser_of(world.ben).post(
        f"/findings/{raised(world).pk}/answer/", {"cause": "A full disk since Monday.", "response": ""}
    )
    assert response.status_code == 422
    assert "A full disk since Monday." in response.content.decode()
    assert set(response.context["sent"].errors) == {"response"}


@pytest.mark.parametrize(
    ("act", "data", "field"),
    [
        ("assign", {"owner": "not a uuid", "due_at": "soon"}, "due_at"),
        ("assign", {"owner": str(uuid.uuid4()), "due_at": "2020-01-01T00:00"}, "owner"),
        ("answer", {"cause": "x" * 1_000_000, "response": "\x00"}, "cause"),
        ("answer", {"cause": "a\u202eb", "response": "\ud800"}, "cause"),
        ("due", {"due_at": "2020-01-01T00:00"}, "due_at"),
        ("due", {"due_at": "2999-01-01T00:00"}, "due_at"),
        ("close", {"retest_ok": "0", "comment": ""}, "comment"),
        ("close", {"retest_ok": "yes"}, "retest_ok"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(world: World, act: str, data: dict[str, str], field: str) -> None:
    row = raised(world)
    if act == "close":
        actions.answer(by=actor(world.ben), finding=row, cause="c", response="r")
    before = Finding.objects.values().get(pk=row.pk)
    body = urlencode({key: value.encode("utf-8", "surrogatepass") for key, value in data.items()})
    client = browser_of(world.ben if act == "answer" else world.mo)
    response = client.post(f"/findings/{row.pk}/{act}/", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 422
    assert field in response.context["sent"].errors
    assert Finding.objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize(("name", "status"), [("zoe", 403), ("otto", 403), ("ines", 403), ("ben", 403)])
def test_acts_that_are_not_ones_own_are_refused(world: World, name: str, status: int) -> None:
    row = raised(world)
    due = (now() + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M")
    assert browser_of(world.people[name]).post(f"/findings/{row.pk}/due/", {"due_at": due}).status_code == status
    assert Finding.objects.get().due_at == row.due_at


def test_lists_part_open_overdue_own_and_closed(world: World) -> None:
    rows = {name: raised(world, "ben", name) for name in ("one", "late", "done")}
    rows["mos"] = raised(world, "mo", "mos")
    Finding.objects.filter(pk=rows["late"].pk).update(due_at=now() - timedelta(hours=1))
    actions.answer(by=actor(world.ben), finding=rows["done"], cause="c", response="r")
    actions.close(by=actor(world.mo), finding=rows["done"], retest_ok=True)
    ben = browser_of(world.mo)
    shown = {
        word: {row.title for row in ben.get(f"/findings/?show={word}").context["page"]}
        for word in ("open", "overdue", "mine", "closed")
    }
    assert shown == {"open": {"one", "late", "mos"}, "overdue": {"late"}, "mine": {"mos"}, "closed": {"done"}}
    assert ben.get("/findings/?show=other").status_code == 404


@pytest.mark.parametrize("path", ["/findings/", "/findings/{pk}/"])
def test_pages_cost_the_same_for_one_row_and_for_many(world: World, path: str) -> None:
    row, mo, counts = raised(world), browser_of(world.mo), []
    mo.get(path.format(pk=row.pk))  # the first look is written down, which costs its own
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert mo.get(path.format(pk=row.pk)).status_code == 200
        counts.append(len(queries))
        for number in range(20):
            raised(world, "ben", f"another {number}")
            actions.move_due(by=actor(world.mo), finding=row, due_at=now() + timedelta(days=11 + number))
    assert counts[0] == counts[1]


def test_empty_list_teaches(world: World) -> None:
    assert "Nothing is to be put right here" in browser_of(world.mo).get("/findings/").content.decode()


def test_signed_out_visitors_sign_in_first(world: World) -> None:
    from django.test import Client

    assert Client().get("/findings/")["Location"] == "/sign-in/?next=/findings/"


def test_finding_of_a_case_links_to_it(world: World) -> None:
    case = str(uuid.uuid4())
    row = actions.raise_finding(
        by=actor(world.kim), kind="review", title="Adverse", about="r", case=case, system=world.system
    )
    assert f'href="/cases/{case}/"' in browser_of(world.mo).get(f"/findings/{row.pk}/").content.decode()


def test_closing_asks_for_the_factor_and_keeps_what_was_typed(world: World) -> None:
    row, mo = raised(world), browser_of(world.mo)
    actions.answer(by=actor(world.ben), finding=row, cause="c", response="r")
    stale(world.mo)
    sent = {"retest_ok": "0", "comment": "Retired with its disk."}
    asked = mo.post(f"/findings/{row.pk}/close/", sent)
    assert (asked.status_code, "Retired with its disk." in asked.content.decode()) == (200, True)
    assert Finding.objects.get().state == "answered"
    assert mo.post(f"/findings/{row.pk}/close/", sent | {"code": code_of_device(world.mo)}).status_code == 302
    assert Finding.objects.get().state == "closed"


def test_giving_it_away_without_a_date_keeps_the_one_that_it_has(world: World) -> None:
    row = raised(world)
    assert (
        browser_of(world.mo).post(f"/findings/{row.pk}/assign/", {"owner": world.kim.pk, "due_at": ""}).status_code
        == 302
    )
    found = Finding.objects.get()
    assert (found.owner, found.due_at) == (world.kim, row.due_at)
