"""The demo's past may be told at any time: in a later year it gives the same, and what is owed next still lies ahead."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoDbBlocker

from portal.demo.seeding import QUARTER_OVER, told_later
from tests.evidence.conftest import Played, play
from tests.evidence.test_seeded import EXACT, expected, remarkable
from tests.servers import MailSink

pytestmark = pytest.mark.django_db  # the fixture plays in the test database
LATER = told_later(datetime(2029, 3, 1, 0, 10, tzinfo=UTC))  # past new years and a leap day


@pytest.fixture(scope="module")
def later(django_db_setup: None, django_db_blocker: DjangoDbBlocker, _mail_sink: MailSink) -> Played:
    """Played as a demo of that year plays it."""
    with django_db_blocker.unblock():
        return play(_mail_sink, LATER)


@pytest.mark.parametrize(
    "present",
    [
        datetime(2026, 10, 1, 1, 29, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 0, 0, tzinfo=UTC),
    ],
)
def test_quarter_of_the_story_is_over_within_the_day_before_the_present(present: datetime) -> None:
    over = QUARTER_OVER + told_later(present)
    assert timedelta(hours=1) <= present - over < timedelta(days=1, hours=1)


@pytest.mark.faults  # the whole story once more; each run of all tests tells it once, and the house tells it of today
def test_story_told_in_a_later_year_gives_the_same(later: Played) -> None:
    assert remarkable(later, EXACT) == expected()


@pytest.mark.faults
def test_next_attestations_are_owed_after_the_present(later: Played) -> None:
    present = int((QUARTER_OVER + LATER).timestamp() * 1000)
    open_ones = [each for each in later.rows("duties") if each["kind"] == "campaign" and not each["done_at"]]
    assert [int(str(each["due_at"])) > present for each in open_ones] == [
        True
    ] * 11  # of five systems the list and the roles, and the roles of all
