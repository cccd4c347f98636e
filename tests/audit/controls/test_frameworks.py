"""Frameworks: what is on by default, and references beside the results of their tests."""

import hashlib
import re

from audit.controls.frameworks import enabled, matrix
from audit.controls.loading import FOLDER, load_catalogue
from audit.controls.runner import run_catalogue
from tests.audit.controls.fixture_rows import base_database

CATALOGUE = load_catalogue()


def test_four_frameworks_are_on_by_default() -> None:
    assert [each.id for each in enabled(CATALOGUE)] == ["gdpr", "iso27001", "nist80053", "soc2"]
    assert [each.id for each in enabled(CATALOGUE, only=["pci"])] == ["pci"]


def test_references_are_as_many_as_the_catalogue_says() -> None:
    assert sum(len(each.references) for each in CATALOGUE.frameworks.values()) == 160


def test_every_reference_names_tests_that_there_are() -> None:
    named = {test for each in CATALOGUE.frameworks.values() for line in each.references for test in line.tests}
    assert named <= CATALOGUE.tests.keys()
    assert named | {"T-49"} == CATALOGUE.tests.keys() | {"T-49"}


def test_every_reference_says_what_is_not_shown() -> None:
    empty = [
        (each.id, line.ref)
        for each in CATALOGUE.frameworks.values()
        for line in each.references
        if not (line.not_shown and line.design and line.subject and line.tests)
    ]
    assert empty == []


def test_full_coverage_is_said_in_six_places_only() -> None:
    full = [each.id for each in CATALOGUE.frameworks.values() for line in each.references if line.coverage == "full"]
    assert sorted(full) == ["asd_ism"] * 3 + ["nist80053"] * 3


def test_matrix_lays_results_beside_each_reference() -> None:
    db = base_database()
    results = list(run_catalogue(db, CATALOGUE))
    db.close()
    lines = {line.reference.ref: line for line in matrix(CATALOGUE.frameworks["soc2"], results)}
    assert len(lines) == len(CATALOGUE.frameworks["soc2"].references)
    assert [(each.id, each.result) for each in lines["CC1.3"].results] == [("T-03", "pass"), ("T-50", "pass")]


def test_matrix_leaves_out_tests_that_were_not_run() -> None:
    lines = list(matrix(CATALOGUE.frameworks["soc2"], []))
    assert {line.results for line in lines} == {()}


def test_catalogue_hash_is_what_sha256sum_prints_hashed_again() -> None:
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(CATALOGUE.files.items()))
    names = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.suffix in (".yaml", ".sql")} | {
        "facts.yaml"
    }
    assert set(CATALOGUE.files) == names
    assert re.fullmatch(r"[0-9a-f]{64}", CATALOGUE.sha256)
    assert CATALOGUE.sha256 == hashlib.sha256(lines.encode()).hexdigest()
