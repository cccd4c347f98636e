"""A target that the portal does not reach: everything on it is its custodian's to do and to say."""

import time

from portal.connectors.base import Remainder, Secret, Snapshot, Target
from portal.connectors.errors import TargetRefused
from portal.connectors.sealed.keeper import Standing

NOT_REACHED = "The portal does not reach this target; its custodian does this there."


class ByHand:
    """Knows nothing and changes nothing."""

    looks = False
    keeps = False

    def look(self, target: Target, account: str) -> Standing | None:
        """Nothing can be seen."""
        return None

    def snapshot(self, target: Target) -> Snapshot:
        """Nothing can be read."""
        return Snapshot(time.time_ns() // 1_000_000, {})

    def drift(self, target: Target, before: Snapshot) -> tuple[Remainder, ...]:
        """Nothing can be compared."""
        return ()

    def unseal(self, target: Target, account: str, *, expires_at_ms: int) -> None:
        """Not here."""
        raise TargetRefused(NOT_REACHED)

    def rotate(self, target: Target, account: str, password: Secret) -> None:
        """Not here."""
        raise TargetRefused(NOT_REACHED)

    def tries_login(self, target: Target, account: str, password: Secret) -> bool:
        """Not here."""
        raise TargetRefused(NOT_REACHED)

    def seal(self, target: Target, account: str) -> None:
        """Not here."""
        raise TargetRefused(NOT_REACHED)

    def end_sessions(self, target: Target, account: str) -> int:
        """None that could be seen."""
        return 0

    def sessions(self, target: Target, account: str) -> tuple[str, ...]:
        """None that could be seen."""
        return ()
