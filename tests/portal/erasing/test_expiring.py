"""What is personal goes by itself when its class's time has come: never what is kept as long as entries, of an open case, or by a clock ahead."""

import time
from typing import Any

import pytest

from audit.events.retention import DAY_MS
from audit.log.append import Entry, clock
from audit.log.models import PersonalValue
from audit.log.read import named
from portal.erasing import expiring
from tests.audit.log.cut_log import written
from tests.audit.log.logged import TEST, sealed
from tests.worlds import World, make_world, request_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]
NOW = int(time.time() * 1000)
SEARCH = {"search_id": "s", "list": "cases", "name": "Ada's", "query": "q", "shared": False}


@pytest.fixture
def world() -> World:
    with clock(lambda: NOW - 3000 * DAY_MS):
        return make_world()


def searched(days_ago: int, case: str = "") -> None:
    with clock(lambda: NOW - days_ago * DAY_MS):
        written(Entry("search.saved", TEST, dict(SEARCH), case=case))


def held(name: str) -> int:
    return PersonalValue.objects.filter(event__name=name).count()


def test_what_is_due_goes_and_no_value_of_a_case(world: World) -> None:
    with clock(lambda: NOW - 3000 * DAY_MS):
        request_of(world)
    searched(401)
    searched(399)
    before = held("request.made"), held("search.saved")
    assert expiring.run_due() > 0
    assert (held("request.made"), held("search.saved")) == (before[0], before[1] // 2)
    assert {each.fields["kind"] for each in named(["personal_values.expired"])} == {"signins"}


def test_where_entries_are_kept_for_longer_values_of_cases_go_but_of_open_ones(world: World, settings: Any) -> None:
    from portal.access_requests.actions import withdraw
    from tests.worlds import actor

    settings.PORTAL_RETENTION = settings.PORTAL_RETENTION | {"entries": 4000}
    with clock(lambda: NOW - 3000 * DAY_MS):
        asked = request_of(world)
    sealed(0)
    searched(401, case=str(asked.pk))
    before = held("request.made"), held("search.saved")
    expiring.run_due()
    assert (held("request.made"), held("search.saved")) == before
    withdraw(by=actor(world.ann), request=asked)
    expiring.run_due()
    assert (held("request.made"), held("search.saved")) == (0, 0)


def test_a_clock_that_is_ahead_makes_nothing_old(world: World) -> None:
    searched(1)
    expiring.run_due()
    with clock(lambda: NOW + 3000 * DAY_MS):
        assert expiring.run_due() == 0
    assert held("search.saved") == 2
