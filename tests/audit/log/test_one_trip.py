"""Several statements in one trip: each has its own answer, and the connection is as psycopg would have left it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.pq import ExecStatus, Format, TransactionStatus

from audit.log.one_trip import Asked, ask, refused
from tests.servers import superuser_url

HALF = Asked(b"half", b"SELECT 10 / $1::int", [b"2"], [Format.TEXT])
NONE = HALF._replace(values=[b"0"])


@pytest.fixture
def link() -> Iterator["psycopg.Connection[Any]"]:
    """A connection as Django has it inside of `atomic()`."""
    with psycopg.connect(superuser_url()) as connection:
        yield connection
        if not connection.closed:
            connection.rollback()


def test_first_statement_begins_the_transaction_and_the_next_goes_on_in_it(link: "psycopg.Connection[Any]") -> None:
    seen = []
    for _ in range(2):
        (answer,) = ask(link, [HALF])
        seen.append((answer.get_value(0, 0), link.info.transaction_status))
    assert seen == [(b"5", TransactionStatus.INTRANS)] * 2
    link.rollback()
    assert link.execute("SELECT 1").fetchone() == (1,)


def test_each_has_its_answer_and_the_commit_the_last(link: "psycopg.Connection[Any]") -> None:
    first, second, commit = ask(link, [HALF, HALF._replace(values=[b"5"])], commit=True)
    assert (first.get_value(0, 0), second.get_value(0, 0), commit.command_status) == (b"5", b"2", b"COMMIT")
    assert link.info.transaction_status == TransactionStatus.IDLE


def test_after_a_refused_statement_nothing_is_done_or_committed(link: "psycopg.Connection[Any]") -> None:
    before, broken, after, commit = ask(link, [HALF, NONE, HALF], commit=True)
    assert [refused(each) is None for each in (before, broken, after, commit)] == [True, False, True, True]
    assert isinstance(refused(broken), psycopg.errors.DivisionByZero)
    assert [each.status for each in (after, commit)] == [ExecStatus.PIPELINE_ABORTED] * 2
    assert link.info.transaction_status == TransactionStatus.INERROR
    link.rollback()
    assert [answer.get_value(0, 0) for answer in ask(link, [HALF])] == [b"5"]


def test_statement_that_the_server_does_not_take_is_an_error_before_anything_is_asked(
    link: "psycopg.Connection[Any]",
) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(link, [HALF, Asked(b"nowhere", b"SELECT * FROM nowhere", [], [])])
        assert link.info.transaction_status == TransactionStatus.IDLE
    assert [answer.get_value(0, 0) for answer in ask(link, [HALF])] == [b"5"]


def test_connection_that_is_lost_is_an_error_and_closed(link: "psycopg.Connection[Any]") -> None:
    end = Asked(b"end", b"SELECT pg_terminate_backend(pg_backend_pid())", [], [])
    with pytest.raises(psycopg.OperationalError):
        ask(link, [end, HALF])
    assert link.closed
