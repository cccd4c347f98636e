"""Offline cards: printed once by each of two custodians, who then say that they hold them. How they are made: `making`; drills: `drilling`; uses: `uses`."""

from typing import Any

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.eligibility.models import CUSTODIAN as CUSTODIAN_ROLE
from portal.eligibility.queries import holds
from portal.errors import NotAllowed, WrongState
from portal.moves import make
from portal.offline_card import Card as Paper
from portal.offline_card import CardError
from portal.offline_card import read as read_card
from portal.people.strength import need_fresh
from portal.sealed.models import RENEWED, OfflineCard, OfflineSet, Rotation, SealedAccount
from portal.sealed.queries import coming_of, locked, undone_of
from portal.sealed.rotations import owe
from portal.sealed.rules import need_in_use
from portal.sealed.states import CARD_MOVES, MADE, OWED, REPLACED, TO_PRINT
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
    """As `replace_all`, of one pair: neither a share, nor its password, nor the key of its drills is kept."""
    closed_at = now() if pair.opened_at else None
    make(
        pair,
        CARD_MOVES["replace"],
        says="This set was replaced already.",
        drill_key=None,
        password=None,
        closed_at=closed_at,
    )
    OfflineCard.objects.filter(of_set=pair).update(share=None)
    pair.account = row
    append("offline.replaced", by=by, subject=row.log_subject, **facts_of(pair))


@action(event="offline.card_printed", refused="sealed.act_refused")
def print_card(*, by: Actor, card: OfflineCard) -> Paper:
    """Give its custodian their own card, once; from then on the portal has it no more."""
    made, row = _own_card(by, card)
    if row.share is None or made.state not in TO_PRINT:
        raise WrongState(PRINTED, about=row)
    paper = paper_of(row)
    row.share, row.printed_at = None, now()
    row.save(update_fields=["share", "printed_at"])
    append("offline.card_printed", by=by, subject=row.log_subject, **_facts_of_card(row))
    return paper


@action(event=("offline.handed_out", "offline.card_held"), refused="sealed.act_refused")
def hold(*, by: Actor, card: OfflineCard) -> OfflineSet:
    """Its custodian has the printed card in hand, whole. Once both have said so, the pair takes the place of an older one."""
    made, row = _own_card(by, card)
    if row.printed_at is None or row.held_at is not None or made.state not in TO_PRINT:
        raise WrongState("There is no card that you have printed and not said yet that you hold.", about=row)
    row.held_at = now()
    row.save(update_fields=["held_at"])
    if is_held(made) and made.state == MADE:
        hand_out(by, made)
    undone_of(made.account).filter(state=OWED).update(next_try_at=None)
    append("offline.card_held", by=by, subject=row.log_subject, **_facts_of_card(row))
    return made


def is_held(made: OfflineSet) -> bool:
    """Whether both custodians said that they hold their cards."""
    return not OfflineCard.objects.filter(of_set=made, held_at__isnull=True).exists()


def hand_out(by: Actor, made: OfflineSet) -> None:
    """A part of an action: the target takes its password and both cards are held, so it opens the account."""
    make(made, CARD_MOVES["hand_out"], says="Both cards were printed already.", reminded_at=None)
    append("offline.handed_out", by=by, subject=made.log_subject, **facts_of(made))


def _own_card(by: Actor, card: OfflineCard) -> tuple[OfflineSet, OfflineCard]:
    account = locked(OfflineSet.objects.values_list("account_id", flat=True).get(pk=card.of_set_id))
    made = OfflineSet.objects.select_for_update().get(pk=card.of_set_id)
    row = OfflineCard.objects.select_for_update(of=("self",)).get(pk=card.pk)
    row.of_set, made.account = made, account
    is_holder(by, account)
    if str(row.custodian_id) != by.id:
        raise NotAllowed("Each custodian has to do with their own card alone.", about=row, kind="another's card")
    need_fresh(by, about=row)
    need_in_use(account)
    return made, row


def _facts_of_card(row: OfflineCard) -> dict[str, Any]:
    return {**facts_of(row.of_set), "letter": row.letter, "custodian_id": row.custodian_id}


def paper_of(row: OfflineCard) -> Paper:
    """A card that was not printed yet. Raises WrongState where it cannot be read."""
    try:
        return read_card(decrypt(bytes(row.share or b""), context_of(row)))
    except (SecretUnreadable, CardError):
        raise WrongState("This card cannot be read any more. A new set has to be made.", about=row) from None


def context_of(card: OfflineCard) -> str:
    """To what a card's share is bound."""
    return f"offline:{card.pk}"


@action(event=("offline.replaced", "sealed.rotation_owed"), refused="sealed.act_refused")
def renew(*, by: Actor, account: SealedAccount) -> Rotation:
    """One of the custodians wants a new pair: a card is lost, was not printed well, or lay open. The pair that opens the account stays until then.

    A pair of which a card was printed, and which the target was not given yet, is given up for it.
    """
    row = locked(account.pk)
    is_holder(by, row)
    need_fresh(by, about=row)
    need_in_use(row)
    owed, coming = undone_of(row).filter(state=OWED), coming_of(row)
    first = owed.first()
    if first is None:
        return owe(by=by, account=row, cause=RENEWED)
    if coming is None or coming.begun_at is not None or not coming.cards.filter(printed_at__isnull=False).exists():
        raise WrongState("New cards are being made already.", about=row)
    replace(by, row, coming)
    owed.update(next_try_at=None)
    return first


def facts_of(made: OfflineSet) -> dict[str, Any]:
    """What every event of a pair says."""
    return {
        "set_id": made.pk,
        "account_id": made.account_id,
        "system_id": made.account.system_id,
        "number": made.number,
    }
