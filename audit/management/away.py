"""One sentence where the database or a store is away: who runs a command at night needs no places of our code."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management.base import CommandError
from django.db import Error

from audit.log.away import AWAY, cause_of
from audit.log.stores import StoreUnavailable

GONE = ("08", "57P")  # classes of SQLSTATE: the connection, and a server that stops or starts


@contextmanager
def told(nothing: str, status: int = 1) -> Iterator[None]:
    """End a command so. What a database says of an error may repeat a value, so only its kind is said.

    Args:
        nothing: What was not done, in a sentence.
        status: Of the command.
    """
    try:
        yield
    except StoreUnavailable as error:
        raise CommandError(f"{nothing} {error}", returncode=status) from None
    except AWAY as error:
        cause = cause_of(error)
        state = getattr(cause, "sqlstate", None) or GONE[0]  # who never answered gave no state
        words = "The database does not answer: look whether it runs, and at DATABASE_URL"
        if not state.startswith(GONE):
            words = "The database gave up, for want of room or by a limit of its own: its log says more"
        raise CommandError(f"{nothing} {words} ({type(cause).__name__}).", returncode=status) from None
    except (Error, psycopg.Error) as error:
        words = "The database did not give its rows: look whether manage.py migrate ran, and who asks"
        raise CommandError(f"{nothing} {words} ({type(error).__name__}).", returncode=status) from None
