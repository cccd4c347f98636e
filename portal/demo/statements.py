"""For visitors without PostgreSQL's client: chosen statements over a real connection, as the granted login and nobody else."""

from dataclasses import dataclass

import psycopg

from audit.log.append import Actor
from portal.connectors.base import Secret
from portal.grants.models import Grant
from portal.grants.rules import is_responder

READ = """SELECT p.id, p.state, p.tries, o.total_cents FROM shop.payments p JOIN shop.orders o ON o.id = p.order_id
 WHERE p.state = 'stuck' ORDER BY p.id LIMIT 5"""
CHANGE = """UPDATE shop.payments SET state = 'done', tries = tries + 1
 WHERE id = (SELECT min(id) FROM shop.payments WHERE state = 'stuck')"""
STATEMENTS = {
    "read": ("Read stuck payments", READ),
    "change": ("Release one stuck payment", CHANGE),
    "refused": ("Read salaries, which this privilege may not", "SELECT * FROM shop.salaries"),
}


@dataclass(frozen=True)
class Answer:
    """What the target said."""

    statement: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    said: str


def run(*, by: Actor, grant: Grant, password: Secret, chosen: list[str]) -> list[Answer]:
    """Log in as the grant's login, run the chosen statements, log out.

    Raises:
        NotAllowed: by anybody but the responder.
        psycopg.OperationalError: the login is refused.
    """
    is_responder(by, grant)
    settings = grant.system.settings
    with psycopg.connect(
        host=settings["host"], port=settings["port"], dbname=settings["dbname"], user=grant.login, password=password.reveal(),
        autocommit=True, connect_timeout=5, application_name="breakglass demo page",
    ) as connection:  # fmt: skip
        return [_one(connection, STATEMENTS[key][1]) for key in chosen if key in STATEMENTS]


def _one(connection: psycopg.Connection, statement: str) -> Answer:
    try:
        cursor = connection.execute(statement)
    except psycopg.Error as error:
        return Answer(statement, (), (), f"{error.sqlstate}: {(error.diag.message_primary or 'refused').strip()}")
    if cursor.description is None:
        return Answer(statement, (), (), cursor.statusmessage or "")
    rows = tuple(tuple(str(value) for value in row) for row in cursor.fetchall())
    return Answer(statement, tuple(column.name for column in cursor.description), rows, cursor.statusmessage or "")
