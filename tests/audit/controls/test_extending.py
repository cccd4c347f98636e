"""An operator's own tests and stricter parameters; what is looser or hostile is refused with a sentence."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.controls.guard import Limits, Stopped
from audit.controls.loading import load_catalogue
from audit.controls.model import CatalogueRefused
from audit.controls.reading import read_test
from audit.controls.runner import run_catalogue, run_test
from tests.audit.controls.fixture_rows import base_database

STRONG = ["webauthn", "smartcard", "hardware_otp", "totp", "webauthn_new"]
ENDLESS = "(with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n) > 0"


def _block(**changed: Any) -> dict[str, Any]:
    block: dict[str, Any] = {
        "id": "ORG-01",
        "title": "Grants end before midnight",
        "kind": "gate",
        "severity": "low",
        "population": {"of": "grants", "at": "grants.opened_at", "shows": {"system": "grants.system_id"}},
        "must": {"ended": "grants.ended_at is not null"},
        "parameters": ["removal_grace_minutes"],
        "exception": "{n} of {N} grants on {system} have no end",
    }
    return {**block, **changed}


def _folder(tmp_path: Path, stored: Any) -> tuple[Path, ...]:
    (tmp_path / "own.yaml").write_text(stored if isinstance(stored, str) else yaml.safe_dump(stored))
    return (tmp_path,)


def test_added_test_runs_beside_the_others(tmp_path: Path) -> None:
    extended = load_catalogue(_folder(tmp_path, {"tests": [_block()]}))
    db = base_database()
    results = {result.id: result for result in run_catalogue(db, extended)}
    db.close()
    assert len(results) == len(load_catalogue().tests) + 1
    assert (results["ORG-01"].population_count, results["ORG-01"].result) == (26, "pass")


def test_added_files_change_the_hash(tmp_path: Path) -> None:
    extended = load_catalogue(_folder(tmp_path, {"tests": [_block()]}))
    assert extended.files.keys() - load_catalogue().files.keys() == {"added-1/own.yaml"}
    assert extended.sha256 != load_catalogue().sha256


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("removal_grace_minutes", 2, 2),
        ("min_reason_chars", 80, 80),
        ("max_grant_minutes", 60, {"default": 60, "critical_system": 60}),
        ("max_grant_minutes", {"default": 200}, {"default": 200, "critical_system": 120}),
        ("allowed_strong_methods", ["webauthn"], ["webauthn"]),
        ("bypass_rate_warn", 0.1, 0.1),
    ],
)
def test_stricter_parameter_is_taken(tmp_path: Path, name: str, given: Any, kept: Any) -> None:
    extended = load_catalogue(_folder(tmp_path, {"parameters": {name: given}}))
    assert extended.parameters[name].value == kept
    assert extended.tightened == {name: kept}


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("removal_grace_minutes", 6, "own.yaml: removal_grace_minutes may only become stricter than 5, and 6 is not."),
        ("min_reason_chars", 39, "own.yaml: min_reason_chars may only become stricter than 40, and 39 is not."),
        (
            "max_grant_minutes",
            {"critical_system": 121},
            "own.yaml: max_grant_minutes may only become stricter than 120, and 121 is not.",
        ),
        ("max_grant_minutes", 130, "own.yaml: max_grant_minutes may only become stricter than 120, and 130 is not."),
        ("max_grant_minutes", {"fridays": 1}, "own.yaml: max_grant_minutes has no entry fridays."),
        (
            "removal_grace_minutes",
            "soon",
            "own.yaml: removal_grace_minutes is in minutes, like 5; 'soon' is something else.",
        ),
        (
            "allowed_strong_methods",
            [],
            f"own.yaml: allowed_strong_methods is in list, like {STRONG!r}; [] is something else.",
        ),
        ("patience", 1, "own.yaml sets patience, and there is no such parameter."),
    ],
)
def test_looser_parameter_is_refused(tmp_path: Path, name: str, given: Any, sentence: str) -> None:
    with pytest.raises(CatalogueRefused) as refused:
        load_catalogue(_folder(tmp_path, {"parameters": {name: given}}))
    assert str(refused.value) == sentence


def test_list_of_conflicting_roles_may_only_grow(tmp_path: Path) -> None:
    pairs = load_catalogue().parameters["conflicting_roles"].value
    more = [*pairs, ["auditor", "responder"]]
    extended = load_catalogue(_folder(tmp_path, {"parameters": {"conflicting_roles": more}}))
    assert extended.parameters["conflicting_roles"].value == more
    with pytest.raises(CatalogueRefused, match="may only become stricter"):
        load_catalogue.__wrapped__(_folder(tmp_path, {"parameters": {"conflicting_roles": pairs[1:]}}))


@pytest.mark.parametrize(
    ("clause", "sentence"),
    [
        ("load_extension('evil') is null", "It would call the function load_extension; a test only reads."),
        ("random() > 0", "It would call the function random; a test only reads."),
        ("zeroblob(1000000000) is not null", "It would call the function zeroblob; a test only reads."),
        ("strftime('%s', 'now') > 0", "It would call the function strftime; a test only reads."),
        (
            "exists (select 1 from pragma_table_info('grants'))",
            "It would reach a table that holds no facts; a test only reads.",
        ),
        (ENDLESS, "It would call itself without end; a test only reads."),
        ("grants.colour = 1", "SQLite says: no such column: grants.colour."),
        ("exists (select 1 from secrets)", "SQLite says: no such table: secrets."),
        ("grants.id = ?", None),
        ("(insert into grants values (1))", None),
        ("(delete from grants) = 1", None),
        ("(attach database 'x' as y) = 1", None),
    ],
)
def test_hostile_clause_is_refused(tmp_path: Path, clause: str, sentence: str | None) -> None:
    with pytest.raises(CatalogueRefused, match=r"^ORG-01 is refused\. ") as refused:
        load_catalogue(_folder(tmp_path, {"tests": [_block(must={"sound": clause})]}))
    if sentence:
        assert str(refused.value) == f"ORG-01 is refused. {sentence}"


@pytest.mark.parametrize(
    "clause",
    [
        "1); delete from grants; select (1",
        "1 -- and the rest",
        "1 /* and the rest */",
        "1) from period, grants) select 1 where (1",
        "grants.id = 'open",
        'grants."id" is not null',
        "",
    ],
)
def test_clause_that_leaves_its_parentheses_is_refused(clause: str) -> None:
    with pytest.raises(CatalogueRefused, match=r"^ORG-01 holds SQL "):
        read_test(_block(must={"sound": clause}))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"id": "T-02"}, "T-02 is taken: a test may be added, never put in place of another."),
        ({"id": "T-04"}, "T-04 is taken: a test may be added, never put in place of another."),
        ({"id": "'; drop"}, "A test is named by letters, a dash and two or three digits; '; drop is not."),
        ({"kind": "guess"}, "ORG-01 says guess; it must be one of gate, reconciliation, negative, indicator."),
        ({"parameters": ["patience"]}, "ORG-01 names the parameter patience, which there is not."),
        ({"exception": "{who} did"}, "ORG-01 speaks of {who}, which it neither shows nor lists as a parameter."),
        ({"must": {}}, "ORG-01 has no clause."),
        (
            {"must": {"result": "1"}},
            "ORG-01 names a column result; a name is small letters, and not one that the runner uses.",
        ),
        (
            {"must": {"x; drop": "1"}},
            "ORG-01 names a column x; drop; a name is small letters, and not one that the runner uses.",
        ),
        ({"population": {"of": "secrets", "at": "1"}}, "ORG-01 reads secrets, and there is no such table of facts."),
        ({"population": {"of": "grants"}}, "ORG-01 needs either the time or the span that places a row in the period."),
        ({"surprise": 1}, "ORG-01 holds surprise, which means nothing here."),
        (
            {"inconclusive": [{"if": "1", "says": "so", "turns": "pass", "clauses": ["none"]}]},
            "ORG-01 has no clause none.",
        ),
    ],
)
def test_test_of_another_form_is_refused(tmp_path: Path, changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CatalogueRefused) as refused:
        load_catalogue(_folder(tmp_path, {"tests": [_block(**changed)]}))
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        ("- a list", "own.yaml holds neither tests nor parameters."),
        ("{", "own.yaml is no YAML that can be read."),
        ("views: x", "own.yaml holds views; only tests and parameters may be added."),
        ("tests: [1]", "The test 1 is not of the form that tests.yaml describes"),
        ("parameters: [1]", "own.yaml: parameters are a map of name and value."),
        ("x: " + "y" * 1_000_000, "own.yaml is longer than 1,000,000 bytes."),
    ],
)
def test_file_of_another_form_is_refused(tmp_path: Path, stored: str, sentence: str) -> None:
    with pytest.raises(CatalogueRefused) as refused:
        load_catalogue(_folder(tmp_path, stored))
    assert str(refused.value).startswith(sentence)


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueRefused, match="is no folder that can be read"):
        load_catalogue((tmp_path / "nowhere",))


@pytest.mark.parametrize(
    "population",
    [
        {"of": "grants", "from": "grants cross join roles", "at": "grants.opened_at"},
        {"of": "grants", "from": "grants left join acts on 1 = 1", "at": "grants.opened_at"},
    ],
)
def test_rows_given_twice_stop_the_test_and_leave_the_others(tmp_path: Path, population: dict[str, Any]) -> None:
    block = _block(population=population, exception="{n} of {N}")
    extended = load_catalogue(_folder(tmp_path, {"tests": [block]}))
    db = base_database()
    results = {result.id: result for result in run_catalogue(db, extended, only=["T-02", "ORG-01"])}
    db.close()
    assert results["ORG-01"].result == "inconclusive"
    assert results["ORG-01"].stopped == (
        "ORG-01 was stopped and is not decided. It gives more rows than its population holds: each may be judged once."
    )
    assert results["T-02"].result == "pass"


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(steps=1_000_000), "It took more than 1,000,000 steps."),
        (Limits(seconds=0.05), "It took more than 0.05 seconds."),
    ],
)
def test_costly_test_is_stopped(tmp_path: Path, limits: Limits, sentence: str) -> None:
    costly = "(select count(*) from acts as a cross join acts as b cross join acts as c cross join acts as d) > 0"
    extended = load_catalogue(_folder(tmp_path, {"tests": [_block(must={"dear": costly})]}))
    db = base_database()
    with pytest.raises(Stopped) as stopped:
        run_test(db, extended, extended.tests["ORG-01"], limits=limits)
    assert str(stopped.value) == sentence
    assert db.execute("SELECT count(*) FROM grants").fetchone() == (26,)
    db.close()


def test_clause_that_is_no_yes_or_no_stops_the_test(tmp_path: Path) -> None:
    extended = load_catalogue(_folder(tmp_path, {"tests": [_block(must={"many": "(select count(*) from grants)"})]}))
    db = base_database()
    with pytest.raises(Stopped, match="The clause many gives something else than yes or no"):
        run_test(db, extended, extended.tests["ORG-01"])
    db.close()


def test_connection_may_write_again_afterwards() -> None:
    db = base_database()
    list(run_catalogue(db, load_catalogue(), only=["T-02"]))
    db.execute("DELETE FROM grants")
    assert db.execute("SELECT count(*) FROM grants").fetchone() == (0,)
    db.close()
