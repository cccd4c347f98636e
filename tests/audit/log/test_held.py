"""What is held and sent with the COMMIT is what one statement after the other would have written, whatever goes wrong on the way."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from audit.log.append import Actor, Entry, LogUnavailable, action, append, append_many, process
from audit.log.canonical import parse_entry
from audit.log.held import FEW
from audit.log.models import Event, Heartbeat, PersonalValue, QueueEntry
from portal.clock import now
from tests.servers import superuser_url, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
ADA = Actor(str(uuid.uuid4()), "Ada Lovelace", "totp", 1_780_000_000_000)
SWEEP = process("sweep")


@action(event="request.approved")
def _act(
    *,
    by: Actor,
    between: Callable[[], object] = int,
    comments: tuple[str | None, ...] = ("No.",),
    subject: str = "request:1",
) -> list[uuid.UUID]:
    """A change, then so many events, then perhaps something else."""
    Heartbeat.objects.create(process="changed", at=now())
    fields = {"approval_id": "a", "approvals": 1, "approvals_needed": 2}
    written = append_many(
        [Entry("request.approved", by, {**fields, "comment": comment}, "case", subject) for comment in comments]
    )
    between()
    return written


def _counts() -> tuple[int, int, int, int]:
    """As somebody else sees them: changes, events, personal values, places in the queue."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            tables = ("audit_heartbeat WHERE process = 'changed'", "audit_event", "audit_personal_value", "audit_queue")
            found = [cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    finally:
        other.close()
    return found[0], found[1], found[2], found[3]


@pytest.fixture
def deferred() -> Iterator[Callable[[str], None]]:
    """Let the database do something at each COMMIT that changes a heartbeat."""

    def at_commit(does: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NULL; END $$"
            )
            cursor.execute(
                "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON audit_heartbeat DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION at_commit()"
            )

    yield at_commit
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS at_commit() CASCADE")


@pytest.mark.parametrize("events", [1, 2, FEW, FEW + 1])
@pytest.mark.parametrize("by", [ADA, SWEEP])
def test_as_many_as_were_appended_are_there_when_the_action_is_over(by: Actor, events: int) -> None:
    comments = tuple(None if place % 2 else f"No. {place} \x00 ü" for place in range(events))
    written = _act(by=by, comments=comments)
    personal = sum(comment is not None for comment in comments) + (events if by.is_person else 0)
    assert _counts() == (1, events, personal, events)
    assert list(QueueEntry.objects.order_by("seq").values_list("event_id", flat=True)) == written
    for identity, comment in zip(written, comments, strict=True):
        event = Event.objects.get(pk=identity)
        body = parse_entry(bytes(event.body))
        assert (body["id"], body["name"], body["by"], body["at"]) == (str(identity), event.name, event.by, event.at)
        values = {each.field: each.value for each in PersonalValue.objects.filter(event_id=identity)}
        assert values.get("comment") == (comment and comment.replace("\x00", "\N{SYMBOL FOR NULL}"))
        assert values.keys() == body["personal"].keys()


def test_what_is_asked_after_an_event_finds_it_and_it_is_there_once() -> None:
    seen: list[int] = []
    _act(by=ADA, between=lambda: seen.append(Event.objects.count()))
    assert (seen, _counts()) == ([1], (1, 1, 2, 1))


def test_an_action_that_asks_nothing_else_is_a_transaction_too() -> None:
    @action(event="request.seen")
    def look(*, by: Actor) -> None:
        append("request.seen", by=by, person_id="p")

    look(by=ADA)
    look(by=ADA)
    assert _counts() == (0, 2, 2, 2)


def test_a_savepoint_takes_what_was_held_with_it_or_keeps_it() -> None:
    def inside(*, keep: bool) -> None:
        with transaction.atomic():
            append("request.approved", by=SWEEP, approval_id="b", approvals=2, approvals_needed=2)
            transaction.set_rollback(not keep)

    _act(by=SWEEP, comments=(None,), between=lambda: inside(keep=False))
    assert _counts() == (1, 1, 0, 1)
    Heartbeat.objects.all().delete()
    _act(by=SWEEP, comments=(None,), between=lambda: inside(keep=True))
    assert _counts() == (1, 3, 0, 3)


def test_inside_of_somebody_elses_transaction_nothing_is_committed() -> None:
    with transaction.atomic():
        _act(by=ADA)
        assert _counts() == (0, 0, 0, 0)
    assert _counts() == (1, 1, 2, 1)


def test_an_action_that_is_refused_afterwards_keeps_nothing() -> None:
    def fail() -> None:
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        _act(by=ADA, between=fail)
    assert _counts() == (0, 0, 0, 0)


def test_hooks_of_the_commit_run_once_and_after_it() -> None:
    found: list[tuple[int, int, int, int]] = []
    _act(by=ADA, between=lambda: transaction.on_commit(lambda: found.append(_counts())))
    assert found == [(1, 1, 2, 1)]


def test_event_that_the_server_refuses_takes_the_change_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_queue ADD CONSTRAINT broken CHECK (seq < 0) NOT VALID")
    try:
        with pytest.raises(LogUnavailable):
            _act(by=ADA)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_queue DROP CONSTRAINT broken")
    assert _counts() == (0, 0, 0, 0)
    _act(by=ADA)
    assert _counts() == (1, 1, 2, 1)


def test_zero_byte_is_refused_and_not_cut() -> None:
    with pytest.raises(LogUnavailable):
        _act(by=ADA, subject="request:1\x00other")
    assert _counts() == (0, 0, 0, 0)


def test_what_fails_at_the_commit_takes_all_of_it_back(deferred: Callable[[str], None]) -> None:
    deferred("RAISE EXCEPTION 'not so' USING ERRCODE = 'integrity_constraint_violation'")
    with pytest.raises(IntegrityError, match="not so"):
        _act(by=ADA)
    assert _counts() == (0, 0, 0, 0)


def test_connection_that_ends_during_the_commit_is_an_error_and_the_next_action_has_a_new_one(
    deferred: Callable[[str], None],
) -> None:
    deferred("PERFORM pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseError):
        _act(by=ADA)
    assert _counts() == (0, 0, 0, 0)
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION at_commit() CASCADE")
    _act(by=ADA)
    assert _counts() == (1, 1, 2, 1)


def test_who_is_interrupted_half_way_leaves_no_connection_that_answers_the_wrong_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("audit.log.one_trip._answers", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _act(by=ADA)
    with connection.cursor() as cursor:
        assert cursor.execute("SELECT 42").fetchone() == (42,)


def test_who_holds_what_a_commit_waits_for_may_be_a_thread_of_the_same_process(deferred: Callable[[str], None]) -> None:
    """The web process has threads, and what refers to a row is checked at the COMMIT: one that let no other run would wait for ever."""
    deferred("PERFORM pg_advisory_xact_lock(7)")
    with (
        psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as holder,
        ThreadPoolExecutor() as pool,
    ):
        holder.execute("SELECT pg_advisory_lock(7)")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '30s'")
        waited = pool.submit(let_go_when_waited_for, holder)
        _act(by=ADA)
        waited.result()
    assert _counts() == (1, 1, 2, 1)


def let_go_when_waited_for(holder: "psycopg.Connection[object]") -> None:
    """End the lock as soon as somebody waits for it."""
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"
    wait_until(lambda: holder.execute(waiting).fetchone(), "the COMMIT waits for the lock")
    holder.execute("SELECT pg_advisory_unlock(7)")


def test_a_refused_event_inside_of_a_savepoint_leaves_the_rest_of_the_action_whole() -> None:
    """As at the sign-in, where somebody is signed out again if the log does not take it."""
    seen: list[int] = []

    def inside() -> None:
        with pytest.raises(LogUnavailable), transaction.atomic():
            append(
                "request.approved", by=SWEEP, subject="request:\x00", approval_id="b", approvals=2, approvals_needed=2
            )
        seen.append(Event.objects.count())

    _act(by=SWEEP, comments=(None,), between=inside)
    assert (seen, _counts()) == ([1], (1, 1, 0, 1))


def test_log_whose_table_is_gone_is_unavailable_and_nothing_is_kept() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_queue RENAME TO gone")
    connection.close()  # a new connection knows no statement yet
    try:
        with pytest.raises(LogUnavailable):
            _act(by=ADA)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO audit_queue")
    assert _counts() == (0, 0, 0, 0)


def test_more_than_the_connection_takes_at_once_goes_with_the_commit_too() -> None:
    comment = "No. " * 2_000_000
    (written,) = _act(by=ADA, comments=(comment,))
    assert PersonalValue.objects.get(event_id=written, field="comment").value == comment
