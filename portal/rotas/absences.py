"""A member of a rota says when they are away, and that they are back. Who covers follows by itself."""

from datetime import datetime
from uuid import UUID

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.errors import RefusedByPolicy, WrongState
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.rotas.models import Absence, Rota
from portal.rotas.queries import absences_between, members_of, rotas_with
from portal.rotas.rules import check_away, may_end_away, may_say_away, need_in_use
from portal.rows import lock_row

AWAY_ALREADY = (
    "In these days, or some of them, this person is away already. End that absence first, or choose other days."
)


@action(event="rota.away_said", refused="rota.act_refused")
def say_away(*, by: Actor, rota: Rota, person: Person, from_at: datetime, to_at: datetime) -> Absence:
    """Away from all one's rotas between two moments, at the earliest from now; ``rota`` is the one on whose page it is said.

    The other members are told, and each rota has its event.

    Raises:
        NotAllowed: neither the member nor an administrator.
        RefusedByPolicy: no member, no such time, or an absence of theirs lies in it already.
    """
    rotas = rotas_with(person.pk)
    may_say_away(by, person.pk, rota, [rota.system, *(each.system for each in rotas)])
    need_in_use(rota)
    if rota not in rotas:
        raise RefusedByPolicy("This person is not on the rota.", about=rota)
    at = now()
    check_away(from_at, to_at, at, about=rota)
    from_at = max(from_at, at)
    lock_row(Person, person.pk, no_key=True)  # a form that was sent twice says it once
    if absences_between(person.pk, from_at, to_at).exists():
        raise RefusedByPolicy(AWAY_ALREADY, about=rota, kind="doubled")
    absence = Absence.objects.create(person=person, from_at=from_at, to_at=to_at, said_by_id=UUID(by.id), said_at=at)
    others = {pk: other for pk, other in members_of(rotas).items() if pk not in (str(person.pk), by.id)}
    for each in rotas:
        tell(
            by=by, people=[others[member] for member in each.members if member in others], kind="rota.away", about=each.log_subject, path=f"/rotas/{each.pk}/",
            facts={"rota": each.name, "system": each.system.name, "person": person.name, "from_at": from_at, "to_at": to_at},
        )  # fmt: skip
    for each in rotas:
        append(
            "rota.away_said", by=by, subject=each.log_subject, absence_id=absence.pk, rota_id=each.pk, person_id=person.pk,
            from_at=ms(from_at), to_at=ms(to_at),
        )  # fmt: skip
    return absence


@action(event="rota.away_ended", refused="rota.act_refused")
def come_back(*, by: Actor, absence: Absence) -> Absence:
    """Back earlier than said, or not away after all: it ends now, or never begins. Each rota has its event; the person's, where there is none."""
    locked = lock_row(Absence, absence.pk)
    rotas = rotas_with(locked.person_id)
    may_end_away(by, locked.person_id, [each.system for each in rotas])
    at = now()
    if locked.to_at <= at or locked.to_at == locked.from_at:
        raise WrongState("This absence is over already.", about=locked)
    locked.to_at = max(at, locked.from_at)
    locked.save(update_fields=["to_at"])
    for subject in [each.log_subject for each in rotas] or [locked.log_subject]:
        append(
            "rota.away_ended", by=by, subject=subject, absence_id=locked.pk, person_id=locked.person_id, ended_at=ms(at)
        )
    return locked
