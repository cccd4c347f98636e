"""A marked act of the portal's own login that must come back through the target's own log."""

import re

from portal.connectors.base import Target
from portal.connectors.errors import BadSettings
from portal.connectors.postgresql.connection import connected, statement

NONCE = re.compile(r"[A-Za-z0-9_-]{8,100}")
PREFIX = "breakglass heartbeat "


def heartbeat(target: Target, nonce: str) -> None:
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
