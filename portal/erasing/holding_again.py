"""The rows of legal holds, as the log says them, after a database was set back: without its row a hold could not be lifted, nor be seen.

What is held is held by the log as well (`retention.held`), also where no row can be made: of a case or person that the database does not hold any more.
"""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.log.held_again import Said
from audit.log.retained import first_of
from portal.access_requests.models import AccessRequest
from portal.clock import moment
from portal.erasing.models import LegalHold
from portal.erasing.said_holds import UNKNOWN
from portal.erasing.states import HOLDS, LIFT_ASKED, LIFTED
from portal.people.models import Person

logger = logging.getLogger(__name__)
NO_LIFT: dict[str, Any] = {
    "lift_asked_by_id": None,
    "lift_asked_at": None,
    "lift_reason": "",
    "lifted_by_id": None,
    "lifted_at": None,
}


def resume(entries: Sequence[Said]) -> int:
    """Bring the rows to what the entries say, all of them in their order; how many rows there are of them. What contradicts itself is passed over."""
    holds: dict[UUID, dict[str, Any]] = {}
    for each in entries:
        try:
            _fold(holds, each)
        except (AttributeError, KeyError, TypeError, ValueError):  # any kind of value may stand in the place of an id
            logger.error("An entry %s contradicts itself and was passed over.", each.get("name"))
    return sum(_bring(pk, facts) for pk, facts in holds.items())


def _fold(holds: dict[UUID, dict[str, Any]], said: Said) -> None:
    fields, at, by = said["fields"], moment(said["at"]), UUID(said["by"])
    pk = UUID(fields["hold_id"])
    if said["name"] == "hold.set":
        case, person = (UUID(fields[key]) if fields.get(key) else None for key in ("case_id", "person_id"))
        if (case is None) == (person is None):
            raise ValueError
        holds[pk] = {"state": HOLDS, "case_id": case, "person_id": person, "set_by_id": by, "set_at": at, **NO_LIFT}
    elif holds[pk]["state"] == LIFTED:  # nothing of it goes on
        raise ValueError
    elif said["name"] == "hold.lift_asked":
        holds[pk] |= {"state": LIFT_ASKED, "lift_asked_by_id": by, "lift_asked_at": at}
    elif said["name"] == "hold.kept":
        holds[pk] |= {"state": HOLDS, **NO_LIFT}
    elif by != holds[pk]["lift_asked_by_id"] is not None:
        holds[pk] |= {"state": LIFTED, "lifted_by_id": by, "lifted_at": at}


def _bring(pk: UUID, facts: dict[str, Any]) -> int:
    people = {facts[key] for key in ("person_id", "set_by_id", "lift_asked_by_id", "lifted_by_id") if facts[key]}
    whole = Person.objects.filter(pk__in=people).count() == len(people)
    if not whole or (facts["case_id"] and not AccessRequest.objects.filter(pk=facts["case_id"]).exists()):
        logger.error(
            "The hold %s is in force by the log alone: its case, or a person of it, is not in the database.", pk
        )
        return 0
    if facts["state"] != LIFTED and _held_by_another(pk, facts):
        logger.error("The hold %s is in force by the log alone: another row holds the same.", pk)
        return 0
    words: dict[str, Any] = {"reason": UNKNOWN, "lift_reason": UNKNOWN if facts["state"] != HOLDS else ""}
    known = LegalHold.objects.filter(pk=pk).first()
    if known is not None:
        words["reason"] = known.reason
        words["lift_reason"] = words["lift_reason"] and (known.lift_reason or UNKNOWN)
        words["from_index"] = known.from_index
    else:
        case, person = (str(facts[key] or "") for key in ("case_id", "person_id"))
        words["from_index"] = first_of(case=case) if case else first_of(person=person)
    with transaction.atomic():
        LegalHold.objects.update_or_create(pk=pk, defaults=facts | words)
    return 1


def _held_by_another(pk: UUID, facts: dict[str, Any]) -> bool:
    """Somebody set one anew while the database lacked this one; or whoever may insert events wrote two."""
    same = LegalHold.objects.filter(person_id=facts["person_id"], case_id=facts["case_id"])
    return same.exclude(pk=pk).exclude(state=LIFTED).exists()
