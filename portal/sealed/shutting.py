"""An account that is out of use is shut on its target: another password, which nobody has, no login, no session; then the target is asked."""

from uuid import UUID

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.connectors.base import ConnectorError
from portal.connectors.postgresql.secrets import make_password
from portal.connectors.sealed import keeper_of
from portal.errors import ChangedMeanwhile
from portal.sealed.models import SealedAccount
from portal.sealed.queries import locked
from portal.sealed.rotations import next_try
from portal.sealed.states import RETIRED
from portal.systems.targets import target

STILL_OPEN = "The target still lets it log in."
LATEST = 3  # the longest pause between two tries


def shut(*, by: Actor, account_id: UUID) -> None:
    """No transaction is open while the target is asked. What goes wrong stands on the account's page, and is tried again until the target refuses it."""
    account = SealedAccount.objects.select_related("system").get(pk=account_id)
    if account.state != RETIRED or account.shut_at is not None:
        return
    try:
        trouble, ended = _shut_on_target(account)
    except ConnectorError as error:
        trouble, ended = error.sentence, 0
    if trouble:
        SealedAccount.objects.filter(pk=account_id).update(shut_trouble=trouble[:300], shut_try_at=next_try(LATEST))
    else:
        note_shut(by=by, account_id=account_id, sessions_ended=ended)


def _shut_on_target(account: SealedAccount) -> tuple[str, int]:
    """What is left to do, in a sentence, and how many sessions were ended. One that the target has no more is shut."""
    keeper, reached = keeper_of(account.system.connector), target(account.system)
    if keeper.look(reached, account.account) is None:
        return "", 0
    keeper.rotate(reached, account.account, make_password())
    keeper.seal(reached, account.account)
    ended = keeper.end_sessions(reached, account.account)
    found = keeper.look(reached, account.account)
    return STILL_OPEN if found is not None and found.enabled else "", ended


@action(event="sealed.shut")
def note_shut(*, by: Actor, account_id: UUID, sessions_ended: int) -> SealedAccount:
    """The target was asked, and does not let it in.

    Raises:
        ChangedMeanwhile: that is on record already.
    """
    row = locked(account_id)
    if row.state != RETIRED or row.shut_at is not None:
        raise ChangedMeanwhile("That it is shut is on record already.", about=row)
    row.shut_at, row.shut_trouble, row.shut_try_at = now(), "", None
    row.save(update_fields=["shut_at", "shut_trouble", "shut_try_at"])
    append(
        "sealed.shut", by=by, subject=row.log_subject, account_id=row.pk, system_id=row.system_id, shut_at=ms(row.shut_at),
        sessions_ended=sessions_ended,
    )  # fmt: skip
    return row
