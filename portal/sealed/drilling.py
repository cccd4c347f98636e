"""Drills of offline cards: the portal asks something new each time, and only both cards together can answer; each quarter it reminds."""

import hmac
from datetime import timedelta
from typing import cast

from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor, action, append, process
from portal.clock import ms, now
from portal.eligibility.queries import owner_told
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.notifications.outbox import tell
from portal.offline_card import answer_to, new_question
from portal.parameters import days
from portal.people.strength import need_fresh
from portal.sealed.cards import facts_of, is_holder
from portal.sealed.models import OfflineSet, SealedAccount
from portal.sealed.queries import coming_of, drills_due, locked, not_printed, opening_pair
from portal.sealed.states import OUT, TO_PRINT
from portal.secrets import SecretUnreadable, decrypt
from portal.sweeping import done

PRINTED_WITHIN = timedelta(days=3)
NO_WAY_IN_REMINDED = timedelta(days=1)
ASKED_FOR = timedelta(hours=24)
NOT_ASKED = "Nothing is asked at the moment, or not any more. Begin the drill first, then put both cards together."
CHANGING = "The target is being given the password of a new pair, and may not take what these cards give any more. Drill the new ones."


def drilled_every() -> timedelta:
    """The longest time between two drills of a pair; the operator's stricter figure holds."""
    return days("drill_days")


def key_context(made: OfflineSet) -> str:
    """To what the key of a pair's drills is bound."""
    return f"drill:{made.pk}"


@action(event="offline.drill_begun", refused="sealed.act_refused")
def begin(*, by: Actor, account: SealedAccount) -> str:
    """Ask the two custodians something that only both cards can answer. It holds for a day, for one answer; asking again replaces it."""
    row, made = _pair_of(by, account)
    made.question, made.asked_at = new_question(), now()
    made.save(update_fields=["question", "asked_at"])
    append(
        "offline.drill_begun", by=by, subject=row.log_subject, **facts_of(made), person_id=by.id, question=made.question
    )
    return made.question


@action(event="offline.drilled", refused="sealed.act_refused")
def answer(*, by: Actor, account: SealedAccount, said: str) -> bool:
    """What the command printed. One that does not fit is on record too, and the next try gets another question."""
    row, made = _pair_of(by, account)
    if not is_asked(made):
        raise WrongState(NOT_ASKED, about=row)
    if not said.strip():
        raise RefusedByPolicy("Type the answer that the command printed.", about=row)
    ok = hmac.compare_digest(said.strip().lower().encode(), _expected(made).encode())
    if ok:
        made.drilled_at, made.reminded_at = now(), None
    made.question, made.asked_at = "", None
    made.save(update_fields=["drilled_at", "reminded_at", "question", "asked_at"])
    append("offline.drilled", by=by, subject=row.log_subject, **facts_of(made), person_id=by.id, ok=ok)
    return ok


def is_asked(made: OfflineSet) -> bool:
    """Whether an answer is awaited."""
    return made.asked_at is not None and now() - made.asked_at < ASKED_FOR


def _pair_of(by: Actor, account: SealedAccount) -> tuple[SealedAccount, OfflineSet]:
    row = locked(account.pk)
    is_holder(by, row)
    need_fresh(by, about=row)
    made = OfflineSet.objects.select_for_update().filter(account=row, state=OUT).first()
    if made is None:
        raise WrongState("There is no pair of cards with its custodians.", about=row)
    if _being_changed(row):
        raise WrongState(CHANGING, about=row)
    if made.drill_key is None:
        raise WrongState("These cards are of a time before drills asked questions. Ask for new cards.", about=row)
    made.account = row
    return row, made


def _being_changed(row: SealedAccount) -> bool:
    """Whether the target may carry the password of another pair already."""
    coming = coming_of(row)
    return coming is not None and coming.begun_at is not None


@sensitive_variables("key")
def _expected(made: OfflineSet) -> str:
    try:
        key = bytes.fromhex(decrypt(bytes(cast(bytes, made.drill_key)), key_context(made)))
    except SecretUnreadable:
        raise WrongState("The key of these drills cannot be read any more. Ask for new cards.", about=made) from None
    return answer_to(made.question, key)


# --- reminders


def remind_due() -> int:
    """Tell the custodians of each pair that is to be drilled, once for each time, or printed: each day while no card opens the account.

    One that cannot be told holds up nothing else.
    """
    by, at = process("cards"), now()
    drills = sum(done("cards", remind, by=by, made=made) for made in drills_due(now() - drilled_every()))
    return drills + sum(
        done("cards", remind_to_print, by=by, made=made)
        for made in not_printed(at - NO_WAY_IN_REMINDED, at - PRINTED_WITHIN)
    )


@action(event="offline.drill_due")
def remind(*, by: Actor, made: OfflineSet) -> None:
    """A quarter is over since the pair was drilled, or handed out.

    Raises:
        ChangedMeanwhile: they were reminded, or drilled it, or it was replaced just now, or is about to be.
    """
    row = locked(made.account_id)
    pair = OfflineSet.objects.select_for_update().get(pk=made.pk)
    due = (pair.drilled_at or pair.made_at) + drilled_every()
    if pair.state != OUT or pair.reminded_at is not None or due > now() or _being_changed(row):
        raise ChangedMeanwhile("This pair is not due for a reminder any more.", about=row)
    pair.account, pair.reminded_at = row, now()
    pair.save(update_fields=["reminded_at"])
    _tell(by, row, pair, "offline.drill_due", due_at=due)
    append("offline.drill_due", by=by, subject=row.log_subject, **facts_of(pair), due_at=ms(due))


@action(event="offline.not_printed")
def remind_to_print(*, by: Actor, made: OfflineSet) -> None:
    """This pair is not with its custodians yet; no card, or an older pair, opens the account until it is.

    Raises:
        ChangedMeanwhile: they were reminded, or printed both, or it was replaced just now.
    """
    row = locked(made.account_id)
    pair = OfflineSet.objects.select_for_update().get(pk=made.pk)
    if pair.state not in TO_PRINT or pair.reminded_at != made.reminded_at:
        raise ChangedMeanwhile("This pair does not wait to be printed any more.", about=row)
    pair.account, pair.reminded_at = row, now()
    pair.save(update_fields=["reminded_at"])
    older = opening_pair(row)
    _tell(by, row, pair, "offline.not_printed", older=older.number if older else None)
    append("offline.not_printed", by=by, subject=row.log_subject, **facts_of(pair))


def _tell(by: Actor, row: SealedAccount, pair: OfflineSet, kind: str, **facts: object) -> None:
    tell(
        by=by, people=[*row.custodians, *owner_told(row.system)], kind=kind, about=row.log_subject, path=f"/sealed/{row.pk}/",
        facts={"account": row.name, "system": row.system.name, "number": pair.number, **facts},
    )  # fmt: skip
