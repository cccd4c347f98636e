"""Log before open: no target is changed without the proof that its intent stands in the log, or the policy's word that this is not awaited."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from audit.log.checkpoints import NotSealed, wait_for_inclusion
from audit.log.errors import NotVerified
from audit.log.proof import VerifiedInclusion
from portal.grants.models import Grant
from portal.grants.trouble import Trouble
from portal.policy.queries import rules_of

alarms = logging.getLogger("breakglass.alarm")
SEAL_PATIENCE_S = 5.0
INTENT = "grant.opening"
_patience: ContextVar[float] = ContextVar("patience", default=0.0)


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Wait longer for the seal where a slow machine must not change what is told, as while the demo is filled."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


@dataclass(frozen=True)
class Permit:
    """The target of this grant may be opened. Without a proof the policy prefers to open at once, with an alarm.

    Raises:
        NotVerified: What is proved is not the intent to open this grant.
    """

    grant_id: UUID
    proof: VerifiedInclusion | None

    def __post_init__(self) -> None:
        """Hold the proven bytes against the grant: a column that names another event proves nothing."""
        if self.proof is None:
            return
        body = self.proof.body
        if (body["name"], body["fields"].get("grant_id")) != (INTENT, str(self.grant_id)):
            raise NotVerified(f"Event {self.proof.event_id} is not the intent to open access {self.grant_id}.")


def permit(grant: Grant) -> Permit | Trouble:
    """Wait for the proof of the grant's intent, as long as its policy demands. Not to be called in a transaction."""
    if grant.opening_event is None:
        raise RuntimeError("Opening begins with its event.")
    rules = rules_of(grant.request.policy)
    try:
        return Permit(
            grant.pk,
            wait_for_inclusion(
                grant.opening_event, timeout_s=_patience.get() or SEAL_PATIENCE_S, by_witnesses=bool(rules.witnessed)
            ),
        )
    except NotVerified as error:
        return Trouble("log_not_verified", f"The log does not prove the intent, so nothing is opened. {error}")
    except NotSealed:
        done = "witnessed" if rules.witnessed else "sealed"
        if rules.open_unsealed:
            alarms.critical("Access %s opens although the log is not %s; the policy says so.", grant.pk, done)
            return Permit(grant.pk, None)
        return Trouble(
            f"log_un{done}",
            f"The log is not being {done}, and the policy opens nothing before that. It is tried again.",
        )
