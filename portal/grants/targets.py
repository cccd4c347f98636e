"""From a grant to what a connector needs: the target, what to open, what to close. One process at a time works on a grant."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from portal.clock import ms
from portal.connectors import for_kind
from portal.connectors.base import BadSettings, Closing, Connector, Opening, PasswordUnreadable, Secret
from portal.connectors.sealed import Account, Sealed, keeper_of
from portal.grants.models import Grant
from portal.sealed.models import CONNECTOR, SealedAccount
from portal.sealed.rotations import next_secret_of
from portal.secrets import SecretUnreadable, decrypt
from portal.systems.models import System
from portal.systems.targets import target as target_of

__all__ = [
    "LOCK_CLASS",
    "LockLost",
    "alone",
    "closing_of",
    "connector_of",
    "looking_at",
    "opening_of",
    "still_alone",
    "target_of",
]

LOCK_CLASS = 0x6267  # first half of the advisory lock's key: "bg"


def connector_of(of: System | Grant) -> Connector:
    """The connector of the system's kind; that of a grant of a sealed account is put around what the kind can do with such an account.

    Raises:
        BadSettings: it is simulated and this is production; nothing real would be opened, and nobody may think so.
    """
    system = of.system if isinstance(of, Grant) else of
    if settings.PORTAL_PRODUCTION and system.connector == "simulated":
        raise BadSettings("Simulated targets are for demonstrations only.")
    if isinstance(of, Grant) and of.account_id is not None:
        return _of_account(of.account_id, system)
    return for_kind(system.connector)


def _of_account(account_id: UUID, system: System) -> Connector:
    """Read anew: the process may have laid down a new secret a moment ago."""
    row = SealedAccount.objects.get(pk=account_id)
    new = next_secret_of(row) if row.next_secret is not None else None
    return Sealed(keeper_of(system.connector), Account(row.account, row.kept_by == CONNECTOR, new))


def looking_at(grant: Grant) -> Connector:
    """As `connector_of`, for who only looks: of a sealed account as it was loaded with the grant, without a query."""
    if grant.account is None:
        return connector_of(grant.system)
    return Sealed(
        keeper_of(grant.system.connector), Account(grant.account.account, grant.account.kept_by == CONNECTOR, None)
    )


def closing_of(grant: Grant) -> Closing:
    """What closing and reading back need."""
    opened = ms(grant.opened_at) if grant.opened_at else ms(grant.authorised_at)
    return Closing(str(grant.pk), grant.number, grant.nonce, grant.privilege.on_target, grant.marker_ref, opened)


def opening_of(grant: Grant) -> Opening:
    """What opening needs; the same for each attempt but for the end.

    Raises:
        PasswordUnreadable: what was made for the first attempt was kept under another key.
    """
    if grant.planned_expires_at is None:
        raise RuntimeError("A grant gets its end when opening begins.")
    if grant.account_id is not None:  # it has its password already
        return Opening(
            str(grant.pk),
            grant.number,
            grant.nonce,
            grant.privilege.on_target,
            Secret(""),
            ms(grant.planned_expires_at),
        )
    try:
        verifier = Secret(decrypt(bytes.fromhex(grant.verifier), f"verifier:{grant.pk}"))
    except SecretUnreadable:
        raise PasswordUnreadable("The password made for this access cannot be read any more. Ask again.") from None
    return Opening(
        str(grant.pk), grant.number, grant.nonce, grant.privilege.on_target, verifier, ms(grant.planned_expires_at)
    )


class LockLost(RuntimeError):
    """The database connection that held a grant's lock is gone, so another process may be at work on the grant."""


def still_alone() -> None:
    """Ask whether this thread's connection still holds a grant's lock.

    Raises:
        LockLost: it does not.
    """
    try:
        with connection.cursor() as cursor:
            query = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND pid = pg_backend_pid() AND granted)"
            cursor.execute(query, [LOCK_CLASS])
            held = bool(cursor.fetchone()[0])
    except DatabaseError as error:
        raise LockLost("The database went away while a target was being opened.") from error
    if not held:
        raise LockLost("The grant's lock was lost while its target was being opened.")


@contextmanager
def alone(grant: Grant) -> Iterator[bool]:
    """Hold the grant's advisory lock for the length of a process; ``False`` when another process works on it.

    It belongs to the database connection, so it goes when the process is killed.
    """
    key = grant.number & 0x7FFFFFFF
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, key])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            _let_go(key)


def _let_go(key: int) -> None:
    """Where the connection is gone the lock went with it; what is being raised must not be hidden by that."""
    if connection.connection is None or connection.connection.closed:
        return
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, key])
