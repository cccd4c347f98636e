"""Reading is logged: once for each person, case and quarter of an hour; what cannot be logged is not shown."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import connection
from django.http import HttpRequest

from audit.log import viewing
from audit.log.append import LogUnavailable, clock
from audit.log.read import named
from audit.log.viewing import QUARTER_MS, take_away, viewed
from tests.browsing import browser_of
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)
START = 1_780_000_000_000 // QUARTER_MS * QUARTER_MS


@pytest.fixture
def world() -> World:
    return make_world()


def request_by(world: World, name: str) -> HttpRequest:
    request = HttpRequest()
    request.actor = actor(world.people[name])  # type: ignore[attr-defined]  # as the portal's middleware does
    return request


def looks() -> list[tuple[str, str, int]]:
    return [(event.by, event.case, event.fields["quarter"]) for event in named(["page.viewed"])]


@pytest.fixture
def log_refuses(transactional_db: None) -> Iterator[Callable[[], None]]:
    """A log that takes no more looks."""

    def run(sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    run(
        "CREATE FUNCTION no_looks() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.name = 'page.viewed' THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$"
    )
    run("CREATE TRIGGER no_looks BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION no_looks()")
    yield lambda: run("ALTER TABLE audit_event DISABLE TRIGGER no_looks")
    run("DROP TRIGGER no_looks ON audit_event")
    run("DROP FUNCTION no_looks()")


def test_look_is_logged_once_in_a_quarter_of_an_hour(world: World) -> None:
    vera = request_by(world, "otto")
    for at in (START, START + 1, START + QUARTER_MS - 1, START + QUARTER_MS, START + QUARTER_MS + 5):
        with clock(partial(int, at)):
            viewed(vera, "the case", "c-1", case="c-1")
    me = str(world.otto.pk)
    assert looks() == [(me, "c-1", START), (me, "c-1", START + QUARTER_MS)]


def test_each_person_and_each_case_is_logged(world: World) -> None:
    with clock(lambda: START):
        for name in ("otto", "kim"):
            for case in ("c-1", "c-2"):
                viewed(request_by(world, name), "the case", case, case=case)
        viewed(request_by(world, "otto"), "the log")
        viewed(request_by(world, "otto"), "the log")
    assert sorted(looks()) == sorted(
        [(str(world.people[name].pk), case, START) for name in ("otto", "kim") for case in ("c-1", "c-2")]
        + [(str(world.otto.pk), "", START)]
    )


def test_row_gives_its_case_and_its_subject(world: World) -> None:
    row = request_of(world)
    viewed(request_by(world, "kim"), "the request", row)
    (look,) = named(["page.viewed"])
    assert (look.case, look.subject, look.fields["about_id"], look.fields["page"]) == (
        str(row.pk),
        row.log_subject,
        str(row.pk),
        "the request",
    )
    pack = SimpleNamespace(pk="p-1", log_subject="pack:p-1")
    for _ in range(2):
        viewed(request_by(world, "kim"), "the pack", pack)
    assert [(event.case, event.subject) for event in named(["page.viewed"])] == [
        (str(row.pk), row.log_subject),
        ("", "pack:p-1"),
    ]


def test_eight_looks_at_the_same_time_are_one_event(world: World) -> None:
    failed: list[BaseException] = []
    together = threading.Barrier(8)

    def look() -> None:
        try:
            together.wait(timeout=90)
            viewed(request_by(world, "otto"), "the case", "c-1", case="c-1")
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(8)]
    with clock(lambda: START):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=90)
    assert failed == []
    assert len(looks()) == 1


def test_download_is_logged_each_time(world: World) -> None:
    for _ in range(2):
        take_away(by=actor(world.otto), page="the proof of an entry", about="7")
    assert [event.fields["about_id"] for event in named(["page.viewed"])] == ["7", "7"]


def test_look_that_cannot_be_logged_is_refused_and_not_remembered(
    world: World, log_refuses: Callable[[], None]
) -> None:
    with pytest.raises(LogUnavailable):
        viewed(request_by(world, "otto"), "the case", "c-1", case="c-1")
    log_refuses()
    viewed(request_by(world, "otto"), "the case", "c-1", case="c-1")
    assert len(looks()) == 1


def test_page_is_not_shown_when_the_look_cannot_be_logged(world: World, log_refuses: Callable[[], None]) -> None:
    request = request_of(world)
    otto = browser_of(world.otto)
    answer = otto.get(f"/cases/{request.pk}/")
    assert answer.status_code == 503
    assert request.reason not in answer.content.decode()
    assert otto.get(f"/log/?case={request.pk}").status_code == 503
    assert otto.get(f"/cases/{request.pk}/activity/").status_code == 503
    log_refuses()
    answer = otto.get(f"/cases/{request.pk}/")
    assert answer.status_code == 200
    assert request.reason in answer.content.decode()


def test_quarter_is_a_quarter_of_an_hour() -> None:
    assert viewing.QUARTER_MS == 15 * 60 * 1000
