"""The recorded log folded: what was done, told once; what was forged, not believed; wherever a reading ends, the same comes out."""

import hashlib
import json
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.postgresql.sessions import Fold, Reader
from audit.sources.records import (
    Activity,
    EpochStarted,
    Found,
    HeartbeatSeen,
    LossFound,
    OutcomeLearned,
    SessionEnded,
    SessionRefused,
    SessionStarted,
    SettingsChanged,
)
from tests.audit.sources.logs import recorded
from tests.audit.sources.test_parse import line

HIDDEN = "[not shown: the statement could not be read]"
DONE = [
    ("data_read", "no_error_seen", "", "SELECT id, name FROM customer ORDER BY id"),
    ("catalogue_read", "no_error_seen", "", "SELECT relname FROM pg_class LIMIT 1"),
    ("data_change", "no_error_seen", "", "INSERT INTO customer VALUES ($1, $2)"),
    ("data_change", "failed", "23505", "INSERT INTO customer VALUES ($1, $2)"),
    ("data_change", "no_error_seen", "", "UPDATE customer SET name = 'Grace' WHERE id = 1"),
    ("data_read", "denied", "42501", "SELECT * FROM payroll"),
    ("other", "failed", "42601", HIDDEN),
    ("catalogue_read", "failed", "42703", "SELECT $1::int + missing"),
    ("session", "no_error_seen", "", "BEGIN"),
    ("catalogue_read", "failed", "22012", "SELECT 1/0"),
    ("session", "no_error_seen", "", "ROLLBACK"),
    ("session", "no_error_seen", "", "SET ROLE NONE"),
    ("session", "no_error_seen", "", "RESET ROLE"),
    ("other", "no_error_seen", "", "DO $$ BEGIN RAISE LOG 'disconnection: session time: 0:00:00.100 user=bg_7 database=shop host=127.0.0.1 port=1'; END $$"),
    ("other", "no_error_seen", "", "DO $$ BEGIN RAISE LOG 'statement: DROP TABLE customer'; END $$"),
    ("session", "no_error_seen", "", "PREPARE q AS SELECT name FROM customer WHERE id = $1"),
    ("data_read", "no_error_seen", "", "EXECUTE q(1)"),
    ("data_change", "no_error_seen", "", "SELECT name FROM customer; DELETE FROM customer"),
    ("permission_change", "denied", "42501", "ALTER ROLE bg_7 PASSWORD '***'"),
    ("config_change", "denied", "42501", "SET log_statement = 'none'"),
    ("catalogue_read", "no_error_seen", "", "SELECT 1"),
]  # fmt: skip


def fold(*readings: Iterable[bytes]) -> list[Found]:
    state = Fold(Reader("bg_portal"))
    return [found for reading in readings for found in state.read(reading)]


def done(found: Iterable[Found]) -> list[tuple[str, str, str, str]]:
    """Activities with their outcomes, also those that were learned later."""
    acts: dict[tuple[str, int], tuple[str, str, str, str]] = {}
    for each in found:
        if isinstance(each, Activity):
            acts[each.session, each.number] = (each.class_, each.outcome, each.state_code, each.statement)
        elif isinstance(each, OutcomeLearned):
            class_, _, _, statement = acts[each.session, each.of_number]
            acts[each.session, each.of_number] = (class_, each.outcome, each.state_code, statement)
    return list(acts.values())


def of_kind(found: Iterable[Found], *kinds: type) -> list[Found]:
    return [each for each in found if isinstance(each, kinds)]


def test_recorded_session_is_told_statement_by_statement() -> None:
    assert done(fold(recorded())) == DONE


def test_values_of_a_prepared_statement_about_a_secret_are_masked() -> None:
    about_secret = [
        each.replace(b"name FROM customer WHERE id = $1", b"1 FROM login WHERE passwd = $1") for each in recorded()
    ]
    statements = [statement for *_, statement in done(fold(about_secret)) if statement.startswith("EXECUTE")]
    assert statements == ["EXECUTE q(?)"]


def test_recorded_log_tells_sessions_beats_and_no_loss() -> None:
    found = fold(recorded())
    counted = [(each.last_number, each.state, each.missing) for each in found if isinstance(each, SessionEnded)]
    assert counted == [(31, "complete", ()), (6, "complete", ())]
    assert [(each.nonce, each.authorized) for each in found if isinstance(each, HeartbeatSeen)] == [
        ("before-01", 3),
        ("after-01", 6),
    ]
    assert [(each.outcome, each.state_code) for each in found if isinstance(each, SessionRefused)] == [
        ("denied", "28P01")
    ]
    assert [each.after for each in found if isinstance(each, EpochStarted)] == ["first"]
    assert of_kind(found, LossFound, SettingsChanged) == []


def test_statement_of_the_portal_and_of_others_is_not_an_activity() -> None:
    state = Fold(Reader("bg_portal"))
    found = state.read(recorded())
    logins = {each.login for each in found if isinstance(each, SessionStarted)}
    assert logins == {"bg_7"}
    assert state.sessions == {}, "nothing is remembered of a server that stopped"


@given(st.lists(st.integers(0, 72), max_size=6))
def test_wherever_a_reading_ends_the_same_is_told(cuts: list[int]) -> None:
    lines = recorded()
    edges = [0, *sorted(cuts), len(lines)]
    readings = [lines[first:last] for first, last in pairwise(edges)]
    found = fold(*readings)
    hidden = [(*act[:3], HIDDEN) if act[2] == "42601" else act for act in done(found)]
    assert hidden == DONE
    other = (SessionStarted, SessionEnded, HeartbeatSeen, SessionRefused, EpochStarted, LossFound)
    assert of_kind(found, *other) == of_kind(fold(lines), *other)
    refused = {(each.session, each.of_number) for each in found if isinstance(each, OutcomeLearned)}
    changes = [each for each in found if isinstance(each, SettingsChanged)]
    assert [each for each in changes if (each.session, each.number) not in refused] == []


def test_error_in_a_later_reading_is_told_of_its_statement() -> None:
    lines = recorded()
    place = next(at for at, raw in enumerate(lines) if b"permission denied for table payroll" in raw)
    learned = of_kind(fold(lines[:place], lines[place:]), OutcomeLearned)
    assert [(each.of_number, each.number, each.outcome) for each in learned if isinstance(each, OutcomeLearned)] == [
        (10, 11, "denied")
    ]


def test_raw_lines_can_be_held_against_their_hash() -> None:
    by_number = {(session_of(raw), number_of(raw)): raw for raw in recorded()}
    for each in fold(recorded()):
        if isinstance(each, Activity):
            raw = by_number[each.session, each.number]
            if each.last_number != each.number:
                raw += b"\n" + by_number[each.session, each.last_number]
            assert hashlib.sha256(bytes.fromhex(each.raw_salt) + raw).hexdigest() == each.raw_sha256


def session_of(raw: bytes) -> str:
    return str(json.loads(raw)["session_id"])


def number_of(raw: bytes) -> int:
    return int(json.loads(raw)["line_num"])


SID = "6b05cb15.2397"
RECEIVED = line(
    line_num=1,
    user=None,
    dbname=None,
    ps="",
    message="connection received: host=127.0.0.1 port=1",
    backend_type="not initialized",
)
AUTHORIZED = line(line_num=2, ps="authentication", message="connection authorized: user=bg_7 database=shop")


def postmaster(number: int, message: str, session: str = "6b05cb10.1", **more: str) -> bytes:
    return line(
        session_id=session, line_num=number, user=None, dbname=None, ps=None, message=message,
        backend_type="postmaster", **more,
    )  # fmt: skip


def test_same_text_that_fails_before_it_runs_is_another_action() -> None:
    ran = line(line_num=3, ps="SELECT", message="execute <unnamed>: SELECT 1")
    parsed = line(
        line_num=4, ps="PARSE", error_severity="ERROR", state_code="42P01", message="gone", statement="SELECT 1"
    )
    outcomes = [
        (each.number, each.outcome) for each in fold([RECEIVED, AUTHORIZED, ran, parsed]) if isinstance(each, Activity)
    ]
    assert outcomes == [(3, "no_error_seen"), (4, "failed")]


def acts(*messages: str, ps: str = "idle") -> list[tuple[str, bool, str]]:
    lines = [line(line_num=3 + at, message=message, ps=ps) for at, message in enumerate(messages)]
    found = fold([RECEIVED, AUTHORIZED, *lines])
    return [(each.class_, each.at_least, each.statement) for each in found if isinstance(each, Activity)]


@pytest.mark.parametrize(("ps", "class_"), [("UPDATE", "data_change"), ("SELECT", "other"), ("idle", "other")])
def test_statement_whose_name_hides_where_it_begins_is_told_whole_and_in_doubt(ps: str, class_: str) -> None:
    message = "execute x: SELECT 1 --: UPDATE billing SET amount = 1"
    assert acts(message, ps=ps) == [(class_, True, message)]


def test_value_that_a_name_turned_into_code_is_not_kept() -> None:
    assert acts("execute x: SELECT ': ALTER ROLE a PASSWORD 'hunter2' --'") == [("other", True, f"EXECUTE {HIDDEN}")]


@pytest.mark.parametrize("text", ["SET log_statement = 'none'", "SELECT set_config('log_statement', 'none', false)"])
def test_change_of_logging_under_a_name_that_hides_it_is_told(text: str) -> None:
    lines = [RECEIVED, AUTHORIZED, line(line_num=3, message=f"execute x: SELECT 1 --: {text}"), line(line_num=4)]
    assert changes(fold(lines)) == [("log_statement", "none", 3)]


def test_line_that_nothing_here_knows_is_told_in_doubt() -> None:
    assert acts("Anweisung: SELECT 1", "duration: 0.1 ms") == [("other", True, "Anweisung: SELECT 1")]


def test_line_that_nothing_here_knows_hides_no_refusal_of_a_login() -> None:
    unknown = line(line_num=3, ps="authentication", message="something new")
    refused = line(line_num=4, ps="startup", error_severity="FATAL", state_code="53300", message="too many connections")
    assert len(of_kind(fold([RECEIVED, AUTHORIZED, unknown, refused]), SessionRefused)) == 1


def test_number_that_comes_again_is_a_loss() -> None:
    found = of_kind(fold([RECEIVED, AUTHORIZED, AUTHORIZED]), LossFound)
    assert [(each.kind, each.from_number) for each in found if isinstance(each, LossFound)] == [("numbers_repeated", 2)]


def test_crash_of_a_process_cuts_open_sessions() -> None:
    crash = [
        postmaster(2, "client backend (PID 9111) was terminated by signal 9: Killed"),
        postmaster(3, "all server processes terminated; reinitializing"),
    ]
    found = fold([postmaster(1, "starting PostgreSQL 18.6"), RECEIVED, AUTHORIZED, *crash])
    losses = [(each.kind, each.session, each.from_number) for each in found if isinstance(each, LossFound)]
    assert losses == [("session_cut", SID, 3)]
    assert [(each.state, each.last_number) for each in found if isinstance(each, SessionEnded)] == [("cut", 2)]


def test_server_that_starts_anew_without_a_word_is_a_broken_chain() -> None:
    found = fold([postmaster(1, "starting PostgreSQL 18.6"), postmaster(1, "starting PostgreSQL 18.6", "6b05cb20.2")])
    assert [each.after for each in found if isinstance(each, EpochStarted)] == ["first", "unknown"]
    assert [each.kind for each in found if isinstance(each, LossFound)] == ["epoch_not_chained"]


def test_session_that_was_open_before_the_log_was_followed_is_no_loss() -> None:
    later = line(line_num=9, message="disconnection: session time: 1:00:00", timestamp="2026-11-24 18:36:21.617 UTC")
    earlier = line(line_num=8, timestamp="2026-11-24 17:36:24.617 UTC")
    assert of_kind(fold([earlier, later]), LossFound) == []


def test_torn_line_in_the_middle_is_a_loss() -> None:
    found = fold([RECEIVED, AUTHORIZED[:40], line(line_num=3)])
    assert [each.kind for each in found if isinstance(each, LossFound)] == ["line_unreadable", "numbers_missing"]


def test_weakened_logging_is_told() -> None:
    found = fold(
        [
            postmaster(1, "starting PostgreSQL 18.6"),
            postmaster(2, 'parameter "log_connections" changed to "off"'),
            postmaster(3, 'parameter "log_connections" changed to "on"'),
            postmaster(4, 'parameter "work_mem" changed to "1GB"'),
            RECEIVED,
            AUTHORIZED,
            line(line_num=3, message="statement: ALTER ROLE bg_7 SET log_statement = 'none'"),
            line(line_num=4),
        ]
    )
    told = [(each.setting, each.value, each.weakens) for each in found if isinstance(each, SettingsChanged)]
    assert told == [("log_connections", "off", True), ("log_connections", "on", False), ("log_statement", "none", True)]


OWNER = {"user": "owner"}  # nobody watches what this login does, only what it changes of the logging


def owner(number: int, message: str, seconds: int = 21, **more: str) -> bytes:
    return line(line_num=number, message=message, timestamp=f"2026-11-24 17:36:{seconds}.619 UTC", **OWNER, **more)


def refusal(number: int, text: str, seconds: int = 21) -> bytes:
    return owner(
        number,
        "permission denied to set parameter",
        seconds,
        error_severity="ERROR",
        state_code="42501",
        statement=text,
    )


MUTE, LOGIN = "SET log_statement = 'none'", line(line_num=2, message="connection authorized: user=owner", **OWNER)
MUTED = ("log_statement", "none", 3)


def changes(found: Iterable[Found]) -> list[tuple[str, str, int | None]]:
    return [(each.setting, each.value, each.number) for each in found if isinstance(each, SettingsChanged)]


@pytest.mark.parametrize("cut", [3, 4], ids=["in one reading", "in the next one"])
def test_change_that_the_server_refused_is_not_told(cut: int) -> None:
    lines = [RECEIVED, LOGIN, owner(3, f"statement: {MUTE}"), refusal(4, MUTE), owner(5, "statement: SELECT 1", 40)]
    assert changes(fold(lines[:cut], lines[cut:])) == []


def test_refusal_of_a_watched_login_is_not_told_as_a_change() -> None:
    lines = [RECEIVED, AUTHORIZED, line(line_num=3, message=f"statement: {MUTE}")]
    refused = line(line_num=4, message="no", error_severity="ERROR", state_code="42501", statement=MUTE)
    assert changes(fold(lines, [refused])) == []


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([], []),  # its refusal may still come
        ([owner(4, "statement: SELECT 1")], [MUTED]),
        ([refusal(4, "SELECT 1/0")], [MUTED]),
        ([owner(4, "disconnection: session time: 0:00:01.000")], [MUTED]),
        ([postmaster(1, "database system is shut down")], [MUTED]),
        ([postmaster(1, "checkpoint complete", timestamp="2026-11-24 17:36:22.620 UTC")], [MUTED]),
    ],
)
def test_change_that_stands_is_told_as_soon_as_it_is_certain(after: list[bytes], told: list[object]) -> None:
    lines = [RECEIVED, LOGIN, owner(3, f"statement: {MUTE}")]
    assert changes(fold(lines, after)) == told
    assert changes(fold(lines + after)) == told


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SET pgaudit.role = 'Erika Mustermann'", ("pgaudit.role", "?")),
        ('SET pgaudit."Erika Mustermann" = on', ("pgaudit.?", "?")),
        ("SET log_statement = 'hunter2'", ("log_statement", "?")),
        ("DO $$ BEGIN PERFORM set_config('log_' || 'statement', 'none', false); END $$", ("(not shown)", "?")),
        ("SELECT 'a\\'; SET log_statement = none; COMMIT; --'", ("(not shown)", "?")),
    ],
)
def test_what_somebody_typed_is_told_of_a_change_only_where_it_is_known(statement: str, told: tuple[str, str]) -> None:
    state = Fold(Reader("bg_portal"))
    state.read([RECEIVED, LOGIN, owner(3, f"statement: {statement}")])
    kept = [(each.setting, each.value) for session in state.sessions.values() for each in session.asked]
    found = [each for each in state.read([owner(4, "statement: SELECT 1")]) if isinstance(each, SettingsChanged)]
    assert (kept, [(each.setting, each.value) for each in found]) == ([told], [told])


def test_value_in_the_configuration_of_the_server_is_told_only_where_it_is_known() -> None:
    changed = 'parameter "log_directory" changed to "/home/erika"'
    found = fold([postmaster(1, "starting PostgreSQL 18.6"), postmaster(2, changed)])
    assert changes(found) == [("log_directory", "?", None)]


def test_function_called_without_sql_that_changes_settings_may_have_muted_the_session() -> None:
    call = line(line_num=3, message='fastpath function call: "set_config" (OID 2078)')
    assert changes(fold([RECEIVED, AUTHORIZED, call, line(line_num=4)])) == [("(not shown)", "?", 3)]


def test_error_takes_back_nothing_that_was_committed_before_it() -> None:
    text = f"{MUTE}; COMMIT; SELECT 1/0"
    assert changes(fold([RECEIVED, LOGIN, owner(3, f"statement: {text}"), refusal(4, text)])) == [(*MUTED[:2], None)]


def test_line_of_pgaudit_raises_a_class_that_was_in_doubt() -> None:
    call = line(line_num=3, message="statement: SELECT f()")
    audit = line(
        line_num=4,
        ps="SELECT",
        message="AUDIT: SESSION,1,2,WRITE,DELETE,TABLE,public.customer,DELETE FROM customer,<none>",
    )
    found = fold([RECEIVED, AUTHORIZED, call, audit])
    assert [(each.class_, each.at_least) for each in found if isinstance(each, Activity)] == [("data_change", True)]


def test_worker_of_a_parallel_query_is_no_session() -> None:
    worker = line(
        session_id="6b05cb16.1",
        line_num=1,
        error_severity="ERROR",
        backend_type="parallel worker",
        leader_pid=9111,
        message="no",
    )
    assert fold([RECEIVED, AUTHORIZED, worker])[1:] == []
