"""The opening that followed: its grant, more time, attempts on the target, and what was read back. Times are milliseconds since 1970 UTC."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Extension:
    """More time: asked, and what became of it."""

    id: str
    minutes: int
    asked_at: int | None = None
    reason: str = ""
    decided_at: int | None = None
    decided_by: str = ""
    given: bool = False
    expires_at: int | None = None
    applied_at: int | None = None


@dataclass(frozen=True)
class Trouble:
    """An attempt on the target that did not work; ``act`` is ``open`` or ``close``."""

    act: str
    at: int
    attempt: int
    sentence: str


@dataclass(frozen=True)
class ReadBack:
    """What the target showed after closing."""

    at: int
    clear: bool
    remainders: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    details: str = ""
    drift_details: str = ""
    sessions_ended: int = 0


@dataclass(frozen=True)
class Grant:
    """The opening that followed."""

    id: str
    authorised_at: int | None = None
    attempts: int = 0
    login: str = ""
    opened_at: int | None = None
    first_expires_at: int | None = None
    expires_at: int | None = None
    statement_logging: bool | None = None
    unsealed: bool = False
    witnessed: bool = False
    warnings: tuple[str, ...] = ()
    revealed: tuple[int, ...] = ()
    over: str = ""
    over_by: str = ""
    over_reason: str = ""
    ended_at: int | None = None
    over_at: int | None = None
    removed_at: int | None = None
    confirmed_at: int | None = None
    failed: str = ""
    closing: bool = False
    account_id: str = ""
    replace_owed_at: int | None = None
    replace_due_at: int | None = None
    replaced_at: int | None = None
    replacement_tried_at: int | None = None

    @property
    def sealed(self) -> bool:
        """It opened a sealed account: the account and its secret outlive the access."""
        return bool(self.account_id)

    @property
    def secret_known(self) -> bool:
        """The secret of a sealed account was shown and not replaced since: it works, whatever the read-back found."""
        return self.sealed and bool(self.revealed) and self.replaced_at is None
