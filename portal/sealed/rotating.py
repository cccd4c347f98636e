"""The portal gives an account that it keeps a new secret: intent, the target, the result. Repeated by the sweep until it is done."""

from datetime import timedelta
from uuid import UUID

from audit.log.append import process
from portal.clock import ms, now
from portal.connectors.base import ConnectorError
from portal.connectors.sealed import keeper_of
from portal.locks import alone
from portal.sealed.drilling import remind_due
from portal.sealed.keeping import tell_of_missing
from portal.sealed.making import MISSING, WAITS, make_cards, may_take_over, note_missing
from portal.sealed.models import CARDS, Rotation, SealedAccount
from portal.sealed.queries import coming_of, is_owed, rotations_due, to_shut
from portal.sealed.rotations import BACKOFF_S, begin, next_secret_of, next_try, settle
from portal.sealed.rules import missing_of
from portal.sealed.shutting import shut
from portal.sealed.states import OWED, SEALED
from portal.sweeping import done
from portal.systems.targets import target

ROTATION = process("rotation")


def run_due() -> int:
    """Give every account its new secret that is due now; returns how many were tried."""
    remind_due()
    tell_of_missing()
    due = rotations_due(now())
    for account_id in due:
        done(f"account {account_id}", run, account_id)
    closing = to_shut(now())
    for account_id in closing:
        done(f"account {account_id}", run_shut, account_id)
    return len(due) + len(closing)


def lock_name(account_id: UUID) -> str:
    """Who holds this lock may change the account on its target."""
    return f"rotation:{account_id}"


def run(account_id: UUID) -> SealedAccount:
    """One account, unless somebody holds it: then closing does it. Safe to call at any time: what is owed no more is done once."""
    with alone(lock_name(account_id)) as held:
        account = SealedAccount.objects.select_related("system").get(pk=account_id)
        if not held or account.state != SEALED or not is_owed(account):
            return account
        if account.kept_by == CARDS and _held_up(account):
            return account
        row = begin(by=ROTATION, account_id=account_id)
        try:
            return make_cards(ROTATION, row) if row.kept_by == CARDS else _rotate(row)
        except ConnectorError as error:
            _wait(row, error.sentence)
            return row


def run_shut(account_id: UUID) -> None:
    """An account that is out of use, unless somebody else is at it."""
    with alone(lock_name(account_id)) as held:
        if held:
            shut(by=ROTATION, account_id=account_id)


def _held_up(account: SealedAccount) -> bool:
    """Whether new cards wait for people: for another custodian, or for both to print them. What the target may carry already is finished in any case."""
    coming = coming_of(account)
    if coming is not None and coming.begun_at is not None:
        return False
    if missing_of(account):
        done("cards", note_missing, by=ROTATION, account=account)
        _wait(account, MISSING)
        return True
    if coming is None or coming.password is None or may_take_over(account, coming):
        return False
    later = now() + timedelta(seconds=BACKOFF_S[-1])
    Rotation.objects.filter(account=account, state=OWED).update(next_try_at=later, last_trouble=WAITS)
    return True


def finish(account_id: UUID) -> None:
    """End what broke off between target and portal. The caller holds the lock; raises ConnectorError kinds."""
    account = SealedAccount.objects.select_related("system").get(pk=account_id)
    if account.next_secret is not None:
        _rotate(account)


def _rotate(row: SealedAccount) -> SealedAccount:
    keeper, reached, new = keeper_of(row.system.connector), target(row.system), next_secret_of(row)
    keeper.rotate(reached, row.account, new)
    at = ms(now())
    try:
        taken = keeper.tries_login(reached, row.account, new)
    finally:
        keeper.seal(reached, row.account)
    return settle(by=ROTATION, account_id=row.pk, rotated_at=at, tested_at=max(ms(now()), at + 1), taken=taken)


def _wait(row: SealedAccount, sentence: str) -> None:
    for each in Rotation.objects.filter(account=row, state=OWED):
        Rotation.objects.filter(pk=each.pk).update(
            attempts=each.attempts + 1, next_try_at=next_try(each.attempts), last_trouble=sentence[:300]
        )
