"""New offline cards, so that neither a crash nor a custodian who does not print leaves an account without its last resort.

A new pair is made and printed first. Only when both custodians have said that they hold their cards is the target given its password and a login tried,
and only then the older pair is worth nothing. Where no pair opens the account (the first one, or after a use) the target is given the password at once.
Wherever it breaks off, the next run goes on with the same pair.
"""

from collections.abc import Sequence
from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor, action, append
from portal import offline_card
from portal.clock import moment, ms, now
from portal.connectors.base import Secret
from portal.connectors.sealed import keeper_of
from portal.crash_points import CARDS as MAKING
from portal.crash_points import reached
from portal.eligibility.queries import owner_told
from portal.errors import ChangedMeanwhile, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.offline_card import Card, Pair
from portal.sealed.cards import context_of, facts_of, hand_out, is_held, replace, replace_all
from portal.sealed.drilling import key_context
from portal.sealed.models import CARDS, OfflineCard, OfflineSet, SealedAccount
from portal.sealed.queries import coming_of, last_number, locked, opening_pair, undone_of
from portal.sealed.rotations import settle_owed
from portal.sealed.rules import missing_of, need_in_use
from portal.sealed.states import CARD_MOVES, COMING, OWED
from portal.secrets import SecretUnreadable, decrypt, encrypt
from portal.systems.targets import target

MISSING = "A custodian has left, or lost the role. Give their card to another one; then new cards are made."
WAITS = "Waits until both custodians have printed the new cards and said that they hold them; the older ones open the account until then."


@sensitive_variables("password")
def make_cards(by: Actor, row: SealedAccount) -> SealedAccount:
    """A new pair for an account, from where an earlier run broke off, as far as it may go. The caller holds its lock; raises ConnectorError kinds."""
    made, password = _kept(row) or _prepared(by, row)
    reached(MAKING, "prepared")
    if not may_take_over(row, made):
        return row
    if made.begun_at is None:
        note_begun(by=by, made=made)
    reached(MAKING, "begun")
    keeper, reached_target = keeper_of(row.system.connector), target(row.system)
    keeper.rotate(reached_target, row.account, password)
    reached(MAKING, "changed")
    at = ms(now())
    taken = keeper.tries_login(reached_target, row.account, password)
    reached(MAKING, "tested")
    confirmed = confirm(by=by, made=made, rotated_at=at, tested_at=max(ms(now()), at + 1), taken=taken)
    reached(MAKING, "confirmed")
    return confirmed


def may_take_over(row: SealedAccount, made: OfflineSet) -> bool:
    """Whether the target may be given its password: both custodians hold it, or no older pair would be lost."""
    return made.begun_at is not None or opening_pair(row) is None or is_held(made)


@action(event="offline.change_begun")
def note_begun(*, by: Actor, made: OfflineSet) -> None:
    """From now on the target may carry the new password: nobody can tell which pair opens the account until a login was tried.

    Raises:
        ChangedMeanwhile: the pair was given up just now, or waits for its custodians; or it is noted.
    """
    row = locked(made.account_id)
    _on_cards(row)
    pair = OfflineSet.objects.select_for_update().get(pk=made.pk)
    if pair.state != COMING or pair.begun_at is not None or not may_take_over(row, pair):
        raise ChangedMeanwhile("This pair waits for its custodians, or was given up, or is on its way.", about=row)
    pair.account, pair.begun_at = row, now()
    pair.save(update_fields=["begun_at"])
    append("offline.change_begun", by=by, subject=row.log_subject, **facts_of(pair))


@action(event="offline.custodian_missing")
def note_missing(*, by: Actor, account: SealedAccount) -> None:
    """New cards are owed, and somebody else has to be named first: the owner is told, once for each reason to make them.

    Raises:
        ChangedMeanwhile: it was said before, or somebody was named just now.
    """
    row = locked(account.pk)
    missing, owed = missing_of(row), undone_of(row).filter(state=OWED)
    if not missing or not owed.exclude(last_trouble=MISSING).update(last_trouble=MISSING):
        raise ChangedMeanwhile("That a custodian is missing was said already.", about=row)
    tell(
        by=by, people=[*owner_told(row.system), *row.custodians],
        kind="offline.custodian_missing", about=row.log_subject, path=f"/sealed/{row.pk}/",
        facts={"account": row.name, "system": row.system.name, "people": [each.name for each in missing]},
    )  # fmt: skip
    append(
        "offline.custodian_missing", by=by, subject=row.log_subject, account_id=row.pk, system_id=row.system_id,
        custodians=[str(each.pk) for each in missing],
    )  # fmt: skip


@sensitive_variables()
def _kept(row: SealedAccount) -> tuple[OfflineSet, Secret] | None:
    """The pair that is being made, where its password can be read: the target may carry it already."""
    made = coming_of(row)
    try:
        return (made, Secret(decrypt(bytes(made.password), _context(made)))) if made and made.password else None
    except SecretUnreadable:
        return None


def _context(made: OfflineSet) -> str:
    """To what the password of a pair is bound."""
    return f"pair:{made.pk}"


@sensitive_variables()
def _prepared(by: Actor, row: SealedAccount) -> tuple[OfflineSet, Secret]:
    said = row.system.settings
    host, port = said.get("public_host") or said.get("host") or "", said.get("public_port") or said.get("port") or ""
    where = f"{host}:{port}/{said.get('dbname', '')}" if host else row.system.slug
    *papers, pair = offline_card.make(
        account=str(row.pk), system=row.system.slug, login=row.account, where=where, number=last_number(row) + 1
    )
    return prepare(by=by, account_id=row.pk, papers=papers, pair=pair), Secret(pair.password)


@sensitive_variables("papers", "pair", "paper")
@action(event=("offline.replaced", "offline.cards_prepared"))
def prepare(*, by: Actor, account_id: UUID, papers: Sequence[Card], pair: Pair) -> OfflineSet:
    """Keep a new pair, to be printed. One that was kept before and cannot be read any more is given up."""
    row = locked(account_id)
    _on_cards(row)
    if (unread := coming_of(row)) is not None:
        replace(by, row, unread)
    made = OfflineSet(account=row, number=pair.number, state=COMING, made_at=now())
    made.drill_key = encrypt(pair.drill_key.hex(), key_context(made))
    made.password = encrypt(pair.password, _context(made))
    made.save()
    for paper, custodian in zip(papers, row.custodians, strict=True):
        card = OfflineCard(of_set=made, letter=paper.letter, custodian=custodian)
        card.share = encrypt(paper.qr(), context_of(card))
        card.save()
    older = opening_pair(row)
    if older is not None:
        _tell_to_print(by, row, made, older.number)
    append("offline.cards_prepared", by=by, subject=row.log_subject, **facts_of(made))
    return made


@action(event=("sealed.rotated", "sealed.tested", "offline.cards_made", "offline.handed_out", "offline.replaced"))
def confirm(*, by: Actor, made: OfflineSet, rotated_at: int, tested_at: int, taken: bool) -> SealedAccount:
    """The target carries the new password, so older cards are worth nothing. The password itself is kept nowhere from now on.

    Where its cards were not printed yet, no card opens the account until they are: then there was none before either, or it was used.

    Where the target did not take it, both pairs stay as they are, and the same one is tried again.
    """
    row = locked(made.account_id)
    _on_cards(row)
    if taken:
        new = OfflineSet.objects.select_for_update().get(pk=made.pk)
        replace_all(by, row, but=new)
        make(
            new, CARD_MOVES["confirm"], says="This set was confirmed already.", password=None, opened_at=moment(rotated_at), reminded_at=None
        )  # fmt: skip
        new.account = row
        append(
            "offline.cards_made", by=by, subject=row.log_subject, **facts_of(new), custodians=[str(each.pk) for each in row.custodians]
        )  # fmt: skip
        if is_held(new):
            hand_out(by, new)
            _tell(by, row, new, "offline.taken_over")
        else:
            _tell_to_print(by, row, new)
    settle_owed(by=by, row=row, rotated_at=rotated_at, tested_at=tested_at, taken=taken)
    return row


def _tell_to_print(by: Actor, row: SealedAccount, made: OfflineSet, older: int | None = None) -> None:
    """``older``: the set that opens the account until then. Where there is none the owner has an open risk, and is told of it."""
    _tell(by, row, made, "offline.cards_made", owner=older is None, older=older)


def _tell(by: Actor, row: SealedAccount, made: OfflineSet, kind: str, *, owner: bool = True, **facts: object) -> None:
    people = [*row.custodians, *([row.system.owner] if owner else [])]
    tell(
        by=by, people=people, kind=kind, about=row.log_subject, path=f"/sealed/{row.pk}/",
        facts={"account": row.name, "system": row.system.name, "number": made.number, **facts},
    )  # fmt: skip


def _on_cards(row: SealedAccount) -> None:
    need_in_use(row)
    if row.kept_by != CARDS:
        raise WrongState("This account has no cards.", about=row)
