"""Who may hold and erase, and which words name somebody."""

from collections.abc import Collection
from uuid import UUID

from audit.log.append import Actor
from portal.access_requests.models import AccessRequest, Approval
from portal.erasing.models import Cut, Erasure, LegalHold
from portal.erasing.said_holds import SaidHold, part_in_case
from portal.errors import RefusedByPolicy
from portal.grants.models import Extension, Grant
from portal.people.models import Person
from portal.people.rights import ADMINISTER, need_other, need_permission
from portal.reviews.models import Review

ONLY_ADMINISTRATORS = "Only administrators of all systems hold, erase and cut what is kept."
NAMES_THEM = "Leave out the person's name and mail address: what is typed here stays when they are erased."


def may_administer(by: Actor, about: object = None) -> None:
    """An administrator of all systems.

    Raises:
        NotAllowed: anybody else, and every process.
    """
    need_permission(by, ADMINISTER, about, says=ONLY_ADMINISTRATORS)


def may_lift(by: Actor, hold: LegalHold | SaidHold) -> None:
    """A second administrator, whom the hold does not concern.

    Raises:
        NotAllowed: anybody else.
    """
    may_ask_lift(by, hold)
    need_other(by, hold.lift_asked_by_id, about=hold)


def may_ask_lift(by: Actor, hold: LegalHold | SaidHold) -> None:
    """An administrator whom the hold does not concern.

    Raises:
        NotAllowed: anybody else.
    """
    may_administer(by, hold)
    need_other(by, *concerned(hold), about=hold)


def concerned(hold: LegalHold | SaidHold) -> Collection[object]:
    """The person it is on; of a case whoever asked, decided, was given it, answered a question or judged it."""
    if not hold.case_id:
        return {hold.person_id}
    return part_in_case(hold.case_id) if isinstance(hold, SaidHold) else _part_in_case(hold.case_id)


def _part_in_case(case: UUID) -> set[UUID]:
    ways = (
        AccessRequest.objects.filter(pk=case).values_list("responder"),
        Approval.objects.filter(request=case).values_list("approver"),
        Grant.objects.filter(request=case).values_list("person"),
        Extension.objects.filter(grant__request=case).values_list("decided_by"),
        Review.objects.filter(request=case).values_list("reviewer"),
        Review.objects.filter(request=case).values_list("second_reviewer"),
    )
    return {person for rows in ways for (person,) in rows if person}


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
