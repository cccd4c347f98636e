"""Tables made from facts.yaml: types, keys, and what is refused."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from audit.facts.schema import WrongFact, insert_rows, load_schema, new_database


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    made = new_database()
    yield made
    made.close()


def test_every_table_of_facts_is_made_strict(db: sqlite3.Connection) -> None:
    strict = {
        name for name, kind, is_strict in db.execute("SELECT name, type, strict FROM pragma_table_list") if is_strict
    }
    assert strict == set(load_schema().tables)
    assert len(strict) == 47


def test_columns_come_in_the_order_of_the_catalogue(db: sqlite3.Connection) -> None:
    for table in load_schema().tables.values():
        found = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table.name})")]
        assert found == list(table.columns)


def test_every_index_is_made(db: sqlite3.Connection) -> None:
    made = db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchone()[0]
    assert made == len(load_schema().indexes)


def test_rows_are_stored_with_their_types(db: sqlite3.Connection) -> None:
    insert_rows(
        db,
        "policies",
        [{"id": "P", "modes": ["bypass"], "figures": {"b": 1, "a": ["x"]}, "effective_from": 5}],
    )
    row = db.execute("SELECT modes, figures, effective_from, sha256 FROM policies").fetchone()
    assert row == ('["bypass"]', '{"a":["x"],"b":1}', 5, None)
    insert_rows(db, "eligibilities", [{"id": "E", "bypass_share": 1, "uses": 3}])
    assert db.execute("SELECT bypass_share, typeof(bypass_share) FROM eligibilities").fetchone() == (1.0, "real")
    insert_rows(db, "systems", [{"id": "S", "reads_back": True}])
    assert db.execute("SELECT reads_back FROM systems").fetchone() == (1,)


def test_many_rows_are_counted(db: sqlite3.Connection) -> None:
    assert insert_rows(db, "acts", ({"id": f"A-{number}"} for number in range(1201))) == 1201
    assert db.execute("SELECT count(*) FROM acts").fetchone() == (1201,)


@pytest.mark.parametrize(
    ("table", "row", "sentence"),
    [
        ("secrets", {"id": "1"}, "there is no table of facts named secrets"),
        ("acts", {"id": "1", "colour": "red"}, "acts has no column colour"),
        ("acts", {"id": 1}, "acts.id is a text, not 1"),
        ("acts", {"id": "1", "at": "now"}, "acts.at is a time, not 'now'"),
        ("acts", {"id": "1", "at": 1.5}, "acts.at is a time, not 1.5"),
        ("acts", {"id": "1", "at": True}, "acts.at is a time, not True"),
        ("systems", {"id": "1", "reads_back": 2}, "systems.reads_back is a bool, not 2"),
        ("policies", {"id": "1", "modes": "bypass"}, "policies.modes is a list, not 'bypass'"),
        ("policies", {"id": "1", "figures": []}, "policies.figures is a map, not []"),
        ("acts", {}, "acts: NOT NULL constraint failed: acts.id"),
    ],
)
def test_row_that_does_not_fit_is_refused(
    db: sqlite3.Connection, table: str, row: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(WrongFact) as refused:
        insert_rows(db, table, [row])
    assert str(refused.value) == sentence


def test_key_that_is_there_twice_is_refused(db: sqlite3.Connection) -> None:
    with pytest.raises(WrongFact, match="UNIQUE constraint failed"):
        insert_rows(db, "acts", [{"id": "1"}, {"id": "1"}])


def test_lists_are_json_that_sqlite_reads(db: sqlite3.Connection) -> None:
    insert_rows(db, "requests", [{"id": "R", "intended_classes": ["data_read", 'odd "name"']}])
    stored = db.execute("SELECT intended_classes FROM requests").fetchone()[0]
    assert json.loads(stored) == ["data_read", 'odd "name"']
    assert db.execute("SELECT json_array_length(intended_classes) FROM requests").fetchone() == (2,)
