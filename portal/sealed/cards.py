"""Offline cards: printed once by each of two custodians, replaced after a use. How they are made: `making`; drills: `drilling`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.eligibility.models import CUSTODIAN as CUSTODIAN_ROLE
from portal.eligibility.queries import holds
from portal.errors import NotAllowed, WrongState
from portal.moves import make
from portal.offline_card import Card as Paper
from portal.offline_card import CardError
from portal.offline_card import read as read_card
from portal.people.strength import need_fresh
from portal.sealed.models import RENEWED, OfflineCard, OfflineSet, Rotation, SealedAccount
from portal.sealed.queries import locked, undone_of
from portal.sealed.rotations import owe
from portal.sealed.rules import need_in_use
from portal.sealed.states import CARD_MOVES, CARDS_ALIVE, OWED, REPLACED
from portal.secrets import SecretUnreadable, decrypt

PRINTED = "This card was printed already. A second one takes a new set."


def is_holder(by: Actor, account: SealedAccount) -> None:
    """One of the two custodians, while they hold the role.

    Raises:
        NotAllowed: anybody else.
    """
    if by.id not in {str(each.pk) for each in account.custodians} or not holds(by.id, CUSTODIAN_ROLE, account.system):
        raise NotAllowed(
            "Only the two custodians of this account may do that.", about=account, kind="not the custodian"
        )


def replace_all(by: Actor, row: SealedAccount, but: OfflineSet | None = None) -> None:
    """A part of an action that has locked the account: no pair of it is worth anything any more, and what was not printed is forgotten.

    ``but`` is the pair that takes their place.
    """
    pairs = OfflineSet.objects.select_for_update().filter(account=row).exclude(state=REPLACED)
    for older in pairs.exclude(pk=but.pk) if but else pairs:
        replace(by, row, older)


def replace(by: Actor, row: SealedAccount, pair: OfflineSet) -> None:
    """As `replace_all`, of one pair: neither a share nor the key of its drills is kept."""
    make(pair, CARD_MOVES["replace"], says="This set was replaced already.", drill_key=None)
    OfflineCard.objects.filter(of_set=pair).update(share=None)
    pair.account = row
    append("offline.replaced", by=by, subject=row.log_subject, **facts_of(pair))


@action(event=("offline.card_printed", "offline.handed_out"), refused="sealed.act_refused")
def print_card(*, by: Actor, card: OfflineCard) -> Paper:
    """Give its custodian their own card, once; from then on the portal has it no more."""
    account = locked(OfflineSet.objects.values_list("account_id", flat=True).get(pk=card.of_set_id))
    made = OfflineSet.objects.select_for_update().get(pk=card.of_set_id)
    made.account = account
    row = OfflineCard.objects.select_for_update(of=("self",)).get(pk=card.pk)
    row.of_set = made
    is_holder(by, account)
    if str(row.custodian_id) != by.id:
        raise NotAllowed("Each custodian prints their own card alone.", about=row, kind="another's card")
    need_fresh(by, about=row)
    need_in_use(account)
    if row.share is None or made.state not in CARDS_ALIVE:
        raise WrongState(PRINTED, about=row)
    paper = paper_of(row)
    row.share, row.printed_at = None, now()
    row.save(update_fields=["share", "printed_at"])
    if not made.cards.filter(printed_at__isnull=True).exists():
        make(made, CARD_MOVES["hand_out"], says="Both cards were printed already.", reminded_at=None)
        append("offline.handed_out", by=by, subject=row.log_subject, **facts_of(made))
    append(
        "offline.card_printed",
        by=by,
        subject=row.log_subject,
        **facts_of(made),
        letter=row.letter,
        custodian_id=row.custodian_id,
    )
    return paper


def paper_of(row: OfflineCard) -> Paper:
    """A card that was not printed yet. Raises WrongState where it cannot be read."""
    try:
        return read_card(decrypt(bytes(row.share or b""), context_of(row)))
    except (SecretUnreadable, CardError):
        raise WrongState("This card cannot be read any more. A new set has to be made.", about=row) from None


def context_of(card: OfflineCard) -> str:
    """To what a card's share is bound."""
    return f"offline:{card.pk}"


@action(event="sealed.rotation_owed", refused="sealed.act_refused")
def renew(*, by: Actor, account: SealedAccount) -> Rotation:
    """One of the custodians wants a new pair: a card is lost, was not printed well, or lay open."""
    row = locked(account.pk)
    is_holder(by, row)
    need_fresh(by, about=row)
    need_in_use(row)
    if undone_of(row).filter(state=OWED).exists():
        raise WrongState("New cards are being made already.", about=row)
    return owe(by=by, account=row, cause=RENEWED)


@action(event="offline.used")
def note_use(
    *, by: Actor, account: SealedAccount, case: str, from_at: datetime, to_at: datetime, sessions: Sequence[str]
) -> OfflineSet:
    """A part of declaring a use: the pair lay open, so it is worth nothing any more."""
    row = locked(account.pk)
    made = OfflineSet.objects.select_for_update().filter(account=row, state__in=CARDS_ALIVE).first()
    if made is None:
        raise WrongState("This account has no pair of cards that could have been used.", about=row)
    make(made, CARD_MOVES["use"], says="This use was declared already.")
    append(
        "offline.used", by=by, case=case, subject=row.log_subject, **facts_of(made), person_id=by.id, from_at=ms(from_at), to_at=ms(to_at),
        sessions=list(sessions)[:200],
    )  # fmt: skip
    return made


def facts_of(made: OfflineSet) -> dict[str, Any]:
    """What every event of a pair says."""
    return {
        "set_id": made.pk,
        "account_id": made.account_id,
        "system_id": made.account.system_id,
        "number": made.number,
    }
