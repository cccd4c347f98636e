"""Parameters and limits: the stricter of the yardstick and the policies in force, for each request."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from audit.controls.loading import load_catalogue
from audit.facts.given import Period, lay_given
from audit.facts.schema import insert_rows, new_database

PARAMETERS = load_catalogue().parameters


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    made = new_database()
    insert_rows(made, "systems", [{"id": "plain", "criticality": "normal"}, {"id": "vital", "criticality": "critical"}])
    yield made
    made.close()


def _limit(db: sqlite3.Connection, name: str, request: str = "R") -> Any:
    lay_given(db, period=Period(0, 10, 20), parameters=PARAMETERS)
    return db.execute(f"SELECT {name} FROM limits WHERE request_id = ?", (request,)).fetchone()[0]


def _request(db: sqlite3.Connection, **columns: Any) -> None:
    insert_rows(db, "requests", [{"id": "R", "system_id": "plain", "mode": "approved", "requested_at": 100, **columns}])


def _policy(db: sqlite3.Connection, name: str = "P", **columns: Any) -> None:
    insert_rows(db, "policies", [{"id": name, "system_id": "plain", "effective_from": 50} | columns])


def test_limits_hold_each_parameter_that_a_policy_may_tighten(db: sqlite3.Connection) -> None:
    lay_given(db, period=Period(0, 10, 20), parameters=PARAMETERS)
    names = [name for _, name, *_ in db.execute("PRAGMA table_info(limits)")]
    assert names == ["request_id", *(name for name, each in PARAMETERS.items() if each.in_policy)]


@pytest.mark.parametrize(
    ("name", "value"), [("max_grant_minutes", 240), ("review_due_hours", 24), ("min_approvals", 1)]
)
def test_default_takes_the_default_entry_or_the_strictest(db: sqlite3.Connection, name: str, value: int) -> None:
    assert _limit(db, name, "default") == value


@pytest.mark.parametrize(
    ("system", "mode", "minutes", "hours"),
    [
        ("plain", "approved", 240, 72),
        ("plain", "bypass", 240, 24),
        ("plain", "drill", 240, 72),
        ("vital", "approved", 120, 24),
        ("unknown", "approved", 240, 72),
    ],
)
def test_entries_go_by_criticality_and_mode(
    db: sqlite3.Connection, system: str, mode: str, minutes: int, hours: int
) -> None:
    _request(db, system_id=system, mode=mode)
    assert (_limit(db, "max_grant_minutes"), _limit(db, "review_due_hours")) == (minutes, hours)


@pytest.mark.parametrize(
    ("name", "figure", "kept"),
    [
        ("max_grant_minutes", 60, 60),
        ("max_grant_minutes", 600, 240),
        ("max_grant_minutes", {"default": 90, "critical_system": 30}, 90),
        ("review_due_hours", {"approved": 48, "bypass": 1}, 48),
        ("min_approvals", 2, 2),
        ("min_approvals", 0, 1),
        ("allowed_strong_methods", ["totp", "webauthn", "password"], '["webauthn","totp"]'),
        ("max_grant_minutes", "an hour", 240),
    ],
)
def test_policy_makes_a_limit_stricter_never_laxer(db: sqlite3.Connection, name: str, figure: Any, kept: Any) -> None:
    _request(db)
    _policy(db, figures={name: figure})
    assert _limit(db, name) == kept


def test_every_policy_in_force_counts_whichever_the_request_names(db: sqlite3.Connection) -> None:
    _request(db, policy_id="P-lax")
    _policy(db, "P-lax", figures={})
    _policy(db, "P-strict", figures={"max_grant_minutes": 30})
    assert _limit(db, "max_grant_minutes") == 30


@pytest.mark.parametrize("dates", [{"effective_from": 101}, {"effective_to": 100}, {"system_id": "vital"}])
def test_policy_not_in_force_does_not_count(db: sqlite3.Connection, dates: dict[str, Any]) -> None:
    _request(db)
    _policy(db, figures={"max_grant_minutes": 30}, **dates)
    assert _limit(db, "max_grant_minutes") == 240


def test_period_parameters_and_rows_left_open_are_laid_beside(db: sqlite3.Connection) -> None:
    lay_given(
        db,
        period=Period(1, 2, 3),
        parameters=PARAMETERS,
        carried_over=[("T-15", "b"), ("T-15", "a"), ("T-15", "b")],
        unreadable=[("grants", "g")],
    )
    assert db.execute("SELECT start_at, end_at, as_of FROM period").fetchall() == [(1, 2, 3)]
    assert db.execute("SELECT minute, day FROM ms").fetchall() == [(60_000, 86_400_000)]
    assert db.execute("SELECT removal_grace_minutes, stamp_keep_rate FROM params").fetchall() == [(5, 0.95)]
    assert db.execute("SELECT * FROM carried_over").fetchall() == [("T-15", "a"), ("T-15", "b")]
    assert db.execute("SELECT * FROM unreadable").fetchall() == [("grants", "g")]
