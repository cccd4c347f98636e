"""What happened to an emergency stop, from the log, as lines for people."""

from audit.log.read import of_subject
from portal.clock import moment
from portal.people.models import Person
from portal.stops.models import Stop

TITLES = {
    "stop.started": "Started",
    "stop.lift_asked": "Lifting asked for",
    "stop.lift_declined": "Kept in force",
    "stop.lifted": "Lifted by a second person",
    "stop.act_refused": "An act was refused",
}


def lines_of(stop: Stop) -> list[dict[str, object]]:
    """Items of the component timeline. Two queries, however long it is."""
    events = of_subject(stop.log_subject, TITLES)
    people = Person.objects.filter(pk__in={event.by for event in events if ":" not in event.by})
    names = {str(pk): name for pk, name in people.values_list("pk", "name")}
    return [
        {
            "title": TITLES[event.name], "at": moment(event.at), "by": names.get(event.by, "Somebody"),
            "text": event.says("reason") or str(event.fields.get("sentence", "")),
        }
        for event in events
    ]  # fmt: skip
