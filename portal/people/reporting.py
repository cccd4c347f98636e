"""Who reports to whom: nobody judges what their own manager holds. The lines lead upwards and never round in a circle."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from audit.log.append import Actor, action, append
from audit.log.locks import until_commit
from portal.errors import ChangedMeanwhile, RefusedByPolicy
from portal.people.models import Person
from portal.people.rights import ADMINISTER, need_other, need_permission
from portal.people.strength import need_fresh
from portal.rows import lock_row

ONE_AT_A_TIME = 0x6267726C  # "bgrl"
ONLY_ADMINISTRATORS = "Only administrators say who reports to whom."
OWN = "Nobody is their own manager."
CIRCLE = "That person reports to this one already, directly or through others. Change that first: nobody's line of managers leads back to them."
Lines = Mapping[UUID, UUID]
"""Of each person who reports to somebody: to whom."""


def may_set(by: Actor, person: Person) -> None:
    """An administrator of all systems, freshly confirmed, and neither of themselves nor of who reports to them.

    Raises:
        NotAllowed, StepUpNeeded: who may not.
    """
    need_permission(by, ADMINISTER, says=ONLY_ADMINISTRATORS)
    need_other(by, person.pk, person.manager_id, about=person)
    need_fresh(by, about=person)


@action(event="person.manager_set", refused="person.act_refused")
def set_manager(*, by: Actor, person: Person, manager: Person | None) -> Person:
    """Say whom somebody reports to; ``None``: to nobody. Nobody makes, or cuts, a line of which they are an end.

    Raises:
        NotAllowed, StepUpNeeded: who may not.
        RefusedByPolicy: nobody is their own manager, by way of others neither; and who has left manages nobody.
        ChangedMeanwhile: it stands so already.
    """
    may_set(by, person)
    one_at_a_time()
    locked = lock_row(Person, person.pk, no_key=True)
    need_other(by, locked.manager_id, manager.pk if manager else None, about=locked)
    if locked.manager_id == (manager.pk if manager else None):
        raise ChangedMeanwhile("It stands so already. Nothing was changed.", about=locked)
    if manager is not None:
        _check(locked, lock_row(Person, manager.pk, no_key=True))  # so that they are here while it is noted
    note_manager(by, locked, manager)
    return locked


def _check(person: Person, manager: Person) -> None:
    if manager.pk == person.pk:
        raise RefusedByPolicy(OWN, about=person)
    if manager.left_at is not None:
        raise RefusedByPolicy("That person has left. Choose somebody who is here.", about=person)
    if leads_back({**lines_now(), person.pk: manager.pk}, person.pk):
        raise RefusedByPolicy(CIRCLE, about=person, kind="circle")


def one_at_a_time() -> None:
    """Two changes at the same moment could make a circle that neither sees: until the transaction ends nobody else changes who reports to whom."""
    until_commit(ONE_AT_A_TIME)


def note_manager(by: Actor, person: Person, manager: Person | None) -> None:
    """Note it, within the action of a caller who has asked who may and has seen that it makes no circle."""
    person.manager = manager
    person.save(update_fields=["manager"])
    append(
        "person.manager_set", by=by, subject=person.log_subject, person_id=person.pk,
        manager_id=manager.pk if manager else None,
    )  # fmt: skip


def lines_now() -> dict[UUID, UUID]:
    """Who reports to whom now; one query."""
    return dict(Person.objects.filter(manager__isnull=False).values_list("pk", "manager_id"))


def leads_back(lines: Lines, person: UUID) -> bool:
    """Whether the line of somebody's managers comes round to them. A circle further up, in which they are not, is not theirs."""
    seen: set[UUID] = set()
    at = lines.get(person)
    while at is not None and at not in seen:
        if at == person:
            return True
        seen.add(at)
        at = lines.get(at)
    return False


def without_circles(before: Lines, wanted: Lines) -> tuple[dict[UUID, UUID], set[UUID]]:
    """Of many changes at once, those that make no circle, and of whom the others are: they stay with whom they have."""
    left_out: set[UUID] = set()
    while True:
        kept = {person: manager for person, manager in wanted.items() if person not in left_out}
        after = {**before, **kept}
        round_again = {person for person in kept if leads_back(after, person)}
        if not round_again:
            return kept, left_out
        left_out |= round_again


def reports_of(people: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Pseudonyms of those who report to each of the people; one query."""
    rows = Person.objects.filter(manager__in=set(people), left_at__isnull=True).values_list("manager_id", "pk")
    found: dict[UUID, set[str]] = {}
    for manager, report in rows:
        if manager is not None:
            found.setdefault(manager, set()).add(str(report))
    return {manager: frozenset(reports) for manager, reports in found.items()}
