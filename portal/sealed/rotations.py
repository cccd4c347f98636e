"""New secrets: owed after each use, given by the custodian or by the portal, and tried afterwards."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor, action, append
from portal.clock import moment, ms, now
from portal.connectors.base import Secret
from portal.connectors.postgresql.secrets import make_password
from portal.eligibility.queries import owner_told
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.parameters import hours
from portal.people.strength import need_fresh
from portal.sealed.models import CHANGED, CONNECTOR, CUSTODIAN, STOPPED, Rotation, SealedAccount
from portal.sealed.queries import locked, undone_of
from portal.sealed.rules import is_custodian, need_in_use
from portal.sealed.states import OWED, ROTATED, ROTATION_MOVES
from portal.secrets import SecretUnreadable, decrypt, encrypt

DUE_AFTER_STOP = timedelta(hours=1)
SHORTEST = 12
BACKOFF_S = (5, 30, 120, 600)  # after each failed try; the tries count until a test passes
NOT_OWED = "A new secret was given already."
NOT_ROTATED = "There is no new secret to be tried."
NOT_TAKEN = "The target did not take the new secret."
LAID_IN_MEANWHILE = "Another secret was laid in while the target was asked. Try that one."
TOO_SHORT = f"A secret has at least {SHORTEST} characters."
THE_SAME = "That is the secret that is to be replaced. Set a new one on the target first."


def due_after() -> timedelta:
    """A new secret is owed for so long; the operator's stricter figure holds."""
    return hours("rotation_hours")


def next_try(attempts: int) -> datetime:
    """When to try again after so many earlier tries that failed; the last of the pauses stays."""
    return now() + timedelta(seconds=BACKOFF_S[min(attempts, len(BACKOFF_S) - 1)])


def context(account_id: object) -> str:
    """To what an account's secret is bound."""
    return f"sealed:{account_id}"


def owe(*, by: Actor, account: SealedAccount, cause: str, grant_id: UUID | None = None, case: str = "") -> Rotation:
    """A part of an action that has locked the account: from now on a new secret is owed, and who keeps it is told."""
    at = now()
    due = at + (DUE_AFTER_STOP if cause == STOPPED else due_after())
    row = Rotation.objects.create(account=account, cause=cause, grant_id=grant_id, owed_at=at, due_at=due)
    if cause == STOPPED:
        tell_of_stop(by=by, account=account, rotation=row, case=case)
    elif account.kept_by == CUSTODIAN:
        tell(by=by, people=[account.custodian], kind="sealed.rotation_owed", **_told(account, row, case))
    append(
        "sealed.rotation_owed", by=by, case=case, subject=account.log_subject, rotation_id=row.pk, account_id=account.pk,
        system_id=account.system_id, grant_id=grant_id, cause=cause, due_at=ms(row.due_at), custodian_id=account.custodian_id,
    )  # fmt: skip
    return row


def tell_of_stop(*, by: Actor, account: SealedAccount, rotation: Rotation, case: str = "") -> None:
    """A part of an emergency stop: its custodian alone can end what whoever was shown the secret can do with it."""
    people, addresses = [account.custodian, *owner_told(account.system)], settings.PORTAL_SECURITY_LIST
    tell(by=by, people=people, addresses=addresses, kind="sealed.known_at_stop", **_told(account, rotation, case))


def _told(account: SealedAccount, rotation: Rotation, case: str) -> dict[str, Any]:
    return {
        "case": case, "about": account.log_subject, "path": f"/sealed/{account.pk}/", "grant_id": rotation.grant_id,
        "facts": {
            "account": account.name, "system": account.system.name, "due_at": rotation.due_at, "cause": rotation.get_cause_display(),
        },
    }  # fmt: skip


@sensitive_variables("secret")
@action(event="sealed.rotated", refused="sealed.act_refused")
def lay_in(*, by: Actor, account: SealedAccount, secret: str) -> SealedAccount:
    """The custodian has set a new secret on the target and lays it in here. It settles all that was owed."""
    row = locked(account.pk)
    is_custodian(by, row)
    need_fresh(by, about=row)
    need_in_use(row)
    if row.kept_by != CUSTODIAN:
        raise WrongState("The portal gives this account its secrets itself.", about=row)
    if len(secret) < SHORTEST:
        raise RefusedByPolicy(TOO_SHORT, about=row)
    if row.secret is not None and _same(row, secret):
        raise RefusedByPolicy(THE_SAME, about=row, kind="same secret")
    row.secret = encrypt(secret, context(row.pk))
    row.save(update_fields=["secret"])
    at = now()
    owed = _owed_or_new(row)
    for each in owed:
        _rotated(by, row, each, at, by.id)
    return row


@action(event="sealed.tested", refused="sealed.act_refused")
def note_test(
    *, by: Actor, account: SealedAccount, taken: bool, by_portal: bool = False, tried: bytes | None = None
) -> SealedAccount:
    """Whether the target took the new secret: the custodian tried it there, or the portal did. One that was not taken is owed again.

    ``tried`` is what lay here, encrypted, when the portal tried it: no two encryptions are alike, so it tells one secret from the next.

    Raises:
        ChangedMeanwhile: another secret was laid in while the target was asked; nothing was found out about that one.
    """
    row = locked(account.pk)
    is_custodian(by, row)
    need_fresh(by, about=row)
    need_in_use(row)
    if tried is not None and tried != bytes(row.secret or b""):
        raise ChangedMeanwhile(LAID_IN_MEANWHILE, about=row)
    waiting = list(undone_of(row).filter(state=ROTATED))
    if not waiting:
        raise WrongState(NOT_ROTATED, about=row)
    at = now()
    for each in waiting:
        _tested(by, row, each, at, CONNECTOR if by_portal else by.id, taken=taken)
    return row


@action(event="sealed.rotation_begun")
def begin(*, by: Actor, account_id: UUID, case: str = "", grant_id: UUID | None = None) -> SealedAccount:
    """The portal is about to give the account a new secret: it is made and laid down first, so that no crash loses it."""
    row = locked(account_id)
    if row.kept_by == CUSTODIAN:
        raise WrongState("The custodian of this account gives it its secrets.", about=row)
    need_in_use(row)
    if row.next_secret is None and row.kept_by == CONNECTOR:
        row.next_secret = encrypt(make_password().reveal(), context(row.pk))
        row.save(update_fields=["next_secret"])
    append(
        "sealed.rotation_begun",
        by=by,
        case=case,
        subject=row.log_subject,
        account_id=row.pk,
        system_id=row.system_id,
        grant_id=grant_id,
    )
    return row


@action(event=("sealed.rotated", "sealed.tested"))
def settle(
    *, by: Actor, account_id: UUID, rotated_at: int, tested_at: int, taken: bool, case: str = ""
) -> SealedAccount:
    """The target carries the new secret: it takes the place of the old one, and settles all that was owed."""
    row = locked(account_id)
    if row.next_secret is None:
        raise WrongState(NOT_OWED, about=row)
    row.secret, row.next_secret = row.next_secret, None
    row.save(update_fields=["secret", "next_secret"])
    settle_owed(by=by, row=row, rotated_at=rotated_at, tested_at=tested_at, taken=taken, case=case)
    return row


def settle_owed(*, by: Actor, row: SealedAccount, rotated_at: int, tested_at: int, taken: bool, case: str = "") -> None:
    """A part of an action that has locked the account: what the portal did on the target settles all that was owed."""
    for each in _owed_or_new(row):
        _rotated(by, row, each, moment(rotated_at), CONNECTOR, case)
    for each in undone_of(row).filter(state=ROTATED):
        _tested(by, row, each, moment(tested_at), CONNECTOR, case, taken=taken)


def _owed_or_new(row: SealedAccount) -> list[Rotation]:
    """All that a new secret settles; one that nobody owed is kept as well."""
    at = now()
    owed = list(undone_of(row).filter(state=OWED))
    return owed or [Rotation.objects.create(account=row, cause=CHANGED, owed_at=at, due_at=at + due_after())]


def _rotated(by: Actor, row: SealedAccount, rotation: Rotation, at: datetime, who: str, case: str = "") -> None:
    make(
        rotation,
        ROTATION_MOVES["rotate"],
        says=NOT_OWED,
        rotated_at=at,
        rotated_by=who,
        next_try_at=None,
        last_trouble="",
    )
    append(
        "sealed.rotated",
        by=by,
        case=case,
        subject=row.log_subject,
        **_facts(row, rotation),
        rotated_at=ms(at),
        rotated_by=who,
    )


def _tested(
    by: Actor, row: SealedAccount, rotation: Rotation, at: datetime, who: str, case: str = "", *, taken: bool
) -> None:
    if taken:
        make(rotation, ROTATION_MOVES["pass"], says=NOT_ROTATED, tested_at=at, tested_by=who)
    else:
        make(
            rotation, ROTATION_MOVES["fail"], says=NOT_ROTATED, rotated_at=None, rotated_by="", last_trouble=NOT_TAKEN,
            attempts=rotation.attempts + 1, next_try_at=next_try(rotation.attempts),
        )  # fmt: skip
    append(
        "sealed.tested",
        by=by,
        case=case,
        subject=row.log_subject,
        **_facts(row, rotation),
        tested_at=ms(at),
        tested_by=who,
        ok=taken,
    )


def _facts(row: SealedAccount, rotation: Rotation) -> dict[str, Any]:
    return {"rotation_id": rotation.pk, "account_id": row.pk, "system_id": row.system_id, "grant_id": rotation.grant_id}


def _same(row: SealedAccount, secret: str) -> bool:
    try:
        return Secret(decrypt(bytes(row.secret or b""), context(row.pk))) == Secret(secret)
    except SecretUnreadable:
        return False


def secret_of(row: SealedAccount) -> Secret:
    """The secret as it lies now.

    Raises:
        WrongState: none was laid in, or it was kept under another key.
    """
    return _read(row, row.secret)


def next_secret_of(row: SealedAccount) -> Secret:
    """The secret that the target is about to be given. Raises WrongState as `secret_of`."""
    return _read(row, row.next_secret)


def _read(row: SealedAccount, stored: bytes | memoryview | None) -> Secret:
    if stored is None:
        raise WrongState("No secret was laid in for this account yet.", about=row)
    try:
        return Secret(decrypt(bytes(stored), context(row.pk)))
    except SecretUnreadable:
        raise WrongState(
            "The secret cannot be read any more; its custodian has to lay in a new one.", about=row
        ) from None
