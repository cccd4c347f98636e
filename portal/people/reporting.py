"""Who reports to whom: nobody judges what their own manager holds."""

from collections.abc import Iterable
from uuid import UUID

from audit.log.append import Actor, action, append
from portal.errors import ChangedMeanwhile, RefusedByPolicy
from portal.people.models import Person
from portal.people.rights import ADMINISTER, need_other, need_permission
from portal.people.strength import need_fresh
from portal.rows import lock_row


@action(event="person.manager_set", refused="person.act_refused")
def set_manager(*, by: Actor, person: Person, manager: Person | None) -> Person:
    """Say whom somebody reports to; ``None``: to nobody. Nobody says it of themselves.

    Raises:
        NotAllowed, StepUpNeeded: who may not.
        RefusedByPolicy: nobody is their own manager.
        ChangedMeanwhile: it stands so already.
    """
    need_permission(by, ADMINISTER, says="Only administrators say who reports to whom.")
    need_other(by, person.pk, about=person)
    need_fresh(by, about=person)
    locked = lock_row(Person, person.pk, no_key=True)
    if manager is not None and manager.pk == locked.pk:
        raise RefusedByPolicy("Nobody is their own manager.", about=locked)
    if locked.manager_id == (manager.pk if manager else None):
        raise ChangedMeanwhile("It stands so already. Nothing was changed.", about=locked)
    note_manager(by, locked, manager)
    return locked


def note_manager(by: Actor, person: Person, manager: Person | None) -> None:
    """Note it, within the action of a caller who has asked who may."""
    person.manager = manager
    person.save(update_fields=["manager"])
    append(
        "person.manager_set", by=by, subject=person.log_subject, person_id=person.pk,
        manager_id=manager.pk if manager else None,
    )  # fmt: skip


def reports_of(people: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Pseudonyms of those who report to each of the people; one query."""
    rows = Person.objects.filter(manager__in=set(people), left_at__isnull=True).values_list("manager_id", "pk")
    found: dict[UUID, set[str]] = {}
    for manager, report in rows:
        if manager is not None:
            found.setdefault(manager, set()).add(str(report))
    return {manager: frozenset(reports) for manager, reports in found.items()}
