"""The demo's past gives exactly what the scenarios of the catalogue expect, and its facts are those of the fixtures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from audit.controls.loading import FOLDER
from portal.demo.seeding import QUARTER_OVER, told_later
from tests.audit.controls import fixture_rows
from tests.evidence import matching
from tests.evidence.belonging import Belonging
from tests.evidence.conftest import LATER, Played

pytestmark = pytest.mark.django_db  # the fixture plays in the test database
# Every test that is fed by now. T-06 waits for a ticket system and is held apart; T-01 and T-49 rest on listings of every day, which the
# demo's past does without: of T-35 what was listed counts.
EXACT = (
    "T-02", "T-03", "T-05", "T-07", "T-08", "T-09", "T-10", "T-11", "T-12", "T-13", "T-14", "T-15", "T-16", "T-18", "T-19", "T-20",
    "T-21", "T-22", "T-23", "T-24", "T-25", "T-27", "T-29", "T-31", "T-32", "T-34", "T-35", "T-36", "T-37", "T-38", "T-39", "T-40",
    "T-43", "T-45", "T-48", "T-50",
)  # fmt: skip
UNREMARKABLE = {"pass", "open", "not_applicable"}
SCENARIOS: dict[str, dict[str, Any]] = {
    each["id"]: each for each in yaml.safe_load((FOLDER / "scenarios.yaml").read_text(encoding="utf-8"))["scenarios"]
}
Found = dict[str, set[str]]  # result -> tests


@pytest.fixture(scope="module")
def belonging(played: Played) -> Belonging:
    return Belonging(played)


@pytest.fixture(scope="module")
def remarkable(played: Played, belonging: Belonging) -> dict[str, Found]:
    """By scenario, the results of all rows that did not go by the rules."""
    found: dict[str, Found] = {}
    for test in EXACT:
        for row in played.results[test].rows:
            if row.result not in UNREMARKABLE and (test, row.stand_in) != ("T-35", True):  # no listing of every day
                mine = found.setdefault(belonging.scenario(test, row.id), {})
                mine.setdefault(row.result, set()).add(test)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_gives_exactly_what_is_expected(
    played: Played, belonging: Belonging, remarkable: dict[str, Found], scenario: str
) -> None:
    expect = SCENARIOS[scenario]["expect"]
    told = {result: set(tests) & set(EXACT) for result, tests in expect.items() if result != "holds"}
    assert remarkable.get(scenario, {}) == told
    for test in expect.get("holds", ()):
        rows = [row.result for row in played.results[test].rows if belonging.scenario(test, row.id) == scenario]
        assert set(rows) == {"pass"}, test


def test_nothing_else_went_against_the_rules(remarkable: dict[str, Found]) -> None:
    assert set(remarkable) == {"BG-07", "BG-08", "BG-09", "BG-10", "BG-11"}


def test_tests_were_decided_on_rows_of_their_own(played: Played) -> None:
    counts = {test: played.results[test].population_count for test in EXACT}
    assert all(counts.values()), counts
    assert counts["T-02"] == 9 + 12, "each approved use and each drill that worked; the bypasses asked nobody"
    assert counts["T-45"] == 5
    assert counts["T-19"] == 2
    assert counts["T-34"] == 12, "one drill that worked for each system"
    assert counts["T-20"] == 12 * 2 + 1 + 3, (
        "two lists of each system, the roles for all of them, and sealed accounts each month"
    )
    assert counts["T-22"] == (12 + 1) + (12 * 6 + 1 + 1 - 1) + 3 + 3, (
        "one right of each system and two on one; six roles on each, one more on two and one less on one; three roles for all of them, and "
        "the sealed account each month"
    )


def test_incident_that_nobody_named_is_a_deviation_and_others_wait_for_a_ticket_system(
    played: Played, belonging: Belonging
) -> None:
    found = sorted((belonging.scenario("T-06", row.id), row.result) for row in played.results["T-06"].rows)
    uses = sorted(use for use in played.grants if not use.startswith("BG-12"))
    assert found == [(use, "deviation" if use == "BG-10" else "inconclusive") for use in uses]


def test_secret_that_was_shown_is_an_activity_of_its_holder(played: Played) -> None:
    accounts = {row["id"] for row in played.rows("accounts")}
    told = [row for row in played.rows("activities") if row["account_id"] in accounts]
    assert {(row["account_shared"], row["person_id"]) for row in told} == {(1, played.people["ben"])}
    assert sorted(str(row["class"]) for row in told) == ["config_change", "session", "session", "session"]


def test_failed_drill_stays_on_record_beside_the_one_that_repeated_it(played: Played) -> None:
    first = next(each for each in played.rows("requests") if each["id"] == played.requests["BG-12-aws-first"])
    again = next(each for each in played.rows("requests") if each["id"] == played.requests["BG-12-aws"])
    assert (first["status"], again["status"]) == ("failed", "closed")


def test_facts_are_those_of_the_fixtures(played: Played) -> None:
    wrong = [
        f"{table} {key}: {name} is {matching.value_of(table, name, found)!r} and not {value!r}"
        for table, key, wanted, found in matching.pairs(played)
        for name, value in wanted.items()
        if not matching.may_differ(key, table, name)
        and matching.differs(table, name, value, matching.value_of(table, name, found))
    ]
    assert wrong == [], "\n".join(wrong)


def test_each_column_that_may_differ_does(played: Played) -> None:
    needed = {
        (key, table, name)
        for table, key, wanted, found in matching.pairs(played)
        for name, value in wanted.items()
        if matching.differs(table, name, value, matching.value_of(table, name, found))
    }
    assert set(matching.DIFFERENT) - {(table, name) for _, table, name in needed} == set()
    assert {
        (start, table, name)
        for start, table, name in matching.OF_ONE
        if not any(key.startswith(start) and (table, name) == (other, column) for key, other, column in needed)
    } == set()


def test_each_row_of_the_uses_has_its_counterpart(played: Played) -> None:
    told = {
        table
        for table, rows in fixture_rows.base()["rows"].items()
        if any(matching.use_of(played, key) for key in rows) and table not in matching.NOT_TOLD
    }
    assert told - set(matching.MATCHES) == set()
    for table, more in matching.MORE.items():
        rows = fixture_rows.base()["rows"][table]
        mine = sum(bool(matching.use_of(played, key)) for key, row in rows.items() if row.get("kind") != "item")
        lines = [each for each in played.rows(table) if each.get("kind") != "item"]
        assert len(lines) == mine + more, table


def test_what_is_told_apart_from_the_fixtures(played: Played) -> None:
    request = next(each for each in played.rows("requests") if each["id"] == played.requests["BG-10"])
    assert request["reason_length"] == 11
    assert {each["snapshot_sha256"] == each["recomputed_sha256"] for each in played.rows("campaigns")} == {True}
    findings = played.rows("findings")
    assert {(each["owner_id"], each["cause_given"], each["response_given"]) for each in findings} == {
        (played.people["mo"], 1, 1)
    }


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


def test_next_attestations_are_owed_after_the_present(played: Played) -> None:
    present = int((QUARTER_OVER + LATER).timestamp() * 1000)
    open_ones = [each for each in played.rows("duties") if each["kind"] == "campaign" and not each["done_at"]]
    assert [int(str(each["due_at"])) > present for each in open_ones] == [True] * (12 * 2 + 1 + 1)
