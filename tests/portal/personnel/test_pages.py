"""The pages of personnel lists and the command: looked at first, confirmed by one click."""

import json
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.people.models import Person
from portal.personnel.models import PersonnelList
from portal.personnel.sweep import KEPT_FOR, discard_due
from tests.browsing import browser_of
from tests.portal.personnel.listed import QUERY, content, read
from tests.worlds import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    made = make_world()
    RoleAssignment.objects.filter(person__in=[made.pia, made.quinn]).update(system=None)
    return made


def sent(browser: Client, given: bytes) -> str:
    """Where the upload leads to."""
    said = {"file": SimpleUploadedFile("people.csv", given), "query": QUERY, "taken_at": f"{now():%Y-%m-%dT%H:%M}"}
    answer = browser.post("/people/lists/new/", said)
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def text_of(browser: Client, path: str) -> str:
    page = browser.get(path).content.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", page.split("<main", 1)[1].split("</main>", 1)[0]).split())


def test_list_is_looked_at_and_confirmed_by_one_click(world: World) -> None:
    browser = browser_of(world.pia)
    page = sent(browser, content(world, without=("ann",), more="new@example.org,\"=cmd|' /C calc'!A0\",Sales,,,"))
    shown = text_of(browser, page)
    assert "Ann is not on the list: the account ends, with 1 role and 1 place on a list." in shown
    assert "1 person of the list is not in the portal" in shown
    assert "=cmd|&#x27; /C calc&#x27;!A0 new@example.org, Sales, line 12" in shown
    fingerprint = re.search(r'name="shown" value="(\w+)"', browser.get(page).content.decode())
    assert fingerprint
    assert browser.post(f"{page}confirm/", {"shown": fingerprint[1]}).headers["Location"] == page
    assert Person.objects.get(pk=world.ann.pk).left_at is not None
    assert "Ann is not on the list" in text_of(browser, page)
    assert "1 left, 0 moved" in text_of(browser, "/people/lists/")


def test_second_administrator_finds_a_large_list_on_the_first_page(world: World) -> None:
    browser = browser_of(world.pia)
    page = sent(browser, content(world, without=("zoe", "otto", "lea")))
    assert "Confirm it and ask a second administrator" in text_of(browser, page)
    fingerprint = re.search(r'name="shown" value="(\w+)"', browser.get(page).content.decode())
    assert fingerprint
    browser.post(f"{page}confirm/", {"shown": fingerprint[1]})
    assert "You confirmed it; another administrator does it." in text_of(browser, page)
    second = browser_of(world.quinn)
    assert "A personnel list by which many would leave" in text_of(second, "/")
    assert "A personnel list by which many would leave" not in text_of(browser, "/")
    second.post(f"{page}confirm/", {"shown": fingerprint[1]})
    assert PersonnelList.objects.get().state == "done"


def test_broken_file_says_each_line_and_keeps_nothing(world: World) -> None:
    said = {
        "file": SimpleUploadedFile("p.csv", b"email,name\nann,\nb@x.y,Ben,7\n"),
        "query": QUERY,
        "taken_at": "2026-11-29T09:00",
    }
    answer = browser_of(world.pia).post("/people/lists/new/", said)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert ("Line 2: email is no mail address." in page, "Line 3: it has 3 cells" in page, QUERY in page) == (
        True,
        True,
        True,
    )
    assert not PersonnelList.objects.exists()


def commanded(path: Path, *more: str) -> str:
    out = StringIO()
    call_command("import_personnel", str(path), "--query", QUERY, *more, stdout=out)
    return out.getvalue()


def test_command_says_first_and_does_it_when_told(world: World, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content(world, without=("ann",)))
    said = commanded(path)
    assert said.splitlines()[0].startswith("Ann is not on the list")
    assert said.endswith("Nothing was done: --confirm does it.\n")
    assert not PersonnelList.objects.exists()
    assert json.loads(commanded(path, "--confirm", "--json"))["leavers"] == 1
    assert Person.objects.get(pk=world.ann.pk).left_at is not None
    assert PersonnelList.objects.get().decided_by == "process:import_personnel"


def test_command_asks_how_many_leave_where_they_are_many(world: World, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content(world, without=("zoe", "otto", "lea")))
    with pytest.raises(CommandError, match="3 of 11 people of the portal would leave"):
        commanded(path, "--confirm")
    assert [each.content for each in PersonnelList.objects.all()] == [None]
    commanded(path, "--confirm", "--leavers", "3")
    assert Person.objects.filter(left_at__isnull=False).count() == 3


def test_command_names_the_line_of_a_broken_file(world: World, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"email,name\nx\n")
    with pytest.raises(CommandError, match=r"Line 2: it has 1 cells, and the head has 2\.\nNothing was done\."):
        commanded(path)
    with pytest.raises(CommandError, match="cannot be read"):
        commanded(tmp_path / "none.csv")


def test_list_that_nobody_decides_on_is_laid_aside_after_a_week(world: World) -> None:
    row = read(world, content(world))
    assert discard_due() == 0
    PersonnelList.objects.update(read_at=now() - KEPT_FOR - timedelta(seconds=1))
    assert [discard_due(), discard_due()] == [1, 0]
    row.refresh_from_db()
    assert (row.state, row.content, row.decided_by) == ("discarded", None, "process:sweep")


def test_list_that_waits_is_laid_aside_by_the_next(world: World) -> None:
    first = read(world, content(world))
    second = read(world, content(world, without=("zoe",)))
    assert {each.pk: each.state for each in PersonnelList.objects.all()} == {first.pk: "discarded", second.pk: "read"}
