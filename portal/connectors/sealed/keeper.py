"""What a kind of target can do with an account that lasts: one small part for each kind, beside its connector.

``looks``: the portal can see the account and its sessions. ``keeps``: it can also change its password and shut it between uses.
"""

from dataclasses import dataclass
from typing import Protocol

from portal.connectors.base import Remainder, Secret, Snapshot, Target


@dataclass(frozen=True)
class Standing:
    """An account as the target shows it. ``ref`` names it for ever (an oid); ``enabled``: it can log in now."""

    ref: str
    enabled: bool
    logged: bool = False
    superuser: bool = False


class Keeper(Protocol):
    """All methods raise ConnectorError kinds only, and may be repeated after a crash at any step."""

    looks: bool
    keeps: bool

    def look(self, target: Target, account: str) -> Standing | None:
        """The account now; ``None`` where the target has none of that name."""
        ...

    def snapshot(self, target: Target) -> Snapshot:
        """The target's catalogue, as far as it can be read."""
        ...

    def drift(self, target: Target, before: Snapshot) -> tuple[Remainder, ...]:
        """What else is not as it was."""
        ...

    def unseal(self, target: Target, account: str, *, expires_at_ms: int) -> None:
        """Let it log in until then."""
        ...

    def rotate(self, target: Target, account: str, password: Secret) -> None:
        """Give it this password; the clear text does not reach the target's log."""
        ...

    def tries_login(self, target: Target, account: str, password: Secret) -> bool:
        """Whether the target takes the password. Leaves no session in which anything could be done."""
        ...

    def seal(self, target: Target, account: str) -> None:
        """Shut it: it cannot log in until it is unsealed."""
        ...

    def end_sessions(self, target: Target, account: str) -> int:
        """End its sessions; how many."""
        ...

    def sessions(self, target: Target, account: str) -> tuple[str, ...]:
        """Names of its sessions now."""
        ...
