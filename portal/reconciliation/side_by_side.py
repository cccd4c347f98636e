"""Does the same with several targets at once, so that one that hangs holds up no other."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

A = TypeVar("A")
R = TypeVar("R")
HANDS = 8
logger = logging.getLogger("breakglass.reconciliation")


def each_of(do: Callable[[A], R], things: Sequence[A]) -> list[R | None]:
    """Call ``do`` with each thing, in threads with database connections of their own; ``None`` where it failed."""
    if len(things) <= 1:
        return [_quietly(do, each) for each in things]
    with ThreadPoolExecutor(max_workers=min(HANDS, len(things))) as hands:
        return list(hands.map(lambda each: _in_thread(do, each), things))


def _in_thread(do: Callable[[A], R], thing: A) -> R | None:
    try:
        return _quietly(do, thing)
    finally:
        connection.close()


def _quietly(do: Callable[[A], R], thing: A) -> R | None:
    try:
        return do(thing)
    except Exception:
        logger.exception("%s failed for one of several and is tried again", getattr(do, "__name__", "a job"))
        return None
