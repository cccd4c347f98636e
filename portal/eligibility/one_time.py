"""A one-time password in place of one that was lost, given so that nobody becomes two people by it: see docs/decisions/005."""

from audit.log.append import Actor, action
from portal.clock import now
from portal.eligibility.queries import administrators, stands_for_something
from portal.errors import NotAllowed, RefusedByPolicy
from portal.notifications.outbox import tell
from portal.people import factors
from portal.people.actions import ONE_TIME_HOURS, ONLY_ADMINISTRATORS, renew_password
from portal.people.models import Person
from portal.people.resets import open_reset
from portal.people.rights import ADMINISTER, need_permission
from portal.people.strength import need_fresh
from portal.rows import lock_row

UNGUARDED = (
    "This person holds a role or owns a system and has no authenticator yet, so whoever is shown the password could enrol one and act as them. "
    "Nothing was changed. End their roles first, make the password, and propose the roles again once they have signed in: another administrator "
    "approves then."
)

BEING_RESET = (
    "The second factor of this person is being reset. With password and factor both new, two administrators could act as them, so no one-time "
    "password is made until the reset is over or cancelled."
)


@action(event=("password.given", "signin.ended"), refused="person.act_refused")
def give_one_time_password(*, by: Actor, person: Person) -> str:
    """Give somebody who lost their password another one; their second factor stays as it is. They and all other administrators are told.

    An administrator does it, or the operator's command line.
    """
    if by.is_person:
        _may_give(by, person)
    password = renew_password(by, person)
    _tell(by, person)
    return password


def is_unguarded(person: Person) -> bool:
    """Whether a password alone would make whoever has it somebody with a role."""
    return stands_for_something(person.pk) and not factors.is_enrolled(person)


def _may_give(by: Actor, person: Person) -> None:
    need_permission(by, ADMINISTER, person, says=ONLY_ADMINISTRATORS)
    need_fresh(by, about=person)
    if by.id == str(person.pk):
        raise NotAllowed("Choose a new password of your own on the page of your sign-ins.", about=person, kind="own")
    lock_row(Person, person.pk, no_key=True)  # who enrols meanwhile waits
    if is_unguarded(person):
        raise RefusedByPolicy(UNGUARDED, about=person, kind="role without factor")
    if open_reset(person.pk) is not None:
        raise RefusedByPolicy(BEING_RESET, about=person, kind="factor being reset")


def _tell(by: Actor, person: Person) -> None:
    facts = {
        "person": person.name,
        "by": by.name if by.is_person else "the operator, at the command line",
        "at": now(),
        "hours": ONE_TIME_HOURS,
        "enrolled": factors.is_enrolled(person),
    }
    others = [each for each in administrators() if str(each.pk) != by.id and each != person]
    for people, path in (([person], "/me/sign-ins/"), (others, f"/people/{person.pk}/")):
        tell(by=by, people=people, kind="signin.reset", about=person.log_subject, path=path, facts=facts)
