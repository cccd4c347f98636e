"""The one founding act: two people become administrators, each vouched for by the other. All later roles go by two of them."""

from dataclasses import dataclass

from audit.log.append import Actor, action, append
from audit.log.locks import until_commit
from portal.clock import ms, now
from portal.eligibility.models import ADMINISTRATOR, RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.people.actions import enter
from portal.people.models import Person

FOUNDING_LOCK = 0x6267666F  # "bgfo"


@dataclass(frozen=True)
class Founder:
    """One of the two, as told to the command; with the one-time password once they stand."""

    name: str
    email: str
    password: str = ""


@action(event=("portal.founded", "person.added", "password.given", "role.granted"), refused="person.act_refused")
def found(*, by: Actor, first: Founder, second: Founder, host: str = "") -> tuple[Founder, Founder]:
    """Make the first two administrators, once. Only a process may: there is nobody yet who could be asked.

    Raises:
        WrongState: the portal was founded before.
        RefusedByPolicy: it is one person twice.
    """
    if by.is_person:
        raise NotAllowed("The portal is founded from the operator's command line.")
    until_commit(FOUNDING_LOCK)
    if RoleAssignment.objects.filter(founding=True).exists():
        raise WrongState(
            "The first administrators were made already. Later ones are proposed and approved in the portal."
        )
    if first.email.strip().lower() == second.email.strip().lower():
        raise RefusedByPolicy("Two people are needed: the mail addresses are the same.")
    ada, password_a = enter(by, name=first.name, email=first.email)
    bob, password_b = enter(by, name=second.name, email=second.email)
    for person, other in ((ada, bob), (bob, ada)):
        _vouched_for(by, person, other)
    append("portal.founded", by=by, subject="portal", administrators=[str(ada.pk), str(bob.pk)], host=host or None)
    return Founder(first.name, first.email, password_a), Founder(second.name, second.email, password_b)


def _vouched_for(by: Actor, person: Person, other: Person) -> None:
    at = now()
    role = RoleAssignment.objects.create(
        person=person,
        role=ADMINISTRATOR,
        proposed_by=other,
        proposed_at=at,
        approved_by=other,
        approved_at=at,
        from_at=at,
        founding=True,
    )
    append(
        "role.granted", by=by, subject=role.log_subject, role_id=role.pk, person_id=person.pk, role=ADMINISTRATOR, granted_by=other.pk,
        granted_at=ms(at), narrows=False, changed_by=by.id, beneficiary_id=person.pk, approved_by=other.pk, approved_at=ms(at), effective_at=ms(at),
    )  # fmt: skip
