"""New offline cards, so that no crash leaves an account without its last resort: the pair is kept first, then the target is given its password,
then it takes the place of the older one. Wherever it breaks off, the next run goes on with the same pair, and until it is through the older one is
neither replaced nor forgotten.
"""

from collections.abc import Sequence
from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor, action, append
from portal import offline_card
from portal.clock import ms, now
from portal.connectors.base import Secret
from portal.connectors.sealed import keeper_of
from portal.crash_points import CARDS as MAKING
from portal.crash_points import reached
from portal.eligibility.queries import owner_told
from portal.errors import ChangedMeanwhile, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.offline_card import Card, CardError, Pair, combine
from portal.sealed.cards import context_of, facts_of, paper_of, replace, replace_all
from portal.sealed.drilling import key_context
from portal.sealed.models import CARDS, OfflineCard, OfflineSet, SealedAccount
from portal.sealed.queries import coming_of, last_number, locked, undone_of
from portal.sealed.rotations import settle_owed
from portal.sealed.rules import missing_of, need_in_use
from portal.sealed.states import CARD_MOVES, COMING, OWED
from portal.secrets import encrypt
from portal.systems.targets import target

MISSING = "A custodian has left, or lost the role. Give their card to another one; then new cards are made."


@sensitive_variables("papers", "pair", "password")
def make_cards(by: Actor, row: SealedAccount) -> SealedAccount:
    """A new pair for an account, from where an earlier run broke off. The caller holds its lock; raises ConnectorError kinds."""
    keeper, reached_target = keeper_of(row.system.connector), target(row.system)
    made, pair = _kept(row) or _prepared(by, row)
    reached(MAKING, "prepared")
    password = Secret(pair.password)
    keeper.rotate(reached_target, row.account, password)
    reached(MAKING, "changed")
    at = ms(now())
    taken = keeper.tries_login(reached_target, row.account, password)
    reached(MAKING, "tested")
    confirmed = confirm(by=by, made=made, rotated_at=at, tested_at=max(ms(now()), at + 1), taken=taken)
    reached(MAKING, "confirmed")
    return confirmed


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
def _kept(row: SealedAccount) -> tuple[OfflineSet, Pair] | None:
    """The pair of a run that broke off, where it can be read: the target may carry its password already."""
    made = coming_of(row)
    if made is None:
        return None
    try:
        return made, combine(*(paper_of(card) for card in made.cards.all()))
    except (WrongState, CardError):
        return None


@sensitive_variables()
def _prepared(by: Actor, row: SealedAccount) -> tuple[OfflineSet, Pair]:
    said = row.system.settings
    host, port = said.get("public_host") or said.get("host") or "", said.get("public_port") or said.get("port") or ""
    where = f"{host}:{port}/{said.get('dbname', '')}" if host else row.system.slug
    *papers, pair = offline_card.make(
        account=str(row.pk), system=row.system.slug, login=row.account, where=where, number=last_number(row) + 1
    )
    return prepare(by=by, account_id=row.pk, papers=papers, pair=pair), pair


@sensitive_variables("papers", "pair", "paper")
@action(event=("offline.replaced", "offline.cards_prepared"))
def prepare(*, by: Actor, account_id: UUID, papers: Sequence[Card], pair: Pair) -> OfflineSet:
    """Keep a new pair, which nobody can print yet. One that was kept before and cannot be read any more is given up."""
    row = locked(account_id)
    _on_cards(row)
    if (unread := coming_of(row)) is not None:
        replace(by, row, unread)
    made = OfflineSet(account=row, number=pair.number, state=COMING, made_at=now())
    made.drill_key = encrypt(pair.drill_key.hex(), key_context(made))
    made.save()
    for paper, custodian in zip(papers, row.custodians, strict=True):
        card = OfflineCard(of_set=made, letter=paper.letter, custodian=custodian)
        card.share = encrypt(paper.qr(), context_of(card))
        card.save()
    append("offline.cards_prepared", by=by, subject=row.log_subject, **facts_of(made))
    return made


@action(event=("sealed.rotated", "sealed.tested", "offline.cards_made", "offline.replaced"))
def confirm(*, by: Actor, made: OfflineSet, rotated_at: int, tested_at: int, taken: bool) -> SealedAccount:
    """The target carries the new password: its cards wait to be printed, and older ones are worth nothing. The password itself is kept nowhere.

    Where the target did not take it, both pairs stay as they are, and the same one is tried again.
    """
    row = locked(made.account_id)
    _on_cards(row)
    if taken:
        new = OfflineSet.objects.select_for_update().get(pk=made.pk)
        replace_all(by, row, but=new)
        make(new, CARD_MOVES["confirm"], says="This set was confirmed already.")
        new.account = row
        holders = row.custodians
        for card, custodian in zip(new.cards.order_by("letter"), holders, strict=True):
            OfflineCard.objects.filter(pk=card.pk).update(
                custodian=custodian
            )  # they may be others than when it was prepared
        tell(
            by=by, people=holders, kind="offline.cards_made", about=row.log_subject, path=f"/sealed/{row.pk}/",
            facts={"account": row.name, "system": row.system.name, "number": new.number},
        )  # fmt: skip
        append(
            "offline.cards_made", by=by, subject=row.log_subject, **facts_of(new), custodians=[str(each.pk) for each in holders]
        )  # fmt: skip
    settle_owed(by=by, row=row, rotated_at=rotated_at, tested_at=tested_at, taken=taken)
    return row


def _on_cards(row: SealedAccount) -> None:
    need_in_use(row)
    if row.kept_by != CARDS:
        raise WrongState("This account has no cards.", about=row)
