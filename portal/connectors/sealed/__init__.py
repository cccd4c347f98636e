"""Accounts that last: their secret lies in the portal and is shown to one holder at a time.

The same interface as any other connector, put around what a target's kind can do with such an account (`keeper.py`). Where the portal
keeps the account itself, it can log in only while somebody holds it, and closing gives it a new password. Where a custodian keeps it,
closing ends the sessions that the portal can see, and the new password is owed.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

from portal.connectors.base import (
    Check,
    Closed,
    Closing,
    Heartbeat,
    Held,
    Listing,
    Opened,
    Opening,
    ReadBack,
    Remainder,
    Running,
    Secret,
    Snapshot,
    Step,
    Target,
    no_step,
)
from portal.connectors.errors import Gone, TargetRefused
from portal.connectors.postgresql.secrets import make_password
from portal.connectors.sealed.by_hand import ByHand
from portal.connectors.sealed.keeper import Keeper, Standing

__all__ = ["Account", "ByHand", "Keeper", "Sealed", "Standing", "keeper_of"]

OPEN_STEPS = ("connected", "account opened", "read back")
CLOSE_STEPS = ("connected", "password changed", "login tested", "account shut", "sessions ended")


def keeper_of(kind: str) -> Keeper:
    """What a kind of target can do with an account that lasts."""
    if kind == "postgresql":
        from portal.connectors.sealed.postgresql import PostgreSQLKeeper  # noqa: PLC0415 - a kind costs nothing until it is used

        return PostgreSQLKeeper()
    if kind == "simulated":
        from portal.connectors.sealed.simulated import SimulatedKeeper  # noqa: PLC0415 - as above

        return SimulatedKeeper()
    return ByHand()


@dataclass(frozen=True)
class Account:
    """The account of one opening. ``kept``: the portal changes its password and shuts it; ``new_password``: what closing gives it."""

    name: str
    kept: bool
    new_password: Secret | None = None


class Sealed:
    """The connector of one account."""

    kind = "sealed"
    lists_access = False
    open_steps: tuple[str, ...] = OPEN_STEPS
    close_steps: tuple[str, ...] = CLOSE_STEPS

    def __init__(self, keeper: Keeper | None = None, account: Account | None = None) -> None:
        """Without an account it stands for a system that the portal does not reach."""
        self.keeper = keeper or ByHand()
        self.account = account or Account("", False)
        self.reads_back = self.keeper.looks

    def make_secret(self) -> Secret:
        """A password of 140 random bits."""
        return make_password()

    def verifier(self, target: Target, login: str, password: Secret) -> Secret:  # noqa: ARG002 - the account has its password already
        """None is made for an opening."""
        return Secret("")

    def prepare(self, target: Target) -> Snapshot:
        """The catalogue before opening, as far as it can be read."""
        return self.keeper.snapshot(target)

    def open(self, target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
        """Let the account log in until the end, where the portal keeps it; then look."""
        name, keeper = self.account.name, self.keeper
        step("connected")
        found = self._there(target) if keeper.looks else Standing("", enabled=True)
        if self.account.kept:
            if opening.expires_at_ms <= time.time_ns() // 1_000_000 and target.kind != "simulated":
                raise TargetRefused("The end of this grant has passed; nothing was opened.")
            keeper.unseal(target, name, expires_at_ms=opening.expires_at_ms)
            step("account opened")
            found = self._there(target)
        if not found.enabled:
            raise TargetRefused(f"The account {name} cannot log in on the target. Its custodian has to look at it.")
        step("read back")
        said = target.settings
        return Opened(
            login=name, marker=name, marker_ref=found.ref, provisioned_at_ms=_now(target), host=str(said.get("host") or ""),
            port=int(said.get("port") or 0), database=str(said.get("dbname") or ""), statement_logging=found.logged,
            superuser=found.superuser,
            warnings=() if keeper.looks else ("The portal does not reach this target: it sees neither sessions nor the end of them.",),
        )  # fmt: skip

    def extend(self, target: Target, closing: Closing, *, expires_at_ms: int) -> None:  # noqa: ARG002 - the account is our own
        """Move the end, where the portal keeps the account."""
        if self.account.kept:
            self.keeper.unseal(target, self.account.name, expires_at_ms=expires_at_ms)

    def close(self, target: Target, closing: Closing, *, step: Step = no_step) -> Closed:
        """Change the password if it was shown, test it, shut the account, end its sessions."""
        name, new = self.account.name, self.account.new_password
        step("connected")
        rotated: int | None = None
        taken: bool | None = None
        tested: int | None = None
        if self.account.kept and new is not None:
            self.keeper.rotate(target, name, new)
            rotated = _now(target)
            step("password changed")
            taken = self.keeper.tries_login(target, name, new)
            tested = max(_now(target), rotated + 1)
            step("login tested")
        if self.account.kept:
            self.keeper.seal(target, name)
            step("account shut")
        ended = self.keeper.end_sessions(target, name)
        step("sessions ended")
        return Closed(closing.marker_ref, ended, True, (), None, rotated, tested, taken)

    def read_back(self, target: Target, closing: Closing, *, before: Snapshot | None) -> ReadBack:  # noqa: ARG002 - as above
        """Whether a session is left, or an account that should be shut can log in."""
        name, keeper = self.account.name, self.keeper
        live = keeper.sessions(target, name)
        left = [Remainder("live session", f"Session {each} of {name} is still there.") for each in live]
        if self.account.kept and (found := keeper.look(target, name)) is not None and found.enabled:
            left.append(Remainder("login", f"{name} can still log in."))
        drift = keeper.drift(target, before) if before else ()
        return ReadBack(_now(target), not left, tuple(left), drift, len(live))

    def list_access(self, target: Target, privileges: Collection[str]) -> Listing:  # noqa: ARG002 - as above
        """The register is compared account by account instead."""
        raise TargetRefused("Targets that the portal does not reach cannot say who is able to act.")

    def running(self, target: Target, closing: Closing) -> tuple[Running, ...]:  # noqa: ARG002 - as above
        """Sessions of the account, by name only."""
        return tuple(Running(each, "", "", None, None) for each in self.keeper.sessions(target, self.account.name))

    def test(self, target: Target) -> tuple[Check, ...]:  # noqa: ARG002 - as above
        """There is nothing to be reached."""
        return (Check("by hand", None, "The portal does not reach this target; its custodians look after it."),)

    def dry_run(self, target: Target, privilege: str, minutes: int) -> tuple[str, ...]:  # noqa: ARG002 - as above
        """What an opening does."""
        return (
            f"One person would hold the account {privilege} for {minutes} minute{'' if minutes == 1 else 's'}, and nobody else.",
            "Its secret is shown only after a second person has released it, or by bypass.",
        )

    def watchdog(self, target: Target) -> Held | None:  # noqa: ARG002 - as above
        """None."""
        return None

    def heartbeat(self, target: Target, nonce: str) -> Heartbeat:  # noqa: ARG002 - as above
        """Nothing can be marked where nothing is reached."""
        raise TargetRefused("The portal does not reach this target.")

    def _there(self, target: Target) -> Standing:
        found = self.keeper.look(target, self.account.name)
        if found is None:
            raise Gone(f"The target has no account {self.account.name}. The register and the target differ.")
        return found


def _now(target: Target) -> int:
    if target.kind == "simulated":
        from portal.connectors.simulated import state  # noqa: PLC0415 - a kind costs nothing until it is used

        return state.now_ms(target)
    return time.time_ns() // 1_000_000
