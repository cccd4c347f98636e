"""The database as another of the portal's roles sees it: an alias of Django's beside the usual one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def alias_of(role: str, url: str) -> str:
    """The alias for a login, for as long as the process lives; the usual database where there is none.

    Raises:
        ValueError: ``url`` is not the address of a database.
    """
    if not url:
        return "default"
    connections.settings[role] = {**connections.settings["default"], **_login(url)}
    return role


@contextmanager
def as_role(role: str, url: str) -> Iterator[str]:
    """The alias for a login, in this thread and until the end of the block alone; the usual database where there is none.

    Raises:
        ValueError: ``url`` is not the address of a database.
    """
    if not url:
        yield "default"
        return
    link = connections["default"].copy(role)
    link.settings_dict.update(_login(url))
    connections[role] = link
    try:
        yield role
    finally:
        link.close()
        del connections[role]


def _login(url: str) -> dict[str, Any]:
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except ProgrammingError:
        raise ValueError("It cannot be read as the address of a database.") from None
    named = {setting: parts.pop(name, "") for name, setting in NAMES.items()}
    return {**named, "OPTIONS": parts, "CONN_MAX_AGE": None}
