"""The demo's past uses give exactly what their scenarios expect, and their facts are those of the fixtures."""

import pytest
import yaml

from audit.completeness.windows import window_id
from audit.controls.loading import FOLDER, load_catalogue
from tests.audit.controls import fixture_rows
from tests.evidence import matching
from tests.evidence.conftest import Played

pytestmark = pytest.mark.django_db  # the fixture plays in the test database
EXACT = {
    "T-02",
    "T-05",
    "T-07",
    "T-08",
    "T-09",
    "T-10",
    "T-11",
    "T-12",
    "T-15",
    "T-19",
    "T-20",
    "T-22",
    "T-27",
    "T-29",
    "T-37",
    "T-45",
    "T-48",
}
UNREMARKABLE = {"pass", "open", "not_applicable"}
USES = ("BG-01", "BG-02", "BG-06", "BG-08", "BG-10", "EARLIER-1", "EARLIER-2", "EARLIER-3")
EXPECT = {
    each["id"]: each["expect"]
    for each in yaml.safe_load((FOLDER / "scenarios.yaml").read_text(encoding="utf-8"))["scenarios"]
}


def use_of(played: Played, test: str, row: str) -> str:
    """The use that a judged row belongs to; nothing for what stands around the uses."""
    table = load_catalogue().tests[test].population.of
    key = next(iter(played.rows(table)[0]))
    columns = next((each for each in played.rows(table) if each[key] == row), {})
    by_request = {request: use for use, request in played.requests.items()}
    by_grant = {grant: use for use, grant in played.grants.items()}
    windows = {
        window_id(system, "grant", grant): use
        for system in played.systems.values()
        for use, grant in played.grants.items()
    }
    reviews = {str(each["id"]): by_grant[str(each["grant_id"])] for each in played.rows("reviews")}
    asked = str(columns.get("request_id", ""))
    return (
        by_request.get(row) or by_grant.get(row) or by_request.get(asked) or by_grant.get(str(columns.get("grant_id", "")))
        or windows.get(row) or reviews.get(row) or ""
    )  # fmt: skip


def remarkable(played: Played, tests: set[str]) -> dict[str, dict[str, set[str]]]:
    """Use -> result -> tests, for all rows that did not go by the rules."""
    found: dict[str, dict[str, set[str]]] = {}
    for test in sorted(tests):
        for row in played.results[test].rows:
            if row.result not in UNREMARKABLE:
                found.setdefault(use_of(played, test, row.id), {}).setdefault(row.result, set()).add(test)
    return found


def expected() -> dict[str, dict[str, set[str]]]:
    """As `remarkable`, by the catalogue's scenarios."""
    found = {}
    for use in USES:
        told = {result: set(tests) & EXACT for result, tests in EXPECT.get(use, {}).items() if result != "holds"}
        if any(told.values()):
            found[use] = {result: tests for result, tests in told.items() if tests}
    return found


def test_uses_give_exactly_what_their_scenarios_expect(played: Played) -> None:
    assert remarkable(played, EXACT) == expected()
    assert set(expected()) == {"BG-08", "BG-10"}


def test_tests_were_decided_on_rows_of_their_own(played: Played) -> None:
    counts = {test: played.results[test].population_count for test in sorted(EXACT)}
    assert all(counts.values()), counts
    assert counts["T-02"] == 6
    assert counts["T-45"] == 2
    assert counts["T-19"] == 1
    assert counts["T-20"] == 5 * 2 + 1, "two lists of each system, and the roles for all of them"
    assert counts["T-22"] == 4 * (1 + 6) + (1 + 7) + 3, (
        "one eligibility and six roles on each system, a custodian on one, three roles for all"
    )


@pytest.mark.parametrize("use", USES)
def test_scenario_holds_what_it_shows(played: Played, use: str) -> None:
    for test in EXPECT.get(use, {}).get("holds", ()):
        rows = [row.result for row in played.results[test].rows if use_of(played, test, row.id) == use]
        assert set(rows) == {"pass"}, test


def test_register_and_target_agree(played: Played) -> None:
    rows = [row for row in played.results["T-35"].rows if row.shows["account"] == _sealed(played)]
    assert {row.result for row in rows} == {"pass"}
    told = played.rows("account_matches")
    assert {(row["system_id"], row["in_register"], row["in_target"]) for row in told} == {(played.systems["sso"], 1, 1)}


def test_secret_that_was_shown_is_an_activity_of_its_holder(played: Played) -> None:
    told = [row for row in played.rows("activities") if row["account_id"] == _sealed(played)]
    assert {(row["account_shared"], row["person_id"]) for row in told} == {(1, played.people["ben"])}
    assert sorted(str(row["class"]) for row in told) == ["config_change", "session"]


def _sealed(played: Played) -> object:
    return next(row["id"] for row in played.rows("accounts"))


def test_use_without_an_incident_and_like_routine_is_seen(played: Played) -> None:
    assert {row.result for row in played.results["T-06"].rows if use_of(played, "T-06", row.id) == "BG-10"} == {
        "deviation"
    }
    assert [row.shows["person"] for row in played.results["T-36"].rows if row.result == "signal"] == [
        played.people["emil"]
    ]


def test_facts_are_those_of_the_fixtures(played: Played) -> None:
    wrong = [
        f"{table} {wanted[next(iter(wanted))]}: {name} is {matching.value_of(table, name, found)!r} and not {value!r}"
        for table, wanted, found in matching.pairs(played)
        for name, value in wanted.items()
        if (table, name) not in matching.DIFFERENT
        and matching.differs(table, name, value, matching.value_of(table, name, found))
    ]
    assert wrong == [], "\n".join(wrong)


def test_each_column_that_may_differ_does(played: Played) -> None:
    needed = {
        (table, name)
        for table, wanted, found in matching.pairs(played)
        for name, value in wanted.items()
        if matching.differs(table, name, value, matching.value_of(table, name, found))
    }
    assert set(matching.DIFFERENT) - needed == set()


def test_each_row_of_the_uses_has_its_counterpart(played: Played) -> None:
    told = {
        table
        for table, rows in fixture_rows.base()["rows"].items()
        if any(matching.use_of(played, key) for key in rows) and table not in matching.NOT_TOLD
    }
    assert told == told & set(matching.MATCHES)
    for table in ("requests", "approvals", "refusals", "grants", "removals", "activities", "reviews", "judgements"):
        rows = fixture_rows.base()["rows"][table]
        mine = sum(bool(matching.use_of(played, key)) for key in rows)
        lines = [each for each in played.rows(table) if each.get("kind") != "item"]
        assert len(lines) == mine, table


def test_what_is_told_apart_from_the_fixtures(played: Played) -> None:
    request = next(each for each in played.rows("requests") if each["id"] == played.requests["BG-10"])
    assert request["reason_length"] == 11
    assert {each["snapshot_sha256"] == each["recomputed_sha256"] for each in played.rows("campaigns")} == {True}
    findings = played.rows("findings")
    assert {(each["owner_id"], each["cause_given"], each["response_given"]) for each in findings} == {
        (played.people["mo"], 1, 1)
    }
    assert len(findings) == 3
