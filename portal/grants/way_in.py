"""How a responder gets to an open target: in the owner's words, and as a line to paste. Never with the password."""

import shlex
from dataclasses import dataclass, replace

from psycopg.conninfo import make_conninfo

from portal.connectors.postgresql.connection import is_loopback
from portal.grants.models import Grant
from portal.systems.models import System


@dataclass(frozen=True)
class WayIn:
    """``text`` is the system's own; ``practice``: a simulated target, on which nobody can log in.

    Host and connection (quoted for a POSIX shell) are empty for kinds that have none."""

    text: str
    login: str
    host: str = ""
    database: str = ""
    connection: str = ""
    practice: bool = False

    @property
    def line(self) -> str:
        """For a terminal."""
        return f"psql {self.connection}" if self.connection else ""


def way_in(grant: Grant) -> WayIn:
    """What the page of an open grant shows."""
    system = grant.system
    if grant.account is not None:
        return _with_place(WayIn(grant.account.location, grant.login), system)
    return _with_place(WayIn(system.way_in, grant.login, practice=system.connector == "simulated"), system)


def _with_place(way: WayIn, system: System) -> WayIn:
    """With host, database and line, for kinds that have them."""
    if system.connector != "postgresql":
        return way
    host, port = _place(system)
    database, connection = str(system.settings.get("dbname", "")), _connection(system, way.login)
    return replace(way, host=f"{host}, port {port}", database=database, connection=connection)


def _place(system: System) -> tuple[str, str]:
    """Host and port as responders reach them; the portal may have another way."""
    given = system.settings
    host, port = given.get("public_host") or given.get("host", ""), given.get("public_port") or given.get("port", 5432)
    return str(host), str(port)


def _connection(system: System, login: str) -> str:
    """One word for a POSIX shell; psql asks for the password (libpq, "Connection Strings").

    What the portal may leave out on its own machine is no measure for a responder's way to another.
    """
    host, port = _place(system)
    mode = str(system.settings.get("sslmode") or "") if is_loopback(host) else "verify-full"
    words = {"host": host, "port": port, "dbname": str(system.settings.get("dbname", "")), "user": login}
    return shlex.quote(make_conninfo("", **words, **({"sslmode": mode} if mode else {})))
