"""For visitors without PostgreSQL's client: chosen statements over a real connection, as the granted login and nobody else."""

from dataclasses import dataclass

import psycopg
from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor
from portal.access_requests.strength import need_factor_to_use
from portal.errors import WrongState
from portal.grants.models import Grant
from portal.grants.rules import is_responder
from portal.secrets import decrypt

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


@sensitive_variables("password")
def run(*, by: Actor, grant: Grant, chosen: list[str]) -> list[Answer]:
    """Log in as the grant's login, run the chosen statements, log out.

    The password goes from here to the target and is shown to nobody, so no showing is recorded: the log would say of the
    responder what they did not do. What this session does is told by the target's own log, under the name of this page.

    Raises:
        NotAllowed, StepUpNeeded, WrongState: as where the password is shown.
        psycopg.OperationalError: the login is refused.
    """
    is_responder(by, grant)
    need_factor_to_use(by, grant.request, about=grant)
    if grant.secret is None:
        raise WrongState("There is no password to log in with.", about=grant)
    settings, password = grant.system.settings, decrypt(bytes(grant.secret), f"grant:{grant.pk}")
    with psycopg.connect(
        host=settings["host"], port=settings["port"], dbname=settings["dbname"], user=grant.login, password=password,
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
