"""Sealed accounts as the log tells of them: which logins they are, and who held one when. A session of one belongs to its holder."""

import time
from dataclasses import dataclass, field

from audit.log.read import LoggedEvent, named, of_subject

READ_EVERY_S = 5.0
TOLERANCE_MS = 5_000
"""Between the clocks of portal and target: an account is opened right after it was checked out."""
WRITTEN_WITHIN_MS = 60_000
"""An event is written in the transaction of its change: no later than this after the time that it tells."""
LAST_FEW = 20


@dataclass(frozen=True)
class Holding:
    """One person holding one account, under one grant."""

    grant_id: str
    person_id: str
    case: str
    from_at: int


@dataclass
class Accounts:
    """Logins of sealed accounts, by system; the register is read again every few seconds."""

    _known: dict[tuple[str, str], str] = field(default_factory=dict)
    _read_at: float = float("-inf")

    def find(self, login: str, system_id: str) -> str | None:
        """The account behind a login, or nothing where it is none."""
        if time.monotonic() - self._read_at > READ_EVERY_S:
            self._known, self._read_at = _register(), time.monotonic()
        return self._known.get((system_id, login))


def _register() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for event in named(("sealed.registered", "sealed.retired")):
        if event.name == "sealed.registered":
            found[event.fields["system_id"], event.fields["account"]] = event.fields["account_id"]
        else:
            found = {key: account for key, account in found.items() if account != event.fields["account_id"]}
    return found


def held_at(account_id: str, at: int) -> Holding | None:
    """Who held the account at that time (ms). Checked in, it is nobody's any more once the target was read back.

    It goes out and comes back by turns, so the last few events up to then say it, however often it was held.
    """
    holding: Holding | None = None
    names = ("sealed.checked_out", "sealed.checked_in")
    for event in of_subject(f"sealed:{account_id}", names, LAST_FEW, upto=at + TOLERANCE_MS + WRITTEN_WITHIN_MS):
        if event.name == "sealed.checked_out" and event.fields["from_at"] <= at + TOLERANCE_MS:
            holding = _holding(event)
        elif holding is not None and event.fields["grant_id"] == holding.grant_id and event.at < at:
            holding = None
    return holding


def _holding(event: LoggedEvent) -> Holding:
    given = event.fields
    return Holding(given["grant_id"], given["person_id"], event.case, given["from_at"])
