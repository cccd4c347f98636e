"""Offline cards: made by the portal, printed once by each of two custodians, drilled each quarter, replaced after a use."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.log.append import Actor, action, append, process
from portal.clock import ms, now
from portal.eligibility.models import CUSTODIAN as CUSTODIAN_ROLE
from portal.eligibility.queries import holds
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.offline_card import Card as Paper
from portal.offline_card import CardError, Pair
from portal.offline_card import read as read_card
from portal.people.strength import need_fresh
from portal.sealed.models import CARDS, RENEWED, OfflineCard, OfflineSet, Rotation, SealedAccount
from portal.sealed.queries import drills_due, locked, undone_of
from portal.sealed.rotations import owe, settle_owed
from portal.sealed.states import CARD_MOVES, CARDS_ALIVE, IN_USE, OUT, OWED, REPLACED
from portal.secrets import SecretUnreadable, decrypt, encrypt

DRILLED_EVERY = timedelta(days=90)  # the catalogue's drill_days
PRINTED = "This card was printed already. A second one takes a new set."


def is_holder(by: Actor, account: SealedAccount) -> None:
    """One of the two custodians, while they hold the role.

    Raises:
        NotAllowed: anybody else.
    """
    mine = by.id in {str(account.custodian_id), str(account.second_custodian_id)}
    if not mine or not holds(by.id, CUSTODIAN_ROLE, account.system):
        raise NotAllowed(
            "Only the two custodians of this account may do that.", about=account, kind="not the custodian"
        )


@action(event=("sealed.rotated", "sealed.tested", "offline.cards_made", "offline.replaced"))
def lay_down(
    *, by: Actor, account_id: UUID, papers: Sequence[Paper], pair: Pair, rotated_at: int, tested_at: int, taken: bool
) -> SealedAccount:
    """The target carries the new password: its cards wait to be printed, and older ones are worth nothing. The password itself is kept nowhere."""
    row = locked(account_id)
    if row.kept_by != CARDS:
        raise WrongState("This account has no cards.", about=row)
    if taken:
        replace_all(by, row)
        made = OfflineSet.objects.create(account=row, number=pair.number, made_at=now(), drill_code=pair.drill_code)
        for paper, custodian in zip(papers, (row.custodian, row.second_custodian), strict=True):
            card = OfflineCard(of_set=made, letter=paper.letter, custodian=custodian)
            card.share = encrypt(paper.qr(), _context(card))
            card.save()
        tell(
            by=by, people=[each for each in (row.custodian, row.second_custodian) if each], kind="offline.cards_made", about=row.log_subject,
            path=f"/sealed/{row.pk}/", facts={"account": row.name, "system": row.system.name, "number": pair.number},
        )  # fmt: skip
        append(
            "offline.cards_made",
            by=by,
            subject=row.log_subject,
            **_facts(made),
            custodians=[str(row.custodian_id), str(row.second_custodian_id)],
        )
    settle_owed(by=by, row=row, rotated_at=rotated_at, tested_at=tested_at, taken=taken)
    return row


def replace_all(by: Actor, row: SealedAccount) -> None:
    """A part of an action that has locked the account: no pair of it is worth anything any more, and what was not printed is forgotten."""
    for older in OfflineSet.objects.select_for_update().filter(account=row).exclude(state=REPLACED):
        make(older, CARD_MOVES["replace"], says="This set was replaced already.")
        OfflineCard.objects.filter(of_set=older).update(share=None)
        append("offline.replaced", by=by, subject=row.log_subject, **_facts(older))


@action(event=("offline.card_printed", "offline.handed_out"), refused="sealed.act_refused")
def print_card(*, by: Actor, card: OfflineCard) -> Paper:
    """Give its custodian their own card, once; from then on the portal has it no more."""
    made = OfflineSet.objects.select_for_update(of=("self",)).select_related("account__system").get(pk=card.of_set_id)
    row = OfflineCard.objects.select_for_update(of=("self",)).get(pk=card.pk)
    row.of_set = made
    is_holder(by, made.account)
    if str(row.custodian_id) != by.id:
        raise NotAllowed("Each custodian prints their own card alone.", about=row, kind="another's card")
    need_fresh(by, about=row)
    _in_use(made.account)
    if row.share is None or made.state not in CARDS_ALIVE:
        raise WrongState(PRINTED, about=row)
    paper = _paper(row)
    row.share, row.printed_at = None, now()
    row.save(update_fields=["share", "printed_at"])
    if not made.cards.filter(printed_at__isnull=True).exists():
        make(made, CARD_MOVES["hand_out"], says="Both cards were printed already.")
        append("offline.handed_out", by=by, subject=row.log_subject, **_facts(made))
    append(
        "offline.card_printed",
        by=by,
        subject=row.log_subject,
        **_facts(made),
        letter=row.letter,
        custodian_id=row.custodian_id,
    )
    return paper


def _paper(row: OfflineCard) -> Paper:
    try:
        return read_card(decrypt(bytes(row.share or b""), _context(row)))
    except (SecretUnreadable, CardError):
        raise WrongState("This card cannot be read any more. A new set has to be made.", about=row) from None


def _context(card: OfflineCard) -> str:
    return f"offline:{card.pk}"


@action(event="sealed.rotation_owed", refused="sealed.act_refused")
def renew(*, by: Actor, account: SealedAccount) -> Rotation:
    """One of the custodians wants a new pair: a card is lost, was not printed well, or lay open."""
    row = locked(account.pk)
    is_holder(by, row)
    need_fresh(by, about=row)
    _in_use(row)
    if undone_of(row).filter(state=OWED).exists():
        raise WrongState("New cards are being made already.", about=row)
    return owe(by=by, account=row, cause=RENEWED)


def _in_use(account: SealedAccount) -> None:
    if account.state not in IN_USE:
        raise WrongState("This account is not in use.", about=account)


@action(event="offline.drilled", refused="sealed.act_refused")
def drill(*, by: Actor, account: SealedAccount, code: str) -> bool:
    """Both custodians put their cards together, and one of them types the code that came of it. What does not fit is on record too."""
    row = locked(account.pk)
    is_holder(by, row)
    need_fresh(by, about=row)
    made = OfflineSet.objects.select_for_update().filter(account=row, state=OUT).first()
    if made is None:
        raise WrongState("There is no pair of cards with its custodians.", about=row)
    if not code.strip():
        raise RefusedByPolicy("Type the code that the command printed.", about=row)
    ok = code.strip().lower() == made.drill_code
    if ok:
        made.drilled_at, made.reminded_at = now(), None
        made.save(update_fields=["drilled_at", "reminded_at"])
    append("offline.drilled", by=by, subject=row.log_subject, **_facts(made), person_id=by.id, ok=ok)
    return ok


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
        "offline.used", by=by, case=case, subject=row.log_subject, **_facts(made), person_id=by.id, from_at=ms(from_at), to_at=ms(to_at),
        sessions=list(sessions)[:200],
    )  # fmt: skip
    return made


def remind_due() -> int:
    """Tell the custodians of each pair whose drill is due, once for each time."""
    due = drills_due(now() - DRILLED_EVERY)
    for made in due:
        remind(by=process("cards"), made=made)
    return len(due)


@action(event="offline.drill_due")
def remind(*, by: Actor, made: OfflineSet) -> None:
    """A quarter is over since the pair was drilled, or handed out."""
    row = locked(made.account_id)
    made.reminded_at = now()
    made.save(update_fields=["reminded_at"])
    people = [each for each in (row.custodian, row.second_custodian, row.system.owner) if each]
    due = (made.drilled_at or made.made_at) + DRILLED_EVERY
    tell(
        by=by, people=people, kind="offline.drill_due", about=row.log_subject, path=f"/sealed/{row.pk}/",
        facts={"account": row.name, "system": row.system.name, "number": made.number, "due_at": due},
    )  # fmt: skip
    append("offline.drill_due", by=by, subject=row.log_subject, **_facts(made), due_at=ms(due))


def _facts(made: OfflineSet) -> dict[str, Any]:
    return {
        "set_id": made.pk,
        "account_id": made.account_id,
        "system_id": made.account.system_id,
        "number": made.number,
    }
