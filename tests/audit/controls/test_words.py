"""Results in the catalogue's words."""

import sqlite3
from collections.abc import Iterator

import pytest

from audit.controls.loading import load_catalogue
from audit.controls.model import TestResult
from audit.controls.runner import CUT_SAYS, run_catalogue, run_test
from audit.controls.words import utc
from tests.audit.controls.fixture_rows import base_database, patched

CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    made = base_database()
    yield made
    made.close()


def _run(db: sqlite3.Connection, name: str) -> TestResult:
    return run_test(db, CATALOGUE, CATALOGUE.tests[name])


def test_exception_names_counts_and_parameters(db: sqlite3.Connection) -> None:
    assert _run(db, "T-05").exceptions == (
        "1 of 28 requests have a reason under 40 characters or copied within 30 days,"
        " or lack a category or intended actions"
    )


def test_exception_names_what_deviating_rows_show(db: sqlite3.Connection) -> None:
    assert _run(db, "T-10").exceptions == "1 of 34 emergency actions on warehouse lie outside any open window"


def test_exception_shows_times_as_people_read_them(db: sqlite3.Connection) -> None:
    assert _run(db, "T-29").exceptions == (
        "1 of 28 windows have a gap; what S-payroll saw from 2026-08-21 13:40 UTC to 2026-08-21 15:30 UTC"
        " cannot be shown to be complete"
    )


def test_exception_lists_five_values_and_counts_the_rest(db: sqlite3.Connection) -> None:
    with patched(db, {"set": {"activities": {"*": {"at": "2026-07-01 00:00"}}}}):
        words = _run(db, "T-10").exceptions
    assert words == (
        "34 of 34 emergency actions on billing, sso, aws, k8s, patient and 7 more lie outside any open window"
    )


def test_exception_says_where_a_policy_is_stricter(db: sqlite3.Connection) -> None:
    late = {"set": {"removals": {"BG-01": {"confirmed_at": "2026-07-03 03:10"}}}}
    stricter = {"set": {**late["set"], "policies": {"P-billing": {"figures": {"removal_grace_minutes": 2}}}}}
    with patched(db, late):
        plain = _run(db, "T-09").exceptions
    with patched(db, stricter):
        assert _run(db, "T-09").exceptions == plain.replace("5 minutes", "5 (stricter where a policy says so) minutes")


def test_exception_is_empty_where_nothing_failed(db: sqlite3.Connection) -> None:
    assert _run(db, "T-02").exceptions == ""


def test_open_and_inconclusive_results_say_why(db: sqlite3.Connection) -> None:
    with patched(db, {"set": {"feeds": {"F-personnel": {"answered": 0}}}}):
        assert _run(db, "T-03").says == ("no personnel feed",)


def test_stand_ins_say_why_and_are_not_counted_as_tested(db: sqlite3.Connection) -> None:
    result = _run(db, "T-10")
    assert result.says == (
        "what a source saw in the window is not shown to be complete; actions that were found stay deviations",
    )
    assert (result.population_count, result.counts) == (34, {"deviation": 1, "inconclusive": 1, "pass": 33})


CUT = {"minimum_index": 256, "said_index": 900, "said_at": 0, "from_at": 0, "keep_until": 0}


@pytest.mark.parametrize("last", [0, -1])
def test_what_is_left_of_a_period_behind_a_cut_is_never_all_of_it(db: sqlite3.Connection, last: int) -> None:
    """The last entry that is gone was written at the beginning of the period, or a millisecond before it."""
    start = db.execute("SELECT start_at FROM period").fetchone()[0]
    before = {each.id: each.result for each in run_catalogue(db, CATALOGUE)}
    with patched(db, {"cuts": [CUT | {"to_at": start + last, "keep_until": start + last}]}):
        after = {each.id: each for each in run_catalogue(db, CATALOGUE)}
    changed = {name for name, each in after.items() if each.counts.get("inconclusive") and CUT_SAYS in each.says}
    assert changed == (set() if last else before.keys() - {"T-33"})
    undecided = {"pass", "open", "not_applicable"}
    assert {name: each.result for name, each in after.items()} == {
        name: "inconclusive" if name in changed and was in undecided else was for name, was in before.items()
    }
    assert not last or before == {name: each.result for name, each in after.items()}


def test_personal_values_of_entries_that_are_gone_were_due_after_them(db: sqlite3.Connection) -> None:
    start = db.execute("SELECT start_at FROM period").fetchone()[0]
    with patched(db, {"cuts": [CUT | {"to_at": start - 1, "keep_until": start}]}):
        assert [each.id for each in run_catalogue(db, CATALOGUE) if CUT_SAYS in each.says] == ["T-47"]


def test_indicator_gives_a_signal_and_no_deviation(db: sqlite3.Connection) -> None:
    result = _run(db, "T-36")
    assert (result.result, result.counts["signal"]) == ("signal", 1)


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(0, "1970-01-01 00:00 UTC"), (1_790_000_001_000, "2026-09-21 14:13:21 UTC")]
)
def test_time_is_read_in_utc(milliseconds: int, words: str) -> None:
    assert utc(milliseconds) == words
