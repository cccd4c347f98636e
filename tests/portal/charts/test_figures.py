"""The page of figures: what each month and age says, of what the viewer may see, at the same cost for one use and for three."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.access_requests.models import AccessRequest
from portal.charts import queries, shown
from portal.clock import now
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.grants.models import Grant
from tests.browsing import browser_of
from tests.portal.reviews.used import submitted
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return make_world()


def used(world: World, *minutes: int, by: str = "ann") -> list[Grant]:
    """Uses that were opened so many minutes after they were asked, a moment ago."""
    made = []
    with sealing():
        for number, took in enumerate(minutes):
            grant = opened(world, by, reason=f"Use {number}: writes are failing and the disk is nearly full.")
            assert grant.opened_at is not None
            asked_at = grant.opened_at - timedelta(minutes=took)
            AccessRequest.objects.filter(pk=grant.request_id).update(requested_at=asked_at)
            made.append(grant)
    return made


def test_twelve_months_end_with_this_one() -> None:
    months = queries.last_months(AT)
    assert [(months[0].words, months[-1].words, len(months))] == [("April 2025", "March 2026", 12)]
    assert [month.label for month in queries.last_months(datetime(2026, 1, 1, tzinfo=UTC), 2)] == ["Dec", "Jan"]


def test_uses_and_waits_of_a_month(world: World) -> None:
    grants = used(world, 1, 3, 20)
    AccessRequest.objects.filter(pk=grants[0].request_id).update(mode="bypass")
    AccessRequest.objects.filter(pk=used(world, 5, by="ben")[0].request_id).update(mode="drill")
    months = queries.last_months()
    assert {key: queries.uses(world.mo, months)[months[-1]][key] for key in ("uses", "bypasses")} == {
        "uses": 3,
        "bypasses": 1,
    }
    waits = queries.to_open(world.mo, months)[months[-1]]
    assert [waits[key] for key in ("approved", "slowest", "bypass")] == [
        timedelta(minutes=each) for each in (11.5, 18.3, 1)
    ]
    first = shown.figures(world.mo)[0]
    assert list(first.rows[0]) == [months[-1].words, "3", "1", "33 %"]
    assert shown.figures(world.zoe)[0].empty
    assert list(shown.figures(world.ann)[0].rows[0][1:3]) == ["3", "1"]


def test_reviews_by_how_long_they_took(world: World) -> None:
    review = submitted(world, "kim", by="ann")
    assert review.submitted_at is not None
    Grant.objects.filter(review=review).update(ended_at=review.submitted_at - timedelta(hours=5))
    months = queries.last_months()
    row = queries.to_review(world.mo, months)[months[-1]]
    assert (row["median"], row["reviews"], row["late"]) == (timedelta(hours=5), 1, 0)


@pytest.mark.parametrize(
    ("days", "place"), [(0, 0), (6.9, 0), (7.1, 1), (29.9, 1), (30.1, 2), (89.9, 2), (90.1, 3), (4000, 3)]
)
def test_finding_has_one_age(world: World, days: float, place: int) -> None:
    made = findings.raise_finding(
        by=actor(world.mo), kind="gap", title="A gap", about="w", system=world.system, owner=world.ben
    )
    Finding.objects.filter(pk=made.pk).update(raised_at=now() - timedelta(days=days), due_at=now() - timedelta(days=1))
    ages = queries.findings_by_age(world.mo)
    assert [(count, late) for _, count, late in ages] == [
        (int(place == number), int(place == number)) for number in range(4)
    ]


def test_page_draws_and_says_and_costs_the_same(world: World) -> None:
    browser, counts = browser_of(world.mo), []
    for extra in (1, 2):
        used(world, *[2] * extra, by="ann" if extra == 1 else "ben")
        browser.get("/figures/")
        with CaptureQueriesContext(connection) as asked:
            page = browser.get("/figures/").content.decode()
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert '<title id="uses-chart-title">Uses by month, and how many by bypass</title>' in page
    assert "3 uses in 12 months, 0 by bypass." in page
    assert re.search(r'<rect class="chart-a"[^>]+/>', page)
    assert "style=" not in page.split("<main", 1)[1]
    drawn = page.count('<div class="chart">')
    assert drawn > 0
    assert page.count('<details class="fold"><summary>The same as a table</summary>') == drawn
