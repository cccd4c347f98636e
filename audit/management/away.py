"""One sentence where the database or a store is away: who runs a command at night needs no places of our code."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management.base import CommandError
from django.db import Error, InterfaceError, OperationalError

from audit.log.stores import StoreUnavailable

AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


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
        words = "The database does not answer: look whether it runs, and at DATABASE_URL"
        raise CommandError(f"{nothing} {words} ({type(error).__name__}).", returncode=status) from None
    except (Error, psycopg.Error) as error:
        words = "The database did not give its rows: look whether manage.py migrate ran, and who asks"
        raise CommandError(f"{nothing} {words} ({type(error).__name__}).", returncode=status) from None
