"""People who were erased after a backup was made are erased again when it is restored: their rows came back with it.

The log's own values go by its events (``audit/log/backup/restoring.py``); here go the portal's rows, as `finish` cleared them then.
"""

from collections.abc import Mapping

from django.db import transaction

from portal.clock import moment
from portal.erasing.carrying_out import ERASER
from portal.erasing.models import Erasure
from portal.erasing.places import clear_row_changes, clear_rows
from portal.erasing.rules import words_for
from portal.erasing.states import CONFIRMED, DONE
from portal.people.models import Person
from portal.personnel.models import PersonnelList
from portal.personnel.queries import lists_naming
from portal.personnel.states import DISCARDED


def replay(people: Mapping[str, int]) -> int:
    """Clear the rows of these people, by pseudonym with the time (ms) at which the log says that they were erased; how many rows.

    Whoever was added after the backup has no rows here. The events are in the log already, or come back to it with ``recover_log``.
    """
    return sum(_erase(person, people[str(person.pk)]) for person in Person.objects.filter(pk__in=list(people)))


@transaction.atomic
def _erase(person: Person, at: int) -> int:
    named = words_for(person)
    lists = PersonnelList.objects.filter(pk__in=[each.pk for each in lists_naming(named)])
    laid = lists.update(state=DISCARDED, content=None, decided_at=moment(at), decided_by=ERASER.id)
    changes = clear_row_changes("default", named)
    rows = clear_rows(person, named, at)
    Erasure.objects.filter(person=person, state=CONFIRMED).update(state=DONE, closed_at=moment(at))
    return changes + laid + sum(rows.values()) + 1
