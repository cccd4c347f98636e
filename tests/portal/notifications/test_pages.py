""" "I have seen it": by the recipient alone, once, and it decides nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.read import named
from portal.errors import NotAllowed
from portal.notifications.actions import acknowledge
from portal.notifications.models import Alert
from portal.notifications.queries import alerts_of_case, backlog
from tests.at_once import at_once
from tests.browsing import browser_of
from tests.portal.notifications.conftest import FACTS, queue
from tests.worlds import World, actor


def test_recipient_says_so_once(world: World) -> None:
    alert = queue(world, "ines", case="c-1")[0]
    ines = browser_of(world.ines)
    assert ines.post(f"/alerts/{alert.pk}/seen/")["Location"] == "/alerts/"
    assert ines.post(f"/alerts/{alert.pk}/seen/").status_code == 409
    (event,) = named(["alert.acknowledged"])
    assert (event.by, event.case, event.subject) == (str(world.ines.pk), "c-1", alert.log_subject)
    assert "You said that you have seen it" in ines.get("/alerts/").content.decode()


def test_link_back_leads_to_where_one_was_and_nowhere_else(world: World) -> None:
    first, second = queue(world, "ines")[0], queue(world, "ines")[0]
    ines = browser_of(world.ines)
    assert ines.post(f"/alerts/{first.pk}/seen/", {"next": "/requests/1/"})["Location"] == "/requests/1/"
    assert ines.post(f"/alerts/{second.pk}/seen/", {"next": "https://evil.example/"})["Location"] == "/"


def test_alert_of_another_is_not_ones_own_to_see(world: World) -> None:
    alert = queue(world, "ines")[0]
    jon = browser_of(world.jon)
    assert jon.post(f"/alerts/{alert.pk}/seen/").status_code == 403
    assert "does not answer" not in jon.get("/alerts/").content.decode()
    with pytest.raises(NotAllowed):
        acknowledge(by=actor(world.jon), alert=alert)
    assert [event.fields["kind"] for event in named(["alert.act_refused"])] == ["not recipient"] * 2


def test_fifty_at_once_have_one_effect(world: World) -> None:
    alert = queue(world, "ines")[0]
    outcomes = at_once(50, lambda: acknowledge(by=actor(world.ines), alert=alert))
    assert sorted(type(each).__name__ for each in outcomes) == ["Alert"] + ["ChangedMeanwhile"] * 49
    assert len(named(["alert.acknowledged"])) == 1


def test_page_shows_hostile_words_as_text(world: World) -> None:
    queue(world, "ines", facts={"title": "<script>alert(1)</script>", "sentence": "<b>bold</b>"})
    page = browser_of(world.ines).get("/alerts/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page


def test_alerts_of_a_case_say_how_far_each_got_in_one_query(world: World) -> None:
    queue(world, "ines", "jon", case="c-1", addresses=["security@breakglass.example"])
    queue(world, "kim", case="c-2")
    Alert.objects.filter(recipient=world.ines).update(sent_at="2026-01-01T00:00Z", acknowledged_at="2026-01-01T00:01Z")
    Alert.objects.filter(recipient=world.jon).update(last_trouble="timeout")
    with CaptureQueriesContext(connection) as queries:
        lines = alerts_of_case("c-1")
    assert {(line.recipient, line.state) for line in lines} == {
        ("Ines", "seen"),
        ("Jon", "late"),
        ("Security list", "queued"),
    }
    assert len(queries) == 1


def test_backlog_counts_what_waits(world: World) -> None:
    assert (backlog().waiting, backlog().oldest_at) == (0, None)
    queue(world, "ines", "jon")
    Alert.objects.filter(recipient=world.jon).update(last_trouble="timeout")
    assert (backlog().waiting, backlog().in_trouble) == (2, 1)


def test_page_costs_the_same_for_one_alert_and_for_many(world: World) -> None:
    ines, counts = browser_of(world.ines), []
    for _ in range(2):
        queue(world, "ines", facts=FACTS)
        with CaptureQueriesContext(connection) as queries:
            ines.get("/alerts/")
        counts.append(len(queries))
        for _ in range(15):
            queue(world, "ines", facts=FACTS)
    assert counts[0] == counts[1]


def test_empty_page_teaches(world: World) -> None:
    assert "Nobody had to tell you anything yet" in browser_of(world.ines).get("/alerts/").content.decode()
