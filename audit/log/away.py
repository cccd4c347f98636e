"""What a database raises that is away or cannot go on, as against one that refuses what it is given."""

import psycopg
from django.db import InterfaceError, OperationalError

AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


def cause_of(error: BaseException) -> BaseException:
    """What psycopg raised, where Django put an error of its own around it."""
    return error.__cause__ if isinstance(error.__cause__, psycopg.Error) else error
