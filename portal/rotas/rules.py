"""Who may change a rota, swap weeks and be away, and what a rota must look like."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from audit.log.append import Actor
from portal.clock import now
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.people.rights import ADMINISTER, need_permission
from portal.rotas.models import Rota, Swap
from portal.rotas.queries import may_be_on
from portal.rotas.schedule import Plan, holder
from portal.systems.models import System

ONLY_ADMINISTRATORS = "Only administrators of this system change its rotas."
MOST_MEMBERS = 20
MOST_NAME = 60
WEEKS_AHEAD = 26  # that can be swapped
LONGEST_AWAY = timedelta(days=366)
JUST_NOW = timedelta(minutes=15)  # to fill the form in
ELSEWHERE = (
    "Somebody who is on rotas of several systems is away from all of them, so it takes an administrator of each."
)
BACK = f"Members say for themselves when they are back; so does an administrator. {ELSEWHERE}"


def may_change(by: Actor, system: System) -> None:
    """An administrator of the system. It widens nothing: a rota says who is woken, not who may decide.

    Raises:
        NotAllowed: the actor is none.
    """
    need_permission(by, ADMINISTER, system, says=ONLY_ADMINISTRATORS)


def need_in_use(rota: Rota) -> None:
    """Nothing is changed in a rota that is out of use.

    Raises:
        WrongState: it was retired.
    """
    if rota.retired_at is not None:
        raise WrongState("This rota was retired: nobody is woken by it. Nothing was changed.", about=rota)


def may_swap(by: Actor, rota: Rota) -> None:
    """A member.

    Raises:
        NotAllowed: the actor is none.
    """
    if by.id not in rota.members:
        raise NotAllowed("Only members of this rota swap its weeks.", about=rota)


def may_answer(by: Actor, swap: Swap) -> None:
    """The member whose week is wanted.

    Raises:
        NotAllowed: anybody else.
    """
    if str(swap.to_id) != by.id:
        raise NotAllowed("Only the member whose week is wanted answers.", about=swap)


def may_withdraw(by: Actor, swap: Swap) -> None:
    """Who offered it.

    Raises:
        NotAllowed: anybody else.
    """
    if str(swap.offered_by_id) != by.id:
        raise NotAllowed("Only who offered a swap takes it back.", about=swap)


def may_say_away(by: Actor, person_id: object, rota: Rota, systems: Collection[System]) -> None:
    """The member, or for whoever cannot say it themselves an administrator of ``systems``: all on whose rotas the person is.

    Raises:
        NotAllowed: anybody else.
    """
    if str(person_id) == by.id and by.id in rota.members:
        return
    need_permission(
        by, ADMINISTER, rota.system, says="Members say for themselves when they are away; so does an administrator."
    )
    for each in systems:
        need_permission(by, ADMINISTER, each, says=ELSEWHERE)


def may_end_away(by: Actor, person_id: object, systems: Collection[System]) -> None:
    """As `may_say_away`.

    Raises:
        NotAllowed: anybody else.
    """
    if str(person_id) == by.id:
        return
    for each in systems or (None,):  # on no rota any more: an administrator of all systems
        need_permission(by, ADMINISTER, each, says=BACK)


def check_rota(system: System, *, name: str, members: Sequence[str], hour: int, zone: str) -> None:
    """A name, somebody in it, only approvers, each once, an hour of a known clock.

    Raises:
        RefusedByPolicy: it is not so.
    """
    approvers = {str(each.pk) for each in may_be_on(system)}
    demands = (
        (0 < len(name) <= MOST_NAME, f"A rota has a name of at most {MOST_NAME} characters."),
        (0 < len(members) <= MOST_MEMBERS, f"A rota has one to {MOST_MEMBERS} members."),
        (len(set(members)) == len(members), "Nobody stands in a rota twice."),
        (set(members) <= approvers, "A rota names only people who may approve for this system in their own right."),
        (0 <= hour <= 23, "The hour of the hand-over is 0 to 23."),
        (zone in available_timezones(), "Choose a time zone from the list."),
    )
    for ok, sentence in demands:
        if not ok:
            raise RefusedByPolicy(sentence, about=system)


def check_swap(plan: Plan, *, giver: str, week: date, taker: str, other_week: date, about: object) -> None:
    """Both hold the week that they give, neither week is over, and neither lies too far ahead.

    Raises:
        RefusedByPolicy: it is not so.
    """
    at = now()
    for person, day in ((giver, week), (taker, other_week)):
        number = plan.number_of(day)
        if (
            number is None
            or plan.starts_at(number + 1) <= at
            or plan.starts_at(number) > at + timedelta(weeks=WEEKS_AHEAD)
        ):
            raise RefusedByPolicy("Choose two weeks that are not over and begin within half a year.", about=about)
        if holder(plan, number) != person:
            raise RefusedByPolicy(
                "One of these weeks is held by somebody else now. Look at the rota again.", about=about
            )
    if giver == taker:
        raise RefusedByPolicy("Both weeks are held by the same person.", about=about)


def check_away(from_at: datetime, to_at: datetime, at: datetime, *, about: object) -> None:
    """It has a length, is not over, is no longer than a year, and leaves the past as it was.

    Raises:
        RefusedByPolicy: it is not so.
    """
    if to_at <= from_at or to_at <= at:
        raise RefusedByPolicy("The end must be later than the beginning, and later than now.", about=about)
    if from_at < at - JUST_NOW:
        raise RefusedByPolicy("An absence cannot begin in the past. Let it begin now.", about=about)
    if to_at - from_at > LONGEST_AWAY:
        raise RefusedByPolicy("At most a year at a time.", about=about)
