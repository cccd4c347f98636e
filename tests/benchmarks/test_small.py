"""A small share of each benchmark: that it measures what it says. Ratios and conditions alone; no time is asserted."""

from pathlib import Path

import psycopg
import pytest

from audit.log.models import SealedEntry
from portal.clock import now
from portal.grants.models import Grant
from portal.reviews.lookback import looked_back
from tests.benchmarks import (
    appending,
    ending,
    halting,
    looking_back,
    pacing,
    proving,
    publishing,
    sealing,
    showing,
    stopping,
    verifying,
)
from tests.benchmarks.grown import grow
from tests.benchmarks.rows import Row, at_least, at_most, percentile, table
from tests.faults.programs import running
from tests.faults.shops import address, declare_source, end_at, make_shop, open_anyhow
from tests.servers import running_target
from tests.worlds import make_world, opened
from tests.worlds import sealing as sealer_at_work


def test_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    assert [percentile(range(1, 101), percent) for percent in (1, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert (percentile([3.0], 99), percentile([1, 2], 50), percentile([1, 2], 51)) == (3.0, 1, 2)


def test_row_on_its_bar_is_met_and_beyond_it_is_missed() -> None:
    rows = [at_most("a", 1.0, 1), at_most("b", 1.001, 1), at_least("c", 2.0, 2), at_least("d", 1.999, 2)]
    assert [row.ok for row in rows] == [True, False, True, False]
    assert [line.split()[-1] for line in table([*rows, Row("e", "x", "y", ok=True, beside="more")]).splitlines()] == [
        "ok", "MISSED", "ok", "MISSED", "ok", "more",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_action_costs_no_more_than_a_few_creates() -> None:
    with appending.Ready() as ready:
        took = appending.side_by_side(ready.calls, rounds=5, each=10)
        assert {name: model._base_manager.count() > 50 for name, model in (("watched", appending.Watched), ("acted", appending.Acted))} == {
            "watched": True, "acted": True,
        }  # fmt: skip
    assert appending.ratio(took, "watched") > 0.25
    assert appending.ratio(took, "plain") > 0.05


@pytest.mark.django_db(transaction=True)
def test_every_event_is_seen_under_a_signed_checkpoint_after_its_commit() -> None:
    with sealer_at_work():
        (took, rate), waited = sealing.delays(40, 1), sealing.waits(3)
        busy, _ = sealing.waits_under_load(20, 1)
    assert (len(took), min(took) > -0.5, len(waited), min(waited) > 0) == (40, True, 3, True)
    assert (rate > 0, min(busy) > 0) == (True, True)


def test_rate_that_was_not_held_is_a_miss() -> None:
    steady = [number / 200 for number in range(4000)]
    slower = [number / 197 for number in range(4000)]
    assert [sealing.held(sealing.pace(commits, 200), 200).ok for commits in (steady, slower)] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_pace_is_measured_in_a_log_that_has_grown_and_is_published_on(tmp_path: Path) -> None:
    before, after = pacing.measured(300, 70_000, 1, 20, 2, tmp_path)
    assert (before > 0, after > 0, pacing.restarted(tmp_path / "large") > 0) == (True, True, True)
    assert SealedEntry.objects.count() == 70_000 + 20 + 2 * 40 + 1


@pytest.mark.django_db(transaction=True)
def test_bulk_is_measured_until_all_of_it_is_published() -> None:
    ratio, size = publishing.in_bulk(2)
    assert (size, ratio > 0.001) == (1023, True)  # with the twenty and three before the clock runs


@pytest.mark.django_db(transaction=True)
def test_every_event_is_seen_in_what_is_published_after_its_commit() -> None:
    took, rate = publishing.one_by_one(40, 1)
    assert (len(took), min(took) > -0.5, rate > 0) == (40, True, True)


def test_verifier_is_measured_over_a_whole_log() -> None:
    one, two, memory = verifying.measured(700, 1)
    assert (one > 0, two > 0, memory > 5) == (True, True, True)


@pytest.mark.django_db(transaction=True)
def test_proofs_are_measured_anywhere_in_a_log_that_is_large() -> None:
    grow(70_000)
    proving.forget_files()
    assert len(proving.asked([0, 69_999, *proving.anywhere(70_000, 3, 1)])) == 5


@pytest.mark.django_db(transaction=True)
def test_single_end_is_measured_from_the_planned_end() -> None:
    world = make_world()
    with sealer_at_work(), running("watch", "--only", "sweep"):
        grant = opened(world)
        ending._due(grant, now())
        found = ending.ends_of([grant])
    assert (len(found.seconds), found.seconds[0] > 0) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_stop_is_measured_until_every_access_it_met_is_read_back() -> None:
    with sealer_at_work():
        world = make_world()
        halting.open_many(world, 4)
        stop, took = halting.halt(world, world.system)
    assert (len(took), min(took) > 0, stop.holds) == (6, True, True)
    assert set(Grant.objects.values_list("state", flat=True)) == {"ended"}


@pytest.mark.django_db(transaction=True)
def test_busy_responder_is_cut_off_and_shown() -> None:
    with running_target() as target, sealer_at_work():
        world = make_shop(target)
        declare_source(target, world)
        grant = open_anyhow(world)
        with running("gather"):
            assert len(showing.delays(target, world, grant, 20, 1)) == 20
        responder = stopping.Responder(address(target, grant, world))
        threads = responder.at_work()
        end_at(grant, now() + stopping.AHEAD / 2)
        for thread in threads[:2]:
            thread.join()  # the busy sessions were ended by the target alone
        responder.stop.set()
        threads[2].join()
        assert responder.counted > 20
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(responder.way_in)


@pytest.mark.django_db(transaction=True)
def test_look_back_looks_at_every_request() -> None:
    world = make_world()
    looking_back.write(world, 40)
    found = looked_back(world.system, looking_back.STRICTER, now=now())
    assert (found.total, found.touched) == (40, 32)
