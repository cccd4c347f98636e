"""A cut that was carried out after the moment to which a database was set back is carried out again, as the log says once it is back.

The rows of a cut stand where they stood then, or not at all, while the log begins later already: nobody could say it again, and the rows that
came back with the database would stay. So the cut is set to where the log has it, and the worker removes them with its usual looks.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.log.read import LoggedEvent, named
from portal.clock import moment, now
from portal.erasing.cutting import WIDTH
from portal.erasing.models import Cut
from portal.erasing.states import APPROVED, CUT, CUTTING, KEPT, PROPOSED
from portal.people.models import Person

logger = logging.getLogger(__name__)
SAID = ("log.cut", "cut.done")
UNKNOWN = "The reason is not in what was published."


def resume(first: int) -> int:
    """Bring cuts to the state that the entries from this index on say; how many. The last of them alone is carried out, for it goes furthest.

    What contradicts itself was not written by `carrying_cuts.say`, and is passed over.
    """
    events = named(SAID)
    told = {str(each.fields.get("cut_id")) for each in events if each.index is not None and each.index >= first}
    said = [each for each in events if each.name == "log.cut" and str(each.fields.get("cut_id")) in told]
    sound = sorted((each for each in said if _is_sound(each)), key=lambda each: int(each.fields["minimum_index"]))
    if len(sound) < len(said):
        logger.error("%s entries log.cut contradict themselves and were passed over.", len(said) - len(sound))
    if sound:
        _bring(
            sound,
            {str(each.fields.get("cut_id")) for each in events if each.name == "log.cut" and each.index is not None},
        )
    return len(sound)


def _is_sound(said: LoggedEvent) -> bool:
    """As `carrying_cuts.say` writes it, by two who are known."""
    fields = said.fields
    begins, minimum = fields.get("from_index"), fields.get("minimum_index")
    if type(begins) is not int or type(minimum) is not int:
        return False
    try:
        people = [UUID(str(fields.get(key))) for key in ("cut_id", "asked_by", "approved_by")][1:]
    except ValueError:
        return False
    known = Person.objects.filter(pk__in=people).count()
    whole = 0 <= begins < minimum <= (said.index or 0) and minimum % WIDTH == 0
    return whole and known == len(set(people)) == 2


@transaction.atomic
def _bring(said: list[LoggedEvent], sealed: set[str]) -> None:
    """No other is under way: whatever was open then was decided on before the log said these. Of which no entry is sealed, nothing was cut."""
    at = now()
    carried_out = [each.pk for each in Cut.objects.filter(state=CUTTING) if str(each.pk) in sealed]
    Cut.objects.filter(state__in=[PROPOSED, APPROVED]).update(state=KEPT, closed_at=at)
    Cut.objects.filter(pk__in=carried_out).update(state=CUT, closed_at=at)
    Cut.objects.filter(state=CUTTING).update(state=KEPT, said_at=None, closed_at=at)
    for each in said:
        _set(each, None if each is said[-1] else at)


def _set(said: LoggedEvent, closed_at: datetime | None) -> None:
    when, fields = moment(said.at), said.fields
    facts = {
        "state": CUT if closed_at else CUTTING, "said_at": when, "closed_at": closed_at, "minimum_index": fields["minimum_index"],
        "from_index": fields["from_index"], "proposed_by_id": UUID(fields["asked_by"]), "approved_by_id": UUID(fields["approved_by"]),
        "approved_at": when,
    }  # fmt: skip
    new = {"reason": said.personal.get("reason") or UNKNOWN, "proposed_at": when}
    Cut.objects.update_or_create(pk=UUID(fields["cut_id"]), defaults=facts, create_defaults=facts | new)
