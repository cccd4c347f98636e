"""What runs on the target at this moment in somebody's access: what its end would cut. Asked of the target, outside of any transaction.

A page shows it within `PATIENCE_S`. A target that does not answer by then is said to be so: nothing to be seen is not nothing there.
The text is masked as that of gathered statements is.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from audit.sources.postgresql.masking import mask
from portal.connectors.base import ConnectorError, Running, Target
from portal.grants.models import Grant
from portal.grants.states import ACTIVE, CLOSING, OPENING
from portal.grants.targets import closing_of, looking_at, target_of
from portal.systems.queries import source_settings

logger = logging.getLogger("breakglass.grants")
PATIENCE_S = 2.0
HANDS = 8
ASKED = frozenset({OPENING, ACTIVE, CLOSING})
TOO_LATE = f"The target did not answer within {PATIENCE_S:g} seconds."
STATES = {
    "": "Is open; the target does not show what it does",
    "active": "Runs now",
    "idle": "Waits for its user; the last statement",
    "idle in transaction": "In a transaction that is not committed; the last statement",
    "idle in transaction (aborted)": "In a transaction that failed; the last statement",
    "starting": "Is logging in",
}


@dataclass(frozen=True)
class Session:
    """One session in words; ``since`` is when its statement began, in milliseconds."""

    name: str
    state: str
    statement: str
    since: int | None


@dataclass(frozen=True)
class Cut:
    """One access and its sessions; ``unread`` is a sentence where the target could not be asked."""

    grant: Grant
    sessions: tuple[Session, ...] = ()
    unread: str = ""


def what_would_be_cut(grants: Iterable[Grant], patience_s: float = PATIENCE_S) -> list[Cut]:
    """Sessions of each grant that may be open, in the order given. The grants are loaded with system, privilege and account."""
    asked = [grant for grant in grants if grant.state in ASKED]
    literals = {
        pk: str(each.get("literals", "keep")) for pk, each in source_settings({g.system_id for g in asked}).items()
    }
    found: dict[UUID, Cut] = {}
    waiting = deque(asked)

    def go() -> None:
        while True:
            try:
                grant = waiting.popleft()
            except IndexError:
                return
            found[grant.pk] = _ask(grant, literals)

    hands = [threading.Thread(target=go, name="running", daemon=True) for _ in range(min(HANDS, len(asked)))]
    until = time.monotonic() + patience_s
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(max(0.0, until - time.monotonic()))
    waiting.clear()
    told = dict(found)
    return [told.get(grant.pk) or Cut(grant, unread=TOO_LATE) for grant in asked]


def _ask(grant: Grant, literals: Mapping[UUID, str]) -> Cut:
    """No query is made here: the hand has no database connection of its own to close."""
    try:
        connector = looking_at(grant)
        if not connector.reads_back:
            return Cut(grant, unread="The portal does not reach this target.")
        sessions = connector.running(_impatient(target_of(grant.system)), closing_of(grant))
    except ConnectorError as error:
        return Cut(grant, unread=error.sentence)
    except Exception:
        logger.exception("what runs in grant %s could not be read", grant.pk)
        return Cut(grant, unread="The target could not be asked.")
    return Cut(grant, tuple(_session(each, literals.get(grant.system_id, "keep")) for each in sessions))


def _impatient(target: Target) -> Target:
    """The same target, given up sooner than where something depends on the answer."""
    soon = {"connect_timeout_s": 2, "answer_within_ms": int(PATIENCE_S * 1000)}
    return replace(target, settings={**target.settings, **soon})


def _session(running: Running, literals: str) -> Session:
    text = mask(running.statement, literals=literals) if running.statement else ""
    return Session(running.session, STATES.get(running.state, running.state), text, running.statement_at_ms)
