"""The catalogue's fixtures: every scenario and every fault comes out exactly as it says."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from audit.controls.loading import FOLDER, load_catalogue
from audit.controls.model import TestResult
from audit.controls.runner import run_catalogue, run_test
from tests.audit.controls.fixture_rows import base, base_database, faults, milliseconds, patched, period

UNREMARKABLE = {"pass", "open", "not_applicable"}
SCENARIOS = yaml.safe_load((FOLDER / "scenarios.yaml").read_text(encoding="utf-8"))["scenarios"]


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    made = base_database()
    yield made
    made.close()


@pytest.fixture(scope="module")
def results(db: sqlite3.Connection) -> Mapping[str, TestResult]:
    return {result.id: result for result in run_catalogue(db, load_catalogue())}


def _by_row(result: TestResult) -> dict[str, str]:
    return {row.id: row.result for row in result.rows}


def _scenario_of(row: str) -> str:
    return "-".join(row.split("-")[:2]) if row.startswith("BG-") else row


def test_base_gives_no_stopped_test(results: Mapping[str, TestResult]) -> None:
    assert [result.stopped for result in results.values() if result.stopped] == []
    assert len(results) == 47


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each["id"] for each in SCENARIOS])
def test_scenario_gives_exactly_what_it_expects(scenario: Mapping[str, Any], results: Mapping[str, TestResult]) -> None:
    found: dict[str, set[str]] = {}
    for result in results.values():
        for row in result.rows:
            if _scenario_of(row.id) == scenario["id"] and row.result not in UNREMARKABLE:
                found.setdefault(row.result, set()).add(result.id)
    assert found == {name: set(tests) for name, tests in scenario["expect"].items() if name != "holds"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each["id"] for each in SCENARIOS])
def test_scenario_holds_what_it_shows(scenario: Mapping[str, Any], results: Mapping[str, TestResult]) -> None:
    for name in scenario["expect"].get("holds", ()):
        rows = [row for row in results[name].rows if _scenario_of(row.id) == scenario["id"]]
        assert rows or name == "T-37", name
        assert {row.result for row in rows} <= {"pass"}, name


def test_rows_outside_the_scenarios_pass(results: Mapping[str, TestResult]) -> None:
    odd = {
        (result.id, row.id, row.result)
        for result in results.values()
        for row in result.rows
        if not row.id.startswith("BG-") and row.result not in UNREMARKABLE
    }
    assert odd == set()


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: f"{fault['test']}: {fault['change']}")
def test_fault_gives_exactly_its_result(
    fault: Mapping[str, Any], db: sqlite3.Connection, results: Mapping[str, TestResult]
) -> None:
    catalogue = load_catalogue()
    with patched(db, fault["patch"]):
        after = run_test(db, catalogue, catalogue.tests[fault["test"]])
    if fault["row"] == "none":
        assert (after.population_count, after.result) == (0, fault["expect"])
        return
    before = _still_there(_by_row(results[fault["test"]]), fault)
    assert _by_row(after) == {**before, **dict.fromkeys(_named(fault["row"], before), fault["expect"])}


def _still_there(before: Mapping[str, str], fault: Mapping[str, Any]) -> dict[str, str]:
    """What was judged before, less the rows that the patch itself deletes or moves out of the period."""
    population = load_catalogue().tests[fault["test"]].population
    gone = set(fault["patch"].get("delete", {}).get(population.of, ()))
    times = {each.rpartition(".")[2] for each in population.at}
    within = period(fault["patch"].get("period"))
    for name, columns in fault["patch"].get("set", {}).get(population.of, {}).items():
        moved = {**base()["rows"][population.of].get(name, {}), **columns}
        given = [milliseconds(moved[each]) for each in times if moved.get(each) is not None]
        if times & columns.keys() and not any(within.start_at <= each < within.end_at for each in given):
            gone.add(name)
    return {name: result for name, result in before.items() if name not in gone and "*" not in gone}


def _named(row: str | list[str], before: Mapping[str, str]) -> list[str]:
    if row == "every":
        return [name for name, result in before.items() if result == "pass"]
    return [row] if isinstance(row, str) else row
