"""Uses of offline cards: which pair it was, and when its secret counts as known.

One person's word alone burns no pair: who declares a use that never was would take the last resort from everybody. A session on the target, or a second
person, has to say the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from audit.log.append import Actor, action, append
from portal.clock import ms
from portal.errors import ChangedMeanwhile, WrongState
from portal.moves import make
from portal.sealed.cards import facts_of
from portal.sealed.models import OFFLINE, OfflineSet, SealedAccount
from portal.sealed.queries import locked
from portal.sealed.rotations import owe
from portal.sealed.states import CARD_MOVES, CARDS_ALIVE

CLOCKS = timedelta(minutes=5)  # those of a target and of somebody's wrist


@action(event="offline.used")
def note_use(
    *,
    by: Actor,
    account: SealedAccount,
    case: str,
    from_at: datetime,
    to_at: datetime,
    sessions: Sequence[str],
    began: datetime,
) -> OfflineSet:
    """A part of declaring a use: somebody says that the pair which opened the account then was used. By itself it changes nothing of that pair.

    ``began``: when the first session that the target showed began, else what was said.
    """
    row = locked(account.pk)
    made = pair_of(row, began, to_at)
    if made is None:
        raise WrongState("No pair of cards opened this account then, so none could have been used.", about=row)
    append(
        "offline.used", by=by, case=case, subject=row.log_subject, **facts_of(made), person_id=by.id, from_at=ms(from_at), to_at=ms(to_at),
        sessions=list(sessions)[:200],
    )  # fmt: skip
    return made


def pair_of(account: SealedAccount, from_at: datetime, to_at: datetime) -> OfflineSet | None:
    """The pair that opened the account when the use began, though it may have been replaced since; else the first one while it lasted."""
    then = OfflineSet.objects.select_for_update().filter(account=account, opened_at__lte=to_at + CLOCKS)
    found = then.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=from_at)).order_by("number").first()
    if found is not None:
        found.account = account
    return found


@action(event=("offline.use_confirmed", "sealed.rotation_owed"))
def burn(
    *, by: Actor, made: OfflineSet, case: str, sessions: Sequence[str] = (), word_of: str | None = None
) -> OfflineSet:
    """A part of declaring, confirming or binding a use: two sources say it, so the secret is known and a new one is owed at once.

    Raises:
        ChangedMeanwhile: the pair is worth nothing already.
    """
    row = locked(made.account_id)
    pair = OfflineSet.objects.select_for_update().get(pk=made.pk)
    if pair.state not in CARDS_ALIVE:
        raise ChangedMeanwhile("This pair of cards is worth nothing already.", about=row)
    pair.account = row
    make(pair, CARD_MOVES["use"], says="This use was confirmed already.")
    owe(by=by, account=row, cause=OFFLINE, case=case)
    append(
        "offline.use_confirmed", by=by, case=case, subject=row.log_subject, **facts_of(pair), word_of=word_of,
        sessions=list(sessions)[:200] or None,
    )  # fmt: skip
    return pair
