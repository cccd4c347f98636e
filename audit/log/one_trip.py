"""Prepared statements in one trip to the server, with BEGIN before them where nothing was asked yet, and COMMIT after them where wanted.

psycopg's pipelines do the same with a cursor for each; here are two statements that nearly every action asks, and each trip is a twentieth of
it. The waiting is psycopg's own: other threads run meanwhile, and one of them may hold the lock that is waited for.
"""

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import generators, pq

if TYPE_CHECKING:
    from psycopg.abc import Buffer, PQGen

BEGIN = b"BEGIN"
_prepared: "weakref.WeakKeyDictionary[psycopg.Connection[Any], set[bytes]]" = weakref.WeakKeyDictionary()


class Asked(NamedTuple):
    """A statement with numbered places that is the same each time under its ``name``; values and how they are written (`pq.Format`)."""

    name: bytes
    statement: bytes
    values: "Sequence[Buffer | None]"
    formats: Sequence[int] | None
    types: Sequence[int] = ()


def ask(link: "psycopg.Connection[Any]", asked: Sequence[Asked], *, commit: bool = False) -> list[pq.abc.PGresult]:
    """The answer to each in turn, the COMMIT's last; a statement that the server refused has an answer that says so.

    Raises:
        psycopg.Error: The connection is lost, a statement could not be prepared, or the transaction could not begin.
    """
    raw = link.pgconn
    prepare(link, asked)
    try:
        raw.enter_pipeline_mode()
        opened = raw.transaction_status == pq.TransactionStatus.IDLE
        if opened:
            raw.send_query_params(BEGIN, None)
        for each in asked:
            raw.send_query_prepared(each.name, each.values, each.formats)
        if commit:
            raw.send_query_params(b"COMMIT", None)
        raw.pipeline_sync()
        answers = link.wait(_answers(raw, opened + len(asked) + commit))
        raw.exit_pipeline_mode()
    except BaseException:  # half asked and half answered, it is of no use to anybody
        raw.finish()
        raise
    for error in filter(None, map(refused, answers[:opened])):
        raise error  # all behind it was passed over, and looks like answers without a row
    return answers[opened:]


def _answers(raw: pq.abc.PGconn, number: int) -> "PQGen[list[pq.abc.PGresult]]":
    if raw.flush():  # more than the socket takes at once
        yield from generators.send(raw)
    answers: list[pq.abc.PGresult] = []
    for _ in range(number + 1):
        answers += yield from generators.fetch_many(raw)
    *answers, end = answers
    if len(answers) != number or end.status != pq.ExecStatus.PIPELINE_SYNC:
        raise psycopg.OperationalError("the connection to the server was lost")
    return answers


def prepare(link: "psycopg.Connection[Any]", asked: Sequence[Asked]) -> None:
    """Let the server know these statements, once for each connection.

    Raises:
        psycopg.Error: It takes one of them for wrong.
    """
    known = _prepared.setdefault(link, set())
    for each in asked:
        if each.name not in known:
            error = refused(link.pgconn.prepare(each.name, each.statement, each.types))
            if error is not None:
                raise error
            known.add(each.name)


def refused(answer: pq.abc.PGresult) -> psycopg.Error | None:
    """The error that the server answered with."""
    return psycopg.errors.error_from_result(answer) if answer.status == pq.ExecStatus.FATAL_ERROR else None
