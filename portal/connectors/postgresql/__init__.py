"""Targets that are PostgreSQL servers of version 15 and later: one login role for each grant.

What it needs on the target is said in docs/targets/postgresql.md.
"""

from collections.abc import Collection

from portal.connectors.base import (
    Check,
    Closed,
    Closing,
    Heartbeat,
    Listing,
    Opened,
    Opening,
    ReadBack,
    Running,
    Secret,
    Snapshot,
    Step,
    Target,
    no_step,
)
from portal.connectors.postgresql import (
    catalogue,
    ending,
    heartbeat,
    listing,
    reading,
    secrets,
    testing,
    watchdog,
)
from portal.connectors.postgresql.opening import OPEN_STEPS, extend, open_grant


class PostgreSQL:
    """The connector; each method is a function of one of the files beside it."""

    kind = "postgresql"
    reads_back = True
    lists_access = True
    open_steps: tuple[str, ...] = OPEN_STEPS
    close_steps: tuple[str, ...] = ending.CLOSE_STEPS

    def make_secret(self) -> Secret:
        """A password of 140 random bits."""
        return secrets.make_password()

    def verifier(self, target: Target, login: str, password: Secret) -> Secret:  # noqa: ARG002 - other kinds need them
        """The SCRAM verifier with a random salt."""
        return secrets.scram_verifier(password)

    def prepare(self, target: Target) -> Snapshot:
        """The catalogue before opening."""
        return catalogue.look(target)

    def open(self, target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
        """Make the login, or make sure it is as it should be."""
        return open_grant(target, opening, step=step)

    def extend(self, target: Target, closing: Closing, *, expires_at_ms: int) -> None:
        """Move VALID UNTIL."""
        extend(target, closing, expires_at_ms=expires_at_ms)

    def close(self, target: Target, closing: Closing, *, step: Step = no_step) -> Closed:
        """Shut, revoke, end the sessions, drop."""
        return ending.close_grant(target, closing, step=step)

    def read_back(self, target: Target, closing: Closing, *, before: Snapshot | None) -> ReadBack:
        """What is left, and what changed."""
        return reading.read_back(target, closing, before=before)

    def list_access(self, target: Target, privileges: Collection[str]) -> Listing:
        """Every login able to act as one of the privileges."""
        return listing.list_access(target, privileges)

    def running(self, target: Target, closing: Closing) -> tuple[Running, ...]:
        """Sessions of the grant now."""
        return reading.running(target, closing)

    def test(self, target: Target) -> tuple[Check, ...]:
        """The connection test."""
        return testing.test(target)

    def dry_run(self, target: Target, privilege: str, minutes: int) -> tuple[str, ...]:
        """What opening would do."""
        return testing.dry_run(target, privilege, minutes)

    def watchdog(self, target: Target) -> watchdog.Watchdog | None:
        """Start the one watchdog of the target."""
        return watchdog.hold(target)

    def heartbeat(self, target: Target, nonce: str) -> Heartbeat:
        """A marked statement, and the server's own counts."""
        return heartbeat.heartbeat(target, nonce)
