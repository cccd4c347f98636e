"""The facts as a file, and the SQL as printed: any SQLite gives the same rows, without a line of ours."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.controls.loading import load_catalogue
from audit.controls.model import TestResult
from audit.controls.runner import run_catalogue
from audit.facts.schema import write_file
from tests.audit.controls.fixture_rows import base_database

SHELL = shutil.which("sqlite3")
BARE = """
import json, sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
asked = json.load(sys.stdin)
print(json.dumps({name: [[row[0], row[-1]] for row in db.execute(sql)] for name, sql in asked.items()}))
assert not any(name.split(".")[0] in ("audit", "portal", "django", "yaml") for name in sys.modules)
"""
Rows = dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    made = base_database()
    yield made
    made.close()


@pytest.fixture(scope="module")
def results(db: sqlite3.Connection) -> list[TestResult]:
    return list(run_catalogue(db, load_catalogue()))


@pytest.fixture(scope="module")
def attached(db: sqlite3.Connection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attached") / "facts.sqlite"
    write_file(db, path)
    return path


@pytest.fixture(scope="module")
def expected(results: list[TestResult]) -> Rows:
    return {result.id: [[row.id, row.result] for row in result.rows] for result in results}


def test_bare_python_gives_the_same_rows(attached: Path, results: list[TestResult], expected: Rows) -> None:
    asked = json.dumps({result.id: result.sql for result in results})
    ran = subprocess.run(
        [sys.executable, "-I", "-c", BARE, str(attached)], input=asked, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == expected


@pytest.mark.skipif(SHELL is None, reason="the sqlite3 command is not installed")
def test_sqlite_shell_gives_the_same_rows(attached: Path, results: list[TestResult], expected: Rows) -> None:
    found = {result.id: _by_shell(attached, result.sql) for result in results}
    assert found == expected


def _by_shell(path: Path, sql: str) -> list[list[str]]:
    ran = subprocess.run(
        [str(SHELL), "-readonly", "-json", str(path)], input=f"{sql};\n", capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return [[row["id"], row["result"]] for row in json.loads(ran.stdout or "[]")]


def test_file_has_the_same_bytes_when_made_again(attached: Path, tmp_path: Path) -> None:
    again = base_database()
    write_file(again, tmp_path / "facts.sqlite")
    again.close()
    assert (tmp_path / "facts.sqlite").read_bytes() == attached.read_bytes()


def test_file_is_never_written_over(attached: Path, db: sqlite3.Connection) -> None:
    with pytest.raises(FileExistsError, match="lies there already"):
        write_file(db, attached)
