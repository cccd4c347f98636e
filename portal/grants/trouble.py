"""Why an attempt on a target failed: one sentence for people, a code for the log, and what nobody foresaw in full for operators."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from portal.connectors.base import ConnectorError
from portal.grants.models import Grant

logger = logging.getLogger("breakglass.grants")
BACKOFF_S = (1, 2, 4, 8, 15, 30)
UNFORESEEN = "Something went wrong in the portal itself. Its operators find it in the portal's log of errors."


@dataclass(frozen=True)
class Trouble:
    """For the page and the log; ``again`` says whether another attempt makes sense."""

    code: str
    sentence: str
    again: bool = True


def trouble_of(error: Exception, grant: Grant) -> Trouble:
    """What people are told of an error. Only a connector's own sentence is meant for them; any other text could hold anything."""
    if isinstance(error, ConnectorError):
        return Trouble(type(error).__name__, error.sentence, error.retry)
    logger.error("grant %s: an error that nobody foresaw; it is tried again", grant.pk, exc_info=error)
    return Trouble(type(error).__name__, UNFORESEEN)


def pause(attempts: int, after: Sequence[int] = BACKOFF_S) -> timedelta:
    """How long to wait after so many attempts that failed, one at least; the last of the pauses stays."""
    return timedelta(seconds=after[min(attempts, len(after)) - 1])
