"""Who may hold and erase, and which words name somebody."""

from audit.log.append import Actor
from portal.erasing.models import Cut, Erasure, LegalHold
from portal.errors import RefusedByPolicy
from portal.people.models import Person
from portal.people.rights import ADMINISTER, need_other, need_permission

ONLY_ADMINISTRATORS = "Only administrators of all systems hold, erase and cut what is kept."
NAMES_THEM = "Leave out the person's name and mail address: what is typed here stays when they are erased."


def may_administer(by: Actor, about: object = None) -> None:
    """An administrator of all systems.

    Raises:
        NotAllowed: anybody else, and every process.
    """
    need_permission(by, ADMINISTER, about, says=ONLY_ADMINISTRATORS)


def may_lift(by: Actor, hold: LegalHold) -> None:
    """A second administrator, whom the hold does not speak of.

    Raises:
        NotAllowed: anybody else.
    """
    may_administer(by, hold)
    need_other(by, hold.lift_asked_by_id, hold.person_id, about=hold)


def may_ask(by: Actor, person: Person) -> None:
    """An administrator, of somebody else.

    Raises:
        NotAllowed: anybody else.
    """
    may_administer(by, person)
    need_other(by, person.pk, about=person)


def may_confirm(by: Actor, erasure: Erasure) -> None:
    """A second administrator who is not the person.

    Raises:
        NotAllowed: anybody else.
    """
    may_administer(by, erasure)
    need_other(by, erasure.asked_by_id, erasure.person_id, about=erasure)


def may_approve_cut(by: Actor, cut: Cut) -> None:
    """A second administrator.

    Raises:
        NotAllowed: anybody else.
    """
    may_administer(by, cut)
    need_other(by, cut.proposed_by_id, about=cut)


def words_for(person: Person) -> list[str]:
    """What names somebody in a text: the mail address, and a name of several words that nobody else has."""
    shared = Person.objects.filter(name__iexact=person.name).exclude(pk=person.pk).exists()
    return [person.email, *([person.name] if " " in person.name.strip() and not shared else [])]


def need_nameless(text: str, person: Person, about: object) -> None:
    """Demand that a text which stays names nobody who is erased.

    Raises:
        RefusedByPolicy: it does.
    """
    if any(word.lower() in text.lower() for word in (person.email, person.name)):
        raise RefusedByPolicy(NAMES_THEM, about=about, kind="names the person")
