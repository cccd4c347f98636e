"""What a session on a real server tried to hide from its log is told all the same, or the verdict says so."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from audit.completeness.judging import COUNTED_ANEW, MUTED
from tests.targets.connectors.postgresql_target import PostgresTarget
from tests.targets.sources.used import a_target, statements, use

pytestmark = pytest.mark.django_db
NAMES = (b"a\nb", b"x: SELECT 1 --", b"plain")


def _prepared(_: PostgresTarget, session: "psycopg.Connection[Any]") -> None:
    for number, name in enumerate(NAMES):
        session.pgconn.prepare(name, f"UPDATE billing SET amount = {number}".encode())
        assert session.pgconn.exec_prepared(name, []).command_tuples == 5


def test_statement_is_told_whatever_name_it_was_prepared_under(tmp_path: Path) -> None:
    with a_target() as target:
        used = use(target, _prepared)
    found = used.walk(tmp_path)
    assert statements(found) == [
        ("data_change", False, "UPDATE billing SET amount = 0"),
        ("data_change", True, "execute x: SELECT 1 --: UPDATE billing SET amount = 1"),
        ("data_change", False, "UPDATE billing SET amount = 2"),
    ]


def _muted_by_the_owner(target: PostgresTarget, session: "psycopg.Connection[Any]") -> None:
    with target.superuser() as owner:
        owner.execute(f"ALTER ROLE {session.info.user} RESET log_statement")
    with target.login(session.info.user) as second:
        second.execute("UPDATE billing SET amount = 0")


def test_login_that_was_muted_from_outside_is_never_complete(tmp_path: Path) -> None:
    with a_target() as target:
        used = use(target, _muted_by_the_owner)
    assert (used.opened_logged, used.closed.statement_logging) == (True, False)
    assert used.verdict(tmp_path) == ("not covered", [MUTED])


def _counted_anew(target: PostgresTarget, session: "psycopg.Connection[Any]") -> None:
    session.execute("UPDATE billing SET amount = 0")
    with target.superuser() as owner:
        owner.execute("SELECT pg_stat_reset()")


def test_session_that_was_lost_beside_a_new_count_is_never_complete(tmp_path: Path) -> None:
    with a_target() as target:
        used = use(target, _counted_anew)
    entries = [json.loads(line) for line in used.lines]
    gone = {entry["session_id"] for entry in entries if entry.get("user") == used.login}
    kept = tuple(
        line for line, entry in zip(used.lines, entries, strict=True) if entry.get("session_id") not in gone
    )  # fmt: skip
    verdict, reasons = used.verdict(tmp_path, kept)
    assert (verdict, reasons[0].startswith(COUNTED_ANEW)) == ("unknown", True)


def _mutes_itself(_: PostgresTarget, session: "psycopg.Connection[Any]") -> None:
    session.execute("DO $$ BEGIN PERFORM set_config('log_' || 'statement', 'none', false); END $$")
    session.execute("UPDATE billing SET amount = 0")
    session.execute("DO $$ BEGIN PERFORM set_config('log_' || 'statement', 'all', false); END $$")


def test_session_that_may_have_muted_itself_is_never_complete(tmp_path: Path) -> None:
    """The grant is not marked as a superuser's here: what it did says enough."""
    with a_target() as target:
        with target.superuser() as owner:
            owner.execute("CREATE ROLE bg_super NOLOGIN SUPERUSER")
            owner.execute("ALTER ROLE bg_portal SUPERUSER")
        settings = {**target.target.settings, "privileges": ["billing_admin", "bg_super"]}
        target.target = replace(target.target, settings=settings)
        used = use(target, _mutes_itself, "bg_super")
    verdict, reasons = used.verdict(tmp_path)
    assert (verdict, "may have changed what is logged" in reasons[0]) == ("gap", True)
