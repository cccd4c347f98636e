"""What all sweeps share: one row's trouble does not stop the others, and a refusal means that somebody else was quicker, or must do something first."""

import logging
from collections.abc import Callable

from portal.errors import Refused

logger = logging.getLogger("breakglass.sweep")


def attempt(room: str, act: Callable[..., object], *args: object, **given: object) -> tuple[bool, object]:
    """Whether it was done, and what it gave. ``room`` names whose work it is, in the program's log."""
    try:
        return True, act(*args, **given)
    except Refused as refusal:
        logger.info("%s: %s", room, refusal.sentence)
    except Exception:
        logger.exception("%s: broken off, tried again", room)
    return False, None


def done(room: str, act: Callable[..., object], *args: object, **given: object) -> int:
    """How much was done: one, or nothing."""
    return int(attempt(room, act, *args, **given)[0])


def true_of(room: str, ask: Callable[..., object], *args: object) -> bool:
    """Whether something is so of a row, or has anything to say of it; not, where that could not be found out."""
    return bool(attempt(room, ask, *args)[1])
