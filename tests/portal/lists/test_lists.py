"""Every list as a file, inert and on record; totals that lose nothing; searches that are saved under a name."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.inert_csv import csv_file
from audit.log.append import LogUnavailable
from audit.log.models import PersonalValue
from portal.clock import now
from portal.errors import NotAllowed, RefusedByPolicy
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.lists import actions
from portal.lists.kinds import EXPORTED, KINDS
from portal.lists.models import SavedSearch
from portal.lists.queries import address_of, cleaned, searches_of
from portal.people.models import Person
from tests.browsing import browser_of
from tests.factories import broken_log, fields_of
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def raised(world: World, title: str) -> Finding:
    return findings.raise_finding(
        by=actor(world.mo), kind="gap", title=title, about="w", system=world.system, owner=world.ben
    )


def file_of(browser: Client, name: str, query: str = "?all=1") -> list[list[str]]:
    answer = browser.post(f"/lists/{name}.csv{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    return list(csv.reader(io.StringIO(answer.getvalue().decode())))


def test_each_list_is_a_file_for_an_auditor_or_whoever_keeps_it(world: World) -> None:
    request_of(world)
    raised(world, "A gap")
    browser = browser_of(world.mo)
    got = {name: len(file_of(browser, name)) - 1 for name, kind in EXPORTED.items() if kind.may(world.mo)}
    assert got == {
        "requests": 1, "grants": 0, "reviews": 0, "findings": 1, "campaigns": 0, "drills": 0,
        "sealed": 0, "stops": 0, "policies": 1, "rotas": 0, "eligibilities": 2, "roles": 10, "alerts": 1, "systems": 1,
    }  # fmt: skip
    for kind in EXPORTED.values():
        assert len({heading for heading, _ in kind.columns}) == len(kind.columns)


def test_file_holds_what_its_viewer_may_see_and_no_more(world: World) -> None:
    request_of(world, reason="Ann's, because writes are failing and the disk is full.")
    request_of(world, "ben", reason="Ben's, because writes are failing and the disk is full.")
    seen = {
        name: sorted(row[2] for row in file_of(browser_of(world.people[name]), "requests")[1:])
        for name in ("ann", "ines", "zoe")
    }
    assert seen == {"ann": ["Ann"], "ines": ["Ann", "Ben"], "zoe": []}
    assert [row[2] for row in file_of(browser_of(world.ben), "requests", "?list=mine")[1:]] == ["Ben"]


def test_formulas_of_others_are_inert(world: World) -> None:
    for title in ('=HYPERLINK("https://evil.example")', "+1", " @SUM(A1)", "plain, with a comma"):
        raised(world, title)
    titles = [row[1] for row in file_of(browser_of(world.mo), "findings")[1:]]
    assert titles == ['\'=HYPERLINK("https://evil.example")', "'+1", "' @SUM(A1)", "plain, with a comma"]


def test_download_is_on_record_with_its_size_and_what_it_was_narrowed_to(world: World) -> None:
    raised(world, "A gap")
    browser = browser_of(world.mo)
    file_of(browser, "findings", "?show=overdue&page=3&csrf=x")
    told = fields_of("list.downloaded", "")
    assert (told["list"], told["rows"], told["person_id"]) == ("findings", 0, str(world.mo.pk))
    said = PersonalValue.objects.filter(event__name="list.downloaded", field="query")
    assert [each.value for each in said] == ["show=overdue"]


def test_nothing_leaves_that_cannot_be_put_on_record(world: World) -> None:
    browser = browser_of(world.mo)
    browser.raise_request_exception = False
    with broken_log():
        answer = browser.post("/lists/findings.csv?all=1")
    assert (answer.status_code, b"A gap" in answer.content) == (503, False)


def test_a_link_downloads_nothing(world: World) -> None:
    assert [browser_of(world.mo).get(f"/lists/{name}.csv").status_code for name in ("findings", "none")] == [405, 405]
    assert browser_of(world.mo).post("/lists/cases.csv").status_code == 404


def test_long_list_is_written_part_by_part() -> None:
    taken = []

    def rows() -> object:
        for number in range(2_000):
            taken.append(number)
            yield (number, "x", None, True)

    parts = csv_file(("a", "b", "c", "d"), rows())  # type: ignore[arg-type]  # a generator of rows
    first = next(parts)
    assert (len(taken), first.splitlines()[:2]) == (500, [b"a,b,c,d", b"0,x,,1"])
    assert b"".join([first, *parts]).count(b"\r\n") == 2_001


def test_lists_name_their_total_and_lose_nothing(world: World) -> None:
    for number in range(3):
        raised(world, f"Gap {number}")
    Finding.objects.filter(title="Gap 0").update(due_at=now() - timedelta(days=1))
    page = browser_of(world.mo).get("/findings/?show=overdue").content.decode()
    assert "<strong>1</strong> of 3 findings" in page
    assert "<strong>3</strong> findings" in browser_of(world.mo).get("/findings/").content.decode()


def test_page_of_lists_costs_the_same_for_one_finding_and_for_three(world: World) -> None:
    browser, counts = browser_of(world.mo), []
    raised(world, "First")
    for extra in (0, 2):
        for number in range(extra):
            raised(world, f"Another {number}")
            actions.save_search(by=actor(world.mo), kind="findings", name=f"Late {number}", query="show=overdue")
        browser.get("/lists/")
        with CaptureQueriesContext(connection) as asked:
            assert browser.get("/lists/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def saved(
    who: Person, name: str = "Late", query: str = "show=overdue", *, shared: bool = False, kind: str = "findings"
) -> SavedSearch:
    return actions.save_search(by=actor(who), kind=kind, name=name, query=query, shared=shared)


def test_search_is_listed_on_its_page_and_is_a_plain_address(world: World) -> None:
    browser = browser_of(world.mo)
    answer = browser.post(
        "/searches/save/",
        {
            "kind": "findings",
            "query": "page=2&show=overdue",
            "name": " My  late ones ",
            "next": "/findings/?show=overdue",
        },
    )
    assert answer.headers["Location"] == "/findings/?show=overdue"
    row = SavedSearch.objects.get()
    assert (row.name, row.query, row.shared, address_of(row)) == (
        "My late ones",
        "show=overdue",
        False,
        "/findings/?show=overdue",
    )
    page = browser.get("/findings/").content.decode()
    assert '<a href="/findings/?show=overdue">My late ones</a>' in page
    assert "My late ones" not in browser_of(world.ben).get("/findings/").content.decode()
    assert fields_of("search.saved", row.log_subject) == {"search_id": str(row.pk), "list": "findings", "shared": 0}


def test_shared_search_is_everybodys_and_its_owner_removes_it(world: World) -> None:
    row = saved(world.mo, shared=True)
    assert [each.pk for each in searches_of(world.zoe, "findings")] == [row.pk]
    with pytest.raises(NotAllowed):
        actions.remove_search(by=actor(world.ben), search=row)
    assert browser_of(world.mo).post(f"/searches/{row.pk}/remove/").headers["Location"] == "/lists/"
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    ("kind", "name", "query", "says"),
    [
        ("findings", "Late", "page=2", "there is nothing to save"),
        ("findings", "  ", "show=overdue", "Give the search a name"),
        ("findings", "Taken", "show=overdue", "has that name already"),
    ],
)
def test_search_that_cannot_be_saved_says_why(world: World, kind: str, name: str, query: str, says: str) -> None:
    saved(world.ben, "Taken", shared=True)
    with pytest.raises(RefusedByPolicy, match=says):
        saved(world.mo, name, query, kind=kind)
    assert SavedSearch.objects.count() == 1


def test_search_of_no_list_and_one_too_many_are_refused(world: World) -> None:
    with pytest.raises(NotAllowed):
        saved(world.mo, kind="secrets")
    for number in range(actions.MOST):
        SavedSearch.objects.create(
            owner=world.mo, list="findings", name=str(number), query="show=mine", shared=False, saved_at=now()
        )
    with pytest.raises(RefusedByPolicy, match="more than 50"):
        saved(world.mo)


def test_log_that_cannot_be_written_saves_nothing(world: World) -> None:
    with broken_log(), pytest.raises(LogUnavailable):
        saved(world.mo)
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("q=a+b&page=3&next=%2F&status=open", "q=a+b&status=open"),
        ("status=open&q=x", "q=x&status=open"),
        ("q=&system=", ""),
        ("x" * 9_000, ""),
        ("%00%ff&&==", ""),
    ],
)
def test_address_keeps_what_narrows_and_nothing_else(given: str, kept: str) -> None:
    assert cleaned("cases", given) == kept


def test_every_list_with_a_search_has_a_page(world: World) -> None:
    browser = browser_of(world.pia)
    for name, kind in KINDS.items():
        if kind.keys:
            assert address_of(SavedSearch(list=name, query="x=1")).endswith("?x=1")
            assert browser.get(address_of(SavedSearch(list=name, query="x=1"))).status_code == 200
