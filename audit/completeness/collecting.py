"""Evidence of one source around one window, read from the log."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from audit.completeness.evidence import Evidence, Loss, Scheme, SessionSeen, SettingChange, Unmatched, Window
from audit.completeness.heartbeats import HOUR, LATE, LOOK_BACK, heartbeats_around
from audit.completeness.judging import mark_of
from audit.log.logged import COLUMNS, events_of
from audit.log.models import Event
from audit.log.read import LoggedEvent
from audit.sources.records import activity_uuid

MOST = 50_000
"""Of each kind of evidence. Where there is more, nothing can be said of the window."""
OF_SESSION = RawSQL("position(%s::bytea in body)", [b'"session_id":'], output_field=IntegerField())
"""Where an event names a session, 0 where it names none: no text in canonical JSON holds a quote that is not escaped."""


@dataclass
class _Reading:
    """Reads events of one kind of evidence after the other, and remembers of which there were too many."""

    unread: list[str] = field(default_factory=list)

    def take(self, what: str, rows: "QuerySet[Event]") -> list[LoggedEvent]:
        """All of them, or as many as may be read."""
        found = list(rows.values_list(*COLUMNS)[: MOST + 1])
        if len(found) > MOST:
            self.unread.append(what)
        return list(events_of(found[:MOST]))


def collect(window: Window, source_subject: str, scheme: Scheme) -> Evidence:
    """Everything that a verdict on the window rests on."""
    reading = _Reading()
    ours = _ours(reading, window)
    losses = _noticed(reading, window, source_subject, "source.loss_found", "losses")
    strangers = _noticed(reading, window, source_subject, "session.unmatched", "sessions that nothing explains")
    settings = _settings(reading, window, source_subject)
    beats, cut = heartbeats_around(window, source_subject, mark_of(window, scheme))
    return Evidence(
        beats=beats,
        sessions=_sessions(ours),
        losses=tuple(_loss(event) for event in _with(losses, ours, "source.loss_found")),
        settings=settings,
        unmatched=tuple(_unmatched(event) for event in _with(strangers, ours, "session.unmatched")),
        unread=(*reading.unread, *(["heartbeats"] if cut else [])),
    )


def _ours(reading: _Reading, window: Window) -> list[LoggedEvent]:
    """What was told of the grant itself, whenever."""
    names = ("session.started", "session.ended", "session.unmatched", "source.loss_found")
    if not window.grant_id:
        return []
    rows = Event.objects.filter(subject=f"grant:{window.grant_id}", name__in=names)
    return reading.take("records of the grant's sessions", rows.order_by("at"))


def _noticed(reading: _Reading, window: Window, subject: str, name: str, what: str) -> list[LoggedEvent]:
    """What was noticed of the source from a day before the window on. Of a grant's session it is kept with the grant, and touches others too."""
    rows = Event.objects.filter(name=name, at__gte=window.from_at - LOOK_BACK, at__lte=window.settled_at + LATE)
    found = reading.take(what, rows.filter(subject=subject).order_by("at"))
    others = reading.take(f"{what} in grants", rows.filter(subject__startswith="grant:").order_by("at"))
    return [*found, *(event for event in others if event.fields["source_id"] == window.source_id)]


def _with(found: list[LoggedEvent], ours: list[LoggedEvent], name: str) -> list[LoggedEvent]:
    """Each event once."""
    return list({event.id: event for event in (*found, *ours) if event.name == name}.values())


def _sessions(events: Iterable[LoggedEvent]) -> tuple[SessionSeen, ...]:
    found: dict[str, SessionSeen] = {}
    for event in events:
        fields, name = event.fields, event.fields.get("source_session", "")
        if event.name == "session.started":
            found.setdefault(name, SessionSeen(name, fields["started_at"]))
        elif event.name == "session.ended":
            missing = tuple(fields.get("missing_ranges", ()))
            started = found[name].started_at if name in found else fields["ended_at"]
            found[name] = SessionSeen(
                name, started, fields["ended_at"], fields["state"], fields["last_number"], missing
            )
    return tuple(found.values())


def _loss(event: LoggedEvent) -> Loss:
    fields = event.fields
    first, last = fields.get("from_number"), fields.get("to_number")
    numbers = "" if first is None else f"{first}-{last}" if last is not None else f"after {first - 1}"
    return Loss(
        fields["kind"],
        fields["from_at"],
        fields["to_at"],
        fields.get("says", ""),
        fields.get("grant_id", ""),
        fields.get("source_session", ""),
        numbers,
    )


def _settings(reading: _Reading, window: Window, subject: str) -> tuple[SettingChange, ...]:
    """Changes around the window, and what was changed for the whole server before: each stands until the next."""
    rows = Event.objects.filter(subject=subject, name="source.settings_changed")
    since = window.from_at - LOOK_BACK
    around = rows.filter(at__gte=since, at__lte=window.settled_at + LATE).order_by("at")
    before = rows.filter(at__lt=since).annotate(session=OF_SESSION).filter(session=0).order_by("-at")
    told = [*reading.take("changes of settings", around), *reading.take("earlier changes of settings", before)]
    refused = _refused(reading, [event for event in told if event.fields["weakens"] and _is_near(event, window)])
    return tuple(_change(event.fields) for event in told if _activity(event.fields) not in refused)


def _is_near(event: LoggedEvent, window: Window) -> bool:
    """A day on each side, whatever the target's clock shows."""
    return bool(window.from_at - LOOK_BACK <= event.fields["happened_at"] <= window.settled_at + LOOK_BACK)


def _change(fields: dict[str, Any]) -> SettingChange:
    session = fields.get("session_id", "")
    return SettingChange(
        fields["happened_at"], fields["setting"], fields.get("value", ""), bool(fields["weakens"]), session
    )


def _activity(fields: dict[str, Any]) -> str:
    """The action that asked for a change; empty where the server itself told of it."""
    return activity_uuid(fields["session_id"], fields["source_number"]) if "source_number" in fields else ""


def _refused(reading: _Reading, changes: list[LoggedEvent]) -> set[str]:
    """Actions of which an error was read later than the statement that it belongs to."""
    asked = [event for event in changes if _activity(event.fields)]
    if not asked:
        return set()
    from_at, to_at = min(event.at for event in asked), max(event.at for event in asked) + HOUR
    rows = Event.objects.filter(name="activity.outcome_learned", at__gte=from_at, at__lte=to_at)
    return {event.fields["activity_id"] for event in reading.take("outcomes", rows.order_by("at"))}


def _unmatched(event: LoggedEvent) -> Unmatched:
    return Unmatched(event.fields["source_session"], event.fields["started_at"], event.fields["why"])
