"""The status page's charts of the log by day and of backups: what is drawn, what the table says, and what where there is nothing."""

import pytest
from django.db import transaction

from audit.log.append import append, process
from audit.log.backup import hourly
from audit.log.backup.writing import Made
from portal.health.figures import figures
from tests.audit.log.logged import sealed
from tests.browsing import browser_of
from tests.worlds import make_world

pytestmark = pytest.mark.django_db(transaction=True)


def made(number: int, bytes_: int, took_ms: int) -> None:
    made = Made(f"20261129T00000{number}Z-00000000", 7, "00", rows=11, bytes=bytes_, took_ms=took_ms)
    hourly.note_made(by=hourly.BACKER, made=made, place="/backups")


def test_without_a_log_each_card_says_why_it_is_empty() -> None:
    assert [(each.charts, each.empty) for each in figures()] == [
        ((), "Nothing is sealed yet."),
        ((), "Nothing was witnessed or timestamped in the last two weeks."),
        ((), "No backup was made yet."),
    ]


def test_each_chart_draws_what_its_table_says() -> None:
    sealed(5)
    with transaction.atomic():
        append("log.witnessed", by=process("anchors"), witness="w1", size=1, at=1, ok=True)
    made(1, 12_000, 1500)
    hourly.note_failed(by=hourly.BACKER, code="StoreUnavailable", sentence="It is full.", place="/backups")
    made(2, 900, 400)
    growth, anchored, backups = figures()
    assert (growth.rows[0][1:], growth.rows[1][1:], len(growth.rows)) == (["5", "5"], ["0", "0"], 14)
    assert anchored.rows[0][1:] == ["1", "w1 1", "0"]
    assert [row[1:] for row in backups.rows] == [
        ["900\xa0bytes", "0.4 s", "7"], ["Failed: It is full.", "—", "—"], ["11.7\xa0KB", "1.5 s", "7"],
    ]  # fmt: skip
    drawn = [[bar.look for bar in chart.bars] for each in (growth, anchored, backups) for chart in each.charts]
    assert drawn == [["a"], ["a"], ["a", "a"], ["b", "b"]]
    assert [len(chart.labels) for chart in backups.charts] == [3, 3]
    wrote, took = backups.charts
    assert wrote.bars[0].height > wrote.bars[1].height
    assert took.bars[0].height > took.bars[1].height
    assert wrote.says == "The last 3 backups; 1 failed."


def test_page_shows_them_under_what_looks_again_and_not_in_it() -> None:
    pia = browser_of(make_world().pia)
    sealed(3)
    page = pia.get("/status/").content.decode()
    looked_again = pia.get("/status/", headers={"HX-Request": "true"}).content.decode()
    titles = ("Size of the log", "Witnessed and timestamped", "Backups</h2>")
    assert [title in page for title in titles] == [True] * 3
    assert [title in looked_again for title in titles] == [False] * 3
    assert page.index('id="log-size-card"') > page.index('id="status"')
    assert 'aria-labelledby="log-size-chart-title log-size-chart-says"' in page
