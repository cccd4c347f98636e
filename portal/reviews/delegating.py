"""Naming who stands in, taking it back, and handing what is somebody's to who stands in for them.

At any moment a person either is away or stands in: so a review is never passed on twice, and two who are away never stand in for each other.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.eligibility.lending import overlapping
from portal.eligibility.models import REVIEWER, RoleAssignment
from portal.eligibility.queries import covers, holds, not_over
from portal.eligibility.rules import check_window
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.people.strength import need_fresh
from portal.reviews import leave, rounds, rules
from portal.reviews.actions import HANDED_OVER, NOT_CLAIMED, append_handed_over, locked
from portal.reviews.models import Delegation, Review
from portal.reviews.states import TAKEN_STATES
from portal.reviews.telling import tell_of, tell_pool
from portal.rows import lock_row
from portal.systems.models import System

ONLY_REVIEWERS = "Only a reviewer of this system names who stands in for them."


@action(event="review.delegation_set", refused="review.act_refused")
def delegate(*, by: Actor, to: Person, system: System | None, from_at: datetime, to_at: datetime) -> Delegation:
    """Name another reviewer of the system (none: of all) who stands in for dated days.

    Raises:
        NotAllowed: the actor does not review there.
        RefusedByPolicy: the other does not for all of these days, or it would double, or make a chain or a circle.
    """
    need_fresh(by, about=to)
    # Both in one order: of two delegations that would make a circle, the second sees the first.
    people = {each: lock_row(Person, each, no_key=True) for each in sorted((to.pk, UUID(by.id)))}
    person, away = people[to.pk], people[UUID(by.id)]
    if not holds(by.id, REVIEWER, system):
        raise NotAllowed(ONLY_REVIEWERS, about=to, kind="not a reviewer")
    begins = max(from_at, now())
    check_window(person, begins, to_at)
    _check(away.pk, person, system, begins, to_at)
    made = Delegation.objects.create(person=away, to=person, system=system, made_at=now(), from_at=begins, to_at=to_at)
    _tell(by, made, [person], "review.stand_in", person=away.name, from_at=begins)
    append(
        "review.delegation_set", by=by, subject=made.log_subject, delegation_id=made.pk, person_id=by.id, to_id=person.pk,
        system_id=system.pk if system else None, from_at=ms(begins), to_at=ms(to_at),
    )  # fmt: skip
    return made


def _check(away: UUID, to: Person, system: System | None, from_at: datetime, to_at: datetime) -> None:
    if to.pk == away:
        raise RefusedByPolicy("Nobody stands in for themselves.", about=to, kind="own delegation")
    held = RoleAssignment.objects.filter(
        not_over(), covers(system), role=REVIEWER, person=to, approved_at__isnull=False
    )
    if not held.filter(Q(to_at__isnull=True) | Q(to_at__gte=to_at), from_at__lte=from_at).exists():
        raise RefusedByPolicy(
            "This person does not review there for all of these days.", about=to, kind="not a reviewer"
        )
    meanwhile = Delegation.objects.filter(leave.not_over(), overlapping(from_at, to_at))
    mine = meanwhile.filter(person_id=away)
    if (mine if system is None else mine.filter(Q(system=system) | Q(system__isnull=True))).exists():
        raise RefusedByPolicy("You have named somebody for these days already.", about=to, kind="doubled")
    if meanwhile.filter(person=to).exists():
        raise RefusedByPolicy(
            "This person is away in these days, and somebody stands in for them.",
            about=to,
            kind="circle of delegations",
        )
    if meanwhile.filter(to_id=away).exists():
        raise RefusedByPolicy(
            "In these days you stand in for somebody yourself; that is not passed on.",
            about=to,
            kind="chain of delegations",
        )


@action(event="review.delegation_ended", refused="review.act_refused")
def take_back(*, by: Actor, delegation: Delegation) -> Delegation:
    """Back from leave, or unable to stand in: who is away and who stands in may both end it. What went over stays where it is."""
    row = Delegation.objects.select_for_update().get(pk=delegation.pk)
    if by.id not in (str(row.person_id), str(row.to_id)):
        raise NotAllowed("Only who is away and who stands in end this.", about=row, kind="not theirs")
    if row.ended_at is not None or row.to_at <= now():
        raise ChangedMeanwhile("This is over already.", about=row)
    row.ended_at = now()
    row.save(update_fields=["ended_at"])
    two = (row.person, row.to)
    names = {str(each.pk): each.name for each in two}
    other = [each for each in two if str(each.pk) != by.id]
    _tell(by, row, other, "review.stand_in_over", person=row.person.name, to=row.to.name, stopped_by=names[by.id])
    append(
        "review.delegation_ended", by=by, subject=row.log_subject, delegation_id=row.pk, person_id=row.person_id, to_id=row.to_id,
        ended_at=ms(row.ended_at),
    )  # fmt: skip
    return row


def _tell(by: Actor, row: Delegation, people: list[Person], kind: str, **facts: Any) -> None:
    system = row.system.name if row.system else None
    tell(
        by=by, people=people, kind=kind, about=row.log_subject, path="/reviews/away/",
        facts={**facts, "system": system, "to_at": row.to_at},
    )  # fmt: skip


@action(event=HANDED_OVER)
def hand_to_stand_in(*, by: Actor, review: Review) -> Review:
    """Whoever has it is away: it goes to who stands in, or back to the pool where that one had a part in the use or in the first judgement.

    Raises:
        WrongState: nobody has it, or who has it is not away.
    """
    row = locked(review)
    away = row.holder
    stand_in = leave.stand_ins(row.request.system).get(away.pk) if away else None
    if row.state not in TAKEN_STATES or away is None or stand_in is None:
        raise WrongState(NOT_CLAIMED if away is None else "Whoever has this review is not away.", about=row)
    pool = rules.pool_of(row)
    to = stand_in if stand_in in pool else None
    this = rounds.give(row, "pass_on" if to else "hand_over", to, says=NOT_CLAIMED)
    if to:
        tell_of(by, row, [to], "review.due")
    else:
        tell_pool(by, row, pool)
    append_handed_over(by, row, this, to, away=away)
    return row
