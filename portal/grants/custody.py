"""A sealed account in the hands of a grant: taken when it is authorised, its secret shown, put back at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from audit.log.append import Actor
from portal.connectors.base import Closed, Secret, Unreachable
from portal.errors import WrongState
from portal.grants.models import Grant, Release
from portal.locks import alone
from portal.sealed import actions, rotating, rotations
from portal.sealed.models import CONNECTOR, SealedAccount
from portal.sealed.queries import sealed_in

RELEASE_LIFE = timedelta(minutes=15)


def take(*, by: Actor, grant: Grant) -> None:
    """A part of authorising: where the privilege is a sealed account, this grant holds it from now on, and no other."""
    account = sealed_in(grant.privilege)
    if account is not None:
        actions.check_out(
            by=by, account=account, person=grant.person, grant_id=grant.pk, case=grant.log_case,
            emergency=grant.request.mode == "bypass",
        )  # fmt: skip
        grant.account = account
        grant.save(update_fields=["account"])


def unused_release(grant: Grant, at: datetime) -> Release | None:
    """The release that the next showing would use up; a stale one is none."""
    fresh = Release.objects.filter(grant=grant, used_at__isnull=True, at__gt=at - RELEASE_LIFE)
    return fresh.exclude(person_id=grant.person_id).order_by("at").first()


def needs_release(grant: Grant) -> bool:
    """Whether a second person has to say so before the secret is shown. A bypass waits for nobody, and everybody was told of it."""
    return grant.account_id is not None and grant.request.mode != "bypass"


def take_release(grant: Grant, at: datetime) -> None:
    """A part of showing the secret: one release, one showing.

    Raises:
        WrongState: of kind ``not released``.
    """
    if grant.account_id is None:
        return
    found = unused_release(grant, at)
    if found is not None:
        found.used_at = at
        found.save(update_fields=["used_at"])
    elif needs_release(grant):
        raise WrongState(
            "A second person has to release the secret first, for each time that it is shown.",
            about=grant,
            kind="not released",
        )


def secret_to_show(account: SealedAccount) -> Secret:
    """The account's secret as it lies now."""
    return rotations.secret_of(account)


@contextmanager
def nobody_rotates(grant: Grant) -> Iterator[None]:
    """Keep the sweep from giving the account a new secret while it is being opened; a rotation that broke off is finished first.

    Raises:
        Unreachable: another process is at it; a moment later it is not.
    """
    if grant.account is None or grant.account.kept_by != CONNECTOR:
        yield
        return
    with alone(rotating.lock_name(grant.account.pk)) as held:
        if not held:
            raise Unreachable("The account is being given a new secret. It is tried again in a moment.")
        rotating.finish(grant.account.pk)
        yield


def begin_rotation(*, by: Actor, grant: Grant) -> None:
    """A part of closing: where the portal keeps the account and its secret was shown, lay down the next one."""
    if grant.account is not None and grant.account.kept_by == CONNECTOR and grant.revealed_at is not None:
        rotations.begin(by=by, account_id=grant.account.pk, case=grant.log_case, grant_id=grant.pk)


def put_back(*, by: Actor, grant: Grant, to_at: int, closed: Closed | None = None) -> None:
    """A part of the end: the account is sealed again; what the connector did about its secret is kept."""
    if grant.account_id is None:
        return
    actions.check_in(
        by=by,
        account_id=grant.account_id,
        grant_id=grant.pk,
        case=grant.log_case,
        to_at=to_at,
        shown=grant.revealed_at is not None,
    )
    if closed is not None and closed.rotated_at_ms is not None and closed.tested_at_ms is not None:
        rotations.settle(
            by=by, account_id=grant.account_id, case=grant.log_case, rotated_at=closed.rotated_at_ms, tested_at=closed.tested_at_ms,
            taken=bool(closed.login_taken),
        )  # fmt: skip
