"""Set a rota up, change it, and swap weeks in it. Everybody concerned is told."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.errors import RefusedByPolicy
from portal.moves import Move, make
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.people.strength import need_fresh
from portal.rotas.models import Rota, Swap
from portal.rotas.queries import members_of, plan_of
from portal.rotas.rules import check_rota, check_swap, may_answer, may_change, may_swap, may_withdraw, need_in_use
from portal.rotas.schedule import handed_over_last, holder
from portal.rotas.states import MOVES, OFFERED
from portal.rows import lock_row
from portal.systems.models import System
from portal.unique import refuse_doubled

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DOUBLED = "This system has a rota of that name already."
ANSWERED = "This offer was answered or taken back already."


@action(event="rota.made", refused="rota.act_refused")
def set_up(*, by: Actor, system: System, name: str, members: Sequence[str], weekday: int, hour: int, zone: str) -> Rota:
    """A new rota; the first member has the week that runs now. A policy may name it from then on."""
    _check(by, system, name=name.strip(), members=members, hour=hour, zone=zone)
    with refuse_doubled(DOUBLED, about=system):
        rota = Rota.objects.create(
            system=system, name=name.strip(), members=list(members), begins=handed_over_last(weekday, hour, ZoneInfo(zone), now()), hour=hour, zone=zone,
            changed_by_id=UUID(by.id), changed_at=now(),
        )  # fmt: skip
    _tell_changed(by, rota, rota.members)
    append("rota.made", by=by, subject=rota.log_subject, **_facts(rota))
    return rota


@action(event=("rota.changed", "rota.swap_withdrawn"), refused="rota.act_refused")
def change(*, by: Actor, rota: Rota, name: str, members: Sequence[str], weekday: int, hour: int, zone: str) -> Rota:
    """Another order or hand-over, at once; the first member has the week that runs now, and swaps agreed or offered before are over."""
    locked = lock_row(Rota, rota.pk)
    _check(by, locked.system, name=name.strip(), members=members, hour=hour, zone=zone)
    need_in_use(locked)
    before = list(locked.members)
    locked.name, locked.members, locked.hour, locked.zone = name.strip(), list(members), hour, zone
    locked.begins = handed_over_last(weekday, hour, ZoneInfo(zone), now())
    locked.changed_by_id, locked.changed_at = UUID(by.id), now()
    with refuse_doubled(DOUBLED, about=locked.system):
        locked.save()
    over = _withdraw_offers(locked)
    _tell_changed(by, locked, [*before, *locked.members])
    _note_withdrawn(by, over)
    append("rota.changed", by=by, subject=locked.log_subject, **_facts(locked))
    return locked


@action(event=("rota.retired", "rota.swap_withdrawn"))
def retire(*, by: Actor, rota: Rota) -> Rota:
    """Out of use for good; its page and its history stay. Within `portal.policy.retiring.retire_rota` alone: it sees that no policy names it."""
    locked = lock_row(Rota, rota.pk)
    need_in_use(locked)
    locked.retired_by_id, locked.retired_at = UUID(by.id), now()
    locked.save(update_fields=["retired_by", "retired_at"])
    over = _withdraw_offers(locked)
    tell(
        by=by, people=[each for pk, each in members_of([locked]).items() if pk != by.id], kind="rota.retired", about=locked.log_subject,
        path=f"/rotas/{locked.pk}/", facts={"rota": locked.name, "system": locked.system.name, "by": by.name},
    )  # fmt: skip
    _note_withdrawn(by, over)
    append(
        "rota.retired",
        by=by,
        subject=locked.log_subject,
        rota_id=locked.pk,
        system_id=locked.system_id,
        rota=locked.name,
    )
    return locked


@action(event="rota.swap_offered", refused="rota.act_refused")
def offer_swap(*, by: Actor, rota: Rota, week: date, other_week: date) -> Swap:
    """Offer a week of one's own for one of another member's, who is asked."""
    locked = lock_row(Rota, rota.pk)
    may_swap(by, locked)
    need_in_use(locked)
    plan = plan_of(locked)
    number = plan.number_of(other_week)
    if number is None:
        raise RefusedByPolicy("Choose a week of this rota.", about=locked)
    taker = holder(plan, number)
    check_swap(plan, giver=by.id, week=week, taker=taker, other_week=other_week, about=locked)
    with refuse_doubled("This week is offered already.", about=locked):
        swap = Swap.objects.create(
            rota=locked,
            offered_by_id=UUID(by.id),
            offered_at=now(),
            week=week,
            to_id=UUID(taker),
            other_week=other_week,
        )
    _tell_swap(by, swap, "rota.swap_offered", swap.to)
    append("rota.swap_offered", by=by, subject=swap.log_subject, **_of_swap(swap))
    return swap


@action(event="rota.swap_taken", refused="rota.act_refused")
def take_swap(*, by: Actor, swap: Swap) -> Swap:
    """Agree: from now on each holds the other's week."""
    rota = lock_row(Rota, swap.rota_id)
    locked = lock_row(Swap, swap.pk)
    may_answer(by, locked)
    check_swap(
        plan_of(rota), giver=str(locked.offered_by_id), week=locked.week, taker=by.id, other_week=locked.other_week, about=rota
    )  # fmt: skip
    return _answered(by, locked, MOVES["take"], locked.offered_by, taken=True)


@action(event="rota.swap_declined", refused="rota.act_refused")
def decline_swap(*, by: Actor, swap: Swap) -> Swap:
    """Keep one's own week."""
    locked = lock_row(Swap, swap.pk)
    may_answer(by, locked)
    return _answered(by, locked, MOVES["decline"], locked.offered_by, taken=False)


@action(event="rota.swap_withdrawn", refused="rota.act_refused")
def withdraw_swap(*, by: Actor, swap: Swap) -> Swap:
    """Take an offer back."""
    locked = lock_row(Swap, swap.pk)
    may_withdraw(by, locked)
    make(locked, MOVES["withdraw"], says=ANSWERED, answered_at=now())
    append("rota.swap_withdrawn", by=by, subject=locked.log_subject, **_of_swap(locked))
    return locked


def _answered(by: Actor, swap: Swap, move: Move, to: Person, *, taken: bool) -> Swap:
    make(swap, move, says=ANSWERED, answered_at=now())
    _tell_swap(by, swap, "rota.swap_answered", to, taken=taken)
    append(move.event, by=by, subject=swap.log_subject, **_of_swap(swap))
    return swap


def _withdraw_offers(rota: Rota) -> list[Swap]:
    """Nobody can take a week that the rota no longer has so; whoever was on it is told of the change."""
    waiting = list(Swap.objects.select_for_update().filter(rota=rota, state=OFFERED).order_by("pk"))
    return [make(each, MOVES["withdraw"], says=ANSWERED, answered_at=now()) for each in waiting]


def _note_withdrawn(by: Actor, over: Iterable[Swap]) -> None:
    for each in over:
        append("rota.swap_withdrawn", by=by, subject=each.log_subject, **_of_swap(each))


def _check(by: Actor, system: System, *, name: str, members: Sequence[str], hour: int, zone: str) -> None:
    may_change(by, system)
    need_fresh(by, about=system)
    check_rota(system, name=name, members=members, hour=hour, zone=zone)


def handed_over(rota: Rota) -> str:
    """``Monday, 09:00 (Europe/Berlin)``."""
    return f"{DAYS[rota.begins.weekday()]}, {rota.hour:02}:00 ({rota.zone})"


def _tell_changed(by: Actor, rota: Rota, concerned: Iterable[str]) -> None:
    people = {str(each.pk): each for each in Person.objects.filter(pk__in=set(concerned))}
    tell(
        by=by, people=[each for pk, each in people.items() if pk != by.id], kind="rota.changed", about=rota.log_subject, path=f"/rotas/{rota.pk}/",
        facts={
            "rota": rota.name, "system": rota.system.name, "by": by.name, "handover": handed_over(rota),
            "order": [people[each].name for each in rota.members],
        },
    )  # fmt: skip


def _tell_swap(by: Actor, swap: Swap, kind: str, to: Person, **more: object) -> None:
    tell(
        by=by, people=[to], kind=kind, about=swap.log_subject, path=f"/rotas/{swap.rota_id}/",
        facts={"rota": swap.rota.name, "system": swap.rota.system.name, "by": by.name,
               "week": f"{swap.week:%-d %b %Y}", "other_week": f"{swap.other_week:%-d %b %Y}", **more},
    )  # fmt: skip


def _facts(rota: Rota) -> dict[str, object]:
    return {
        "rota_id": rota.pk, "system_id": rota.system_id, "rota": rota.name, "members": rota.members, "weekday": rota.begins.weekday(),
        "hour": rota.hour, "zone": rota.zone, "begins": rota.begins.isoformat(),
    }  # fmt: skip


def _of_swap(swap: Swap) -> dict[str, object]:
    return {
        "swap_id": swap.pk, "rota_id": swap.rota_id, "offered_by": swap.offered_by_id, "to_id": swap.to_id, "week": swap.week.isoformat(),
        "other_week": swap.other_week.isoformat(),
    }  # fmt: skip
