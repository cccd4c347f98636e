"""One presenter for each name of an event: what the log holds, in plain words. A test demands one for every name."""

from collections.abc import Iterable

from audit.cases.presenters import (
    backups,
    erasing,
    evidence,
    grants,
    judging,
    lists,
    offline,
    people,
    receivers,
    requests,
    rotas,
    sealed,
    stops,
    target,
)
from audit.cases.presenters.spec import PEOPLE, Line, Names, Presenter, name_of, say
from audit.log.read import LoggedEvent

PRESENTERS: dict[str, Presenter] = {}
for _family in (
    requests,
    grants,
    sealed,
    offline,
    target,
    judging,
    evidence,
    people,
    lists,
    receivers,
    stops,
    rotas,
    erasing,
    backups,
):
    PRESENTERS.update(_family.PRESENTERS)
_UNKNOWN = say("An entry that this version cannot put into words")


def line(event: LoggedEvent, names: Names) -> Line:
    """One event in words; an event of a later version is shown by its name."""
    return PRESENTERS.get(event.name, _UNKNOWN).line(event, names)


def people_in(events: Iterable[LoggedEvent]) -> set[str]:
    """Pseudonyms of all people that the events name."""
    found: set[str] = set()
    for event in events:
        found.add(event.by)
        for name, value in event.fields.items():
            if name in PEOPLE:
                found.update(map(str, value) if isinstance(value, list) else (str(value),))
    return {each for each in found if len(each) == 36}


__all__ = ["PRESENTERS", "Line", "Names", "Presenter", "line", "name_of", "people_in"]
