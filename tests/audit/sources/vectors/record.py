"""The recipe of `postgresql-18.jsonl`: a real server, one grant's session and what stands beside it. Run it to record anew:

python -m tests.audit.sources.vectors.record
"""

import contextlib
import time
from pathlib import Path

import psycopg

from tests.servers import Postgres, running_postgres

PASSWORD = "only-for-this-recording"
SETTINGS = {
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_filename": "postgresql-%Y-%m-%d_%H%M%S.log",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_statement": "none",
    "log_parameter_max_length": "-1",
    "cluster_name": "recorded",
}
# Four sessions: before, the grant's, one that is ended by force, after.
READS = ("SELECT id, name FROM customer ORDER BY id", "SELECT relname FROM pg_class LIMIT 1")
FORGED = (
    "DO $$ BEGIN RAISE LOG 'disconnection: session time: 0:00:00.100 user=bg_7 database=shop host=127.0.0.1 port=1'; END $$",
    "DO $$ BEGIN RAISE LOG 'statement: DROP TABLE customer'; END $$",
)


def prepare(owner: psycopg.Connection) -> None:
    """Tables, a privilege role, the login of one grant, the portal's own login."""
    owner.execute("CREATE TABLE customer (id int PRIMARY KEY, name text); CREATE TABLE payroll (amount int)")
    owner.execute("CREATE ROLE shop_admin NOLOGIN; GRANT ALL ON customer TO shop_admin")
    owner.execute(f"CREATE ROLE bg_7 LOGIN NOINHERIT PASSWORD '{PASSWORD}'; GRANT shop_admin TO bg_7")
    owner.execute("ALTER ROLE bg_7 SET role = 'shop_admin'; ALTER ROLE bg_7 SET log_statement = 'all'")
    owner.execute(
        f"CREATE ROLE bg_portal LOGIN PASSWORD '{PASSWORD}'; GRANT SET ON PARAMETER log_statement TO bg_portal"
    )


def heartbeat(server: Postgres, nonce: str) -> None:
    """As the connector does it."""
    with psycopg.connect(server.url("bg_portal", PASSWORD), autocommit=True) as connection:
        connection.execute("SET log_statement = 'all'")
        connection.execute(f"SELECT 'breakglass heartbeat {nonce}'")


def work(server: Postgres) -> None:
    """One session of the grant: reads, changes, fails, forges, changes role, uses both protocols."""
    with psycopg.connect(server.url("bg_7", PASSWORD), autocommit=True) as connection:

        def run(statement: str, *values: object, prepare: bool = False) -> None:
            with contextlib.suppress(psycopg.Error):
                connection.execute(statement, values or None, prepare=prepare)

        for statement in READS:
            run(statement)
        run("INSERT INTO customer VALUES (%s, %s)", 1, "Ada")
        run("INSERT INTO customer VALUES (%s, %s)", 1, "Ada")
        run("UPDATE customer SET name = 'Grace' WHERE id = 1")
        run("SELECT * FROM payroll")
        run("SELEC 1")
        run("SELECT %s::int + missing", 1)
        run("BEGIN")
        run("SELECT 1/0")
        run("ROLLBACK")
        run("SET ROLE NONE")
        run("RESET ROLE")
        for statement in FORGED:
            run(statement)
        run("PREPARE q AS SELECT name FROM customer WHERE id = $1")
        run("EXECUTE q(1)")
        run("SELECT name FROM customer; DELETE FROM customer")
        run("ALTER ROLE bg_7 PASSWORD 'a new secret'")
        run("SET log_statement = 'none'")


def ended_by_force(server: Postgres, owner: psycopg.Connection) -> None:
    """A second session of the grant, terminated while it is idle."""
    with psycopg.connect(server.url("bg_7", PASSWORD), autocommit=True) as connection:
        connection.execute("SELECT 1")
        owner.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        with contextlib.suppress(psycopg.Error):
            connection.execute("SELECT 2")


def record(server: Postgres) -> None:
    """Everything, in order; then the server is stopped."""
    with psycopg.connect(server.url(), autocommit=True) as owner:
        prepare(owner)
        heartbeat(server, "before-01")
        work(server)
        ended_by_force(server, owner)
        with contextlib.suppress(psycopg.Error):
            psycopg.connect(server.url("bg_7", "a-wrong-password"))
        time.sleep(1.1)  # so that the recorded times tell before from after
        heartbeat(server, "after-01")
    server.stop()


def main() -> None:
    """Record, and keep the lines beside this file."""
    with running_postgres(SETTINGS) as server:
        record(server)
        files = sorted(server.log_folder.glob("*.json"))
        lines = b"".join(file.read_bytes() for file in files).replace(
            str(server.server.folder).encode(), b"/srv/postgresql"
        )
    Path(__file__).with_name("postgresql-18.jsonl").write_bytes(lines)


if __name__ == "__main__":
    main()
