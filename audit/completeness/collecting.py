"""Evidence of one source around one window, read from the log."""

from collections.abc import Iterable
from typing import Any

from audit.completeness.evidence import Beat, Evidence, Loss, SessionSeen, SettingChange, Unmatched, Window
from audit.log.models import Event
from audit.log.read import LoggedEvent, event_of, of_subject
from audit.sources.records import activity_uuid

HOUR = 3_600_000
LOOK_BACK = 26 * HOUR
"""How far before a window a heartbeat is looked for."""
LATE = 30 * 24 * HOUR
"""How long after a window something that was lost in it may be noticed."""
MOST = 50_000


def collect(window: Window, source_subject: str) -> Evidence:
    """Everything that a verdict on the window rests on."""
    names = (
        "source.heartbeat_seen",
        "source.heartbeat_sent",
        "source.loss_found",
        "source.settings_changed",
        "session.unmatched",
    )
    around = _of_source(source_subject, names, window.from_at - LOOK_BACK, window.settled_at + LATE)
    grant = f"grant:{window.grant_id}" if window.grant_id else ""
    ours = (
        of_subject(grant, ("session.started", "session.ended", "session.unmatched", "source.loss_found"), limit=MOST)
        if grant
        else []
    )
    others = _losses_of_grants(window)
    standing = _of_source(source_subject, ("source.settings_changed",), 0, window.from_at - LOOK_BACK - 1)
    events = {event.id: event for event in (*standing, *around, *others, *ours)}.values()
    return Evidence(
        beats=_beats(events),
        sessions=_sessions(ours),
        losses=tuple(_loss(event) for event in events if event.name == "source.loss_found"),
        settings=_settings(events),
        unmatched=tuple(_unmatched(event) for event in events if event.name == "session.unmatched"),
    )


def _of_source(subject: str, names: Iterable[str], from_at: int, to_at: int) -> list[LoggedEvent]:
    rows = Event.objects.filter(subject=subject, name__in=list(names), at__gte=from_at, at__lte=to_at).order_by("at")
    return [event_of(bytes(body)) for body in rows.values_list("body", flat=True)[:MOST]]


def _losses_of_grants(window: Window) -> list[LoggedEvent]:
    """Losses and unexplained sessions of grants are kept with their grant; they touch other windows too."""
    names = ["source.loss_found", "session.unmatched"]
    rows = Event.objects.filter(
        name__in=names, subject__startswith="grant:", at__gte=window.from_at, at__lte=window.settled_at + LATE
    )
    found = [event_of(bytes(body)) for body in rows.order_by("at").values_list("body", flat=True)[:MOST]]
    return [event for event in found if event.fields["source_id"] == window.source_id]


def _beats(events: Iterable[LoggedEvent]) -> tuple[Beat, ...]:
    """Sent and seen heartbeats, joined by their nonce."""
    sent: dict[str, dict[str, Any]] = {}
    seen: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.name == "source.heartbeat_sent":
            sent[event.fields["nonce"]] = event.fields
        elif event.name == "source.heartbeat_seen":
            seen[event.fields["nonce"]] = event.fields
    return tuple(_beat(nonce, sent.get(nonce, {}), seen.get(nonce, {})) for nonce in dict.fromkeys((*sent, *seen)))


def _beat(nonce: str, sent: dict[str, Any], seen: dict[str, Any]) -> Beat:
    return Beat(
        nonce,
        sent.get("sent_at"),
        seen.get("seen_at"),
        seen.get("authorized_seen"),
        sent.get("sessions_counted"),
        sent.get("stats_epoch", ""),
        sent.get("settings_sha256", ""),
    )


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


def _settings(events: Iterable[LoggedEvent]) -> tuple[SettingChange, ...]:
    """Changes that were not refused after all: an error may be read later than the statement that it belongs to."""
    changes = [event for event in events if event.name == "source.settings_changed"]
    refused = _refused(changes)
    return tuple(_change(event.fields) for event in changes if _activity(event.fields) not in refused)


def _change(fields: dict[str, Any]) -> SettingChange:
    session = fields.get("session_id", "")
    return SettingChange(
        fields["happened_at"], fields["setting"], fields.get("value", ""), bool(fields["weakens"]), session
    )


def _activity(fields: dict[str, Any]) -> str:
    """The action that asked for a change; empty where the server itself told of it."""
    return activity_uuid(fields["session_id"], fields["source_number"]) if "source_number" in fields else ""


def _refused(changes: list[LoggedEvent]) -> set[str]:
    asked = [event for event in changes if _activity(event.fields)]
    if not asked:
        return set()
    from_at, to_at = min(event.at for event in asked), max(event.at for event in asked) + HOUR
    rows = Event.objects.filter(name="activity.outcome_learned", at__gte=from_at, at__lte=to_at).values_list(
        "body", flat=True
    )
    return {event_of(bytes(body)).fields["activity_id"] for body in rows[:MOST]}


def _unmatched(event: LoggedEvent) -> Unmatched:
    return Unmatched(event.fields["source_session"], event.fields["started_at"], event.fields["why"])
