"""No clause, rule or single condition can be made always true or always false without a fixture that shows it."""

import sqlite3
from collections.abc import Iterator

import pytest

from audit.controls.guard import Stopped
from audit.controls.loading import load_catalogue
from audit.controls.model import ControlTest
from audit.controls.runner import run_test
from tests.audit.controls.fixture_rows import base_database, faults, patched
from tests.audit.controls.mutants import conditions, mutants

CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    made = base_database()
    yield made
    made.close()


def _outcome(db: sqlite3.Connection, test: ControlTest) -> object:
    """What a reader of the result sees; a mutant that the runner refuses is seen as well."""
    try:
        result = run_test(db, CATALOGUE, test)
    except Stopped as stopped:
        return str(stopped)
    return result.result, [(row.id, row.result) for row in result.rows]


@pytest.mark.parametrize("name", CATALOGUE.tests)
def test_mutant_changes_at_least_one_fixture_result(name: str, db: sqlite3.Connection) -> None:
    test = CATALOGUE.tests[name]
    alive = list(mutants(test))
    assert len(alive) >= 2 * len(test.must)
    for patch in [{}, *(fault["patch"] for fault in faults() if fault["test"] == name)]:
        with patched(db, patch):
            right = _outcome(db, test)
            alive = [mutant for mutant in alive if _outcome(db, mutant.test) == right]
    assert [(mutant.where, mutant.condition, mutant.value) for mutant in alive] == []


def test_mutants_reach_every_single_condition() -> None:
    sql = (
        "a = 1 and not exists (select 1, 2 from t join u on u.id = t.id where t.x = 1 and (y is null or y > 2))"
        " or coalesce(b = 1 and c, 0)"
    )
    assert [sql[start:end] for start, end in sorted(conditions(sql))] == [
        "a = 1",
        "not exists (select 1, 2 from t join u on u.id = t.id where t.x = 1 and (y is null or y > 2))",
        "u.id = t.id",
        "t.x = 1",
        "(y is null or y > 2)",
        "y is null",
        "y > 2",
        "coalesce(b = 1 and c, 0)",
        "b = 1",
        "c",
    ]


def test_mutants_are_many() -> None:
    assert sum(1 for test in CATALOGUE.tests.values() for _ in mutants(test)) > 900
