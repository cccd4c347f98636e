"""A marked act of the portal's own login that must come back through the target's own log, and the server's own counts beside it."""

import hashlib
import re

from portal.connectors.base import Heartbeat, Target
from portal.connectors.errors import BadSettings
from portal.connectors.postgresql.connection import Connection, connected, statement

NONCE = re.compile(r"[A-Za-z0-9_-]{8,100}")
PREFIX = "breakglass heartbeat "
# Sessions are counted when they first wait for a command, this one included; since the server's start or the last reset.
COUNTED = """
SELECT sum(sessions)::int8 AS sessions, pg_postmaster_start_time()::text AS started, coalesce(max(stats_reset)::text, '') AS reset
FROM pg_stat_database
"""
# What everybody may read. `reset_val` leaves out what this session set for itself; `log_statement` differs by login.
SETTINGS = """
SELECT name, reset_val FROM pg_show_all_settings() WHERE name IN ('lc_messages', 'log_connections', 'log_destination', 'log_disconnections',
  'log_error_verbosity', 'log_min_error_statement', 'log_min_messages', 'log_truncate_on_rotation', 'logging_collector')
ORDER BY name
"""


def heartbeat(target: Target, nonce: str) -> Heartbeat:
    """Write one statement line `SELECT 'breakglass heartbeat <nonce>'`, by the portal's login.

    Raises TargetRefused where the login may not have its own statements logged.
    """
    if not NONCE.fullmatch(nonce):
        raise BadSettings("A heartbeat's nonce is 8 to 100 letters, digits, dashes and underscores.")
    with connected(target) as connection:
        row = connection.execute("SELECT current_setting('log_statement') AS value").fetchone()
        if not row or row["value"] != "all":
            connection.execute("SET log_statement = 'all'")
        connection.execute(statement("SELECT {text}", text=PREFIX + nonce))
        return _counts(connection)


def _counts(connection: Connection) -> Heartbeat:
    row = connection.execute(COUNTED).fetchone() or {}
    lines = "".join(f"{each['name']}={each['reset_val']}\n" for each in connection.execute(SETTINGS))
    epoch = f"{row['started']} {row['reset']}".strip()
    return Heartbeat(int(row["sessions"]), epoch, hashlib.sha256(lines.encode()).hexdigest())
