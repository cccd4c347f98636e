"""What may change the logging is found however it is written; what cannot is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.postgresql.muting import logging_changes, outlives_an_error
from audit.sources.postgresql.settings import UNSEEN, Setting, shown

NONE = Setting("log_statement", "none")
CHANGES = [
    ("SET log_statement = 'none'", [NONE]),
    ("SET \"log_statement\" TO none", [NONE]),
    ("RESET log_statement", [Setting("log_statement", None)]),
    ("ALTER ROLE bg_7 SET log_statement = 'none'", [NONE]),
    ("SELECT set_config('log_statement', 'none', false)", [NONE]),
    ("SELECT pg_catalog.set_config('LOG_statement'::text, $1, false)", [Setting("log_statement", "?")]),
    ("SELECT set_config('search_path', '', false), set_config('log_statement', 'none', false)", [NONE]),
    ("ALTER TABLE t ALTER c TYPE text USING set_config('log_statement', 'none', false)", [NONE]),
    # a name that the text does not show
    ("SELECT set_config(name, 'none', false) FROM settings", [UNSEEN]),
    ("SELECT set_config('log_' || 'statement', 'none', false)", [UNSEEN]),
    ("SELECT set_config('log_'\n'statement', 'none', false)", [UNSEEN]),
    ("SELECT set_config($1, $2, false)", [UNSEEN]),
    ("SELECT set_config(new_value => 'none', setting_name => 'log_statement', is_local => false)", [UNSEEN]),
    ("SELECT set_config(E'log\\x5fstatement', 'none', false)", [UNSEEN]),
    ("SELECT set_config(U&'log!005fstatement' UESCAPE '!', 'none', false)", [UNSEEN]),
    ("SELECT U&\"set\\005fconfig\"('log_statement', 'none', false)", [UNSEEN]),
    ("SET U&\"log\\005fstatement\" = none", [UNSEEN]),
    ("PREPARE q AS SELECT set_config($1, $2, false)", [UNSEEN]),
    ("UPDATE pg_settings SET setting = 'none' WHERE name ~ '^log.state'", [UNSEEN]),
    ("UPDATE ONLY pg_catalog.pg_settings SET setting = 'none'", [UNSEEN]),
    ('"set_config" (OID 2078)', [UNSEEN]),  # a call without SQL never shows its arguments
    ("SELECT 'a\\'b'; SET log_statement = 'none'", [UNSEEN]),  # where the string ends hangs on a setting
    # inside bodies
    ("DO $$ BEGIN PERFORM set_config('log_' || 'statement', 'none', false); END $$", [UNSEEN]),
    ("DO $$ BEGIN PERFORM set_config('log_statement', 'none', false); END $$", [NONE]),
    ("DO $$ BEGIN IF true THEN SET LOCAL log_statement TO none; END IF; END $$", [NONE]),
    ("DO LANGUAGE plpgsql 'BEGIN SET log_statement = ''none''; END'", [NONE]),
    ("DO $$ BEGIN EXECUTE 'SET log_statement = none'; END $$", [NONE]),
    ("DO $$ BEGIN EXECUTE 'SET log_' || 'statement = none'; END $$", [UNSEEN]),
    ("DO $$ BEGIN EXECUTE format('SET %I = %L', n, v); END $$", [UNSEEN]),
    ("DO $$ BEGIN UPDATE pg_settings SET setting = 'none'; END $$", [UNSEEN]),
    ("DO $$ not closed ' SET log_statement = none $$", [UNSEEN]),
    ("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT set_config($1, $2, false) $$", [UNSEEN]),
    ("CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN SET log_statement = none; END $$", [NONE]),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SET log_statement = 'none' AS 'SELECT 1'", [NONE]),
    ("CREATE FUNCTION f() RETURNS text RETURN set_config('log_statement', 'none', false)", [NONE]),
]  # fmt: skip
ORDINARY = [
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SELECT set_config('request.user', $1, true)",
    "SET search_path = shop",
    "SET LOCAL ROLE billing_admin",
    "RESET ALL",
    "UPDATE log SET setting = 'none'",
    "SELECT name, setting FROM pg_settings WHERE name LIKE 'log%'",
    "SHOW log_statement",
    "DO $$ BEGIN UPDATE log SET amount = 0; RAISE LOG 'set it'; END $$",
    "DO $$ BEGIN PERFORM set_config('search_path', 'shop', true); SET LOCAL work_mem = '1GB'; END $$",
    "DO $$ BEGIN EXECUTE format('ALTER TABLE %I SET (fillfactor = 70)', t); EXECUTE 'SET search_path = ' || s; END $$",
    "DO $$ BEGIN EXECUTE 'UPDATE log SET ' || c || ' = 0'; END $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = shop AS 'SELECT count(*) FROM log'",
    "INSERT INTO log VALUES ('SET log_statement = none')",
    "SELECT 'it\\'s in the log'",
    "EXECUTE q(1)",
]


@pytest.mark.parametrize(("text", "changes"), CHANGES, ids=[row[0][:60] for row in CHANGES])
def test_change_is_found_however_it_is_written(text: str, changes: list[Setting]) -> None:
    assert logging_changes(text) == changes


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_work_changes_nothing_of_the_logging(text: str) -> None:
    assert logging_changes(text) == []


@given(
    st.text()
    | st.lists(
        st.sampled_from(
            ["SET", "log_statement", "=", "'", "$$", "DO", "set_config", "(", ")", "EXECUTE", ";", "UPDATE"]
        )
    ).map(" ".join)
)
def test_any_text_is_looked_at(text: str) -> None:
    logging_changes(text)
    outlives_an_error(text)


@pytest.mark.parametrize("piece", ["LOOP SET ", "set_config(", "EXECUTE 'SET x' ", "UPDATE set ", "SET log_x "])
def test_long_text_is_looked_at_once(piece: str) -> None:
    """Twenty times the text takes far less than four hundred times as long."""
    assert _seconds(piece * 20_000) < 200 * max(_seconds(piece * 1_000), 0.001)


def _seconds(text: str) -> float:
    def once() -> float:
        start = time.thread_time()
        logging_changes(f"DO $b$ {text} $b$")
        return time.thread_time() - start

    return min(once() for _ in range(3))


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        (NONE, NONE),
        (Setting("log_statement", None), Setting("log_statement", None)),
        (Setting("log_statement", "Erika Mustermann"), Setting("log_statement", "?")),
        (Setting("log_destination", "jsonlog, stderr"), Setting("log_destination", "jsonlog, stderr")),
        (Setting("log_destination", "jsonlog,hunter2"), Setting("log_destination", "?")),
        (Setting("log_rotation_size", "10MB"), Setting("log_rotation_size", "10MB")),
        (Setting("log_rotation_size", "0049301234567"), Setting("log_rotation_size", "?")),
        (Setting("log_filename", "erika.log"), Setting("log_filename", "?")),
        (Setting("lc_messages", "C"), Setting("lc_messages", "C")),
        (Setting("pgaudit.log", "all, -misc"), Setting("pgaudit.log", "all, -misc")),
        (Setting("pgaudit.role", "Erika Mustermann, password hunter2"), Setting("pgaudit.role", "?")),
        (Setting("pgaudit.erika mustermann", "on"), Setting("pgaudit.?", "?")),
        (UNSEEN, UNSEEN),
    ],
)  # fmt: skip
def test_only_known_values_of_known_settings_are_kept(setting: Setting, kept: Setting) -> None:
    assert shown(setting) == kept
