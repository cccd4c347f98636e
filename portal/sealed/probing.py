"""The portal tries a new secret on a target that it reaches. No transaction is open while the target is waited for."""

from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor
from portal.connectors.base import ConnectorError
from portal.connectors.sealed import keeper_of
from portal.errors import RefusedByPolicy
from portal.people.strength import need_fresh
from portal.sealed.models import SealedAccount
from portal.sealed.rotations import note_test, secret_of
from portal.sealed.rules import is_custodian
from portal.systems.targets import target


def is_reached(account: SealedAccount) -> bool:
    """Whether the portal can try a secret there itself."""
    return keeper_of(account.system.connector).looks


@sensitive_variables("secret")
def try_secret(*, by: Actor, account: SealedAccount) -> SealedAccount:
    """Try the secret that lies in the portal; the answer goes on record, and holds for that secret alone.

    Raises:
        ChangedMeanwhile: another one was laid in while the target was asked.
        RefusedByPolicy: the target does not answer; the sentence says why.
    """
    is_custodian(by, account)
    need_fresh(by, about=account)
    account.refresh_from_db(fields=["secret"])
    secret, tried = secret_of(account), bytes(account.secret or b"")
    try:
        taken = keeper_of(account.system.connector).tries_login(target(account.system), account.account, secret)
    except ConnectorError as error:
        raise RefusedByPolicy(error.sentence, about=account, kind="not tried") from error
    return note_test(by=by, account=account, taken=taken, by_portal=True, tried=tried)
