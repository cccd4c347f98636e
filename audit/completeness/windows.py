"""Which windows there are to be judged: each grant that has ended, and each whole UTC day of a source."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from audit.completeness.evidence import Scheme, Window
from audit.log.logged import COLUMNS, events_of
from audit.log.models import Event
from audit.log.read import LoggedEvent
from audit.sources.declared import Source
from audit.sources.postgresql import settings as postgresql

DAY = 24 * 3_600_000
FIRST_FEW = 500
COMPARED = {"postgresql": postgresql.COMPARED}
"""By kind of source, the settings of which a heartbeat brings a hash."""
_NAMESPACE = uuid.UUID("7f0a3c0e-6a54-5d0c-9a83-0f5b7a8b3d21")


def window_id(source_id: str, kind: str, key: str) -> str:
    """The same window has the same identity whenever it is judged."""
    return str(uuid.uuid5(_NAMESPACE, f"{source_id}/{kind}/{key}"))


def scheme_of(source: Source) -> Scheme:
    """How a source counts, by its declaration."""
    default = Scheme(source.counting)
    return Scheme(
        source.counting,
        source.number("lateness_ms", default.lateness_ms),
        source.number("patience_ms", default.patience_ms),
        COMPARED.get(source.kind, frozenset()),
    )


def events_between(names: Iterable[str], from_at: int, to_at: int) -> list[LoggedEvent]:
    """Events of some names that were written in a time (ms, inclusive), in its order."""
    rows = Event.objects.filter(name__in=list(names), at__gte=from_at, at__lte=to_at).order_by("at")
    return list(events_of(rows.values_list(*COLUMNS)))


def grant_windows(sources: Iterable[Source], from_at: int, now: int) -> list[tuple[Source, Window]]:
    """Windows of grants that ended from ``from_at`` on, one for each source of their system."""
    by_system: dict[str, list[Source]] = {}
    for source in sources:
        by_system.setdefault(source.system_id, []).append(source)
    found = []
    for ended in events_between(("grant.ended",), from_at, now):
        for source in by_system.get(ended.fields["system_id"], ()):
            window = _grant_window(source, ended)
            if window:
                found.append((source, window))
    return found


def _grant_window(source: Source, ended: LoggedEvent) -> Window | None:
    """From the opening to the end of the right; what was lost until the read-back counts too."""
    fields, logged_at_end = _told(ended.subject)
    if fields is None:
        return None
    grant_id = ended.fields["grant_id"]
    return Window(
        window_id(source.id, "grant", grant_id), source.id, source.system_id, "grant", fields["opened_at"], ended.fields["over_at"],
        max(ended.fields["over_at"], ended.fields["confirmed_at"]), grant_id, ended.case,
        bool(fields["statement_logging"]), logged_at_end, bool(fields["superuser"]),
    )  # fmt: skip


def _told(subject: str) -> tuple[dict[str, Any] | None, bool]:
    """What was said of a grant's opening, and whether no closing found logging of statements turned off.

    A closing that found the login gone says nothing of logging, as events of before this was asked. What stays open is read back
    any number of times, so nothing is cut off, and one event at a time is held.
    """
    rows = Event.objects.filter(subject=subject, name__in=("grant.activated", "grant.read_back")).order_by("at")
    opened, logged_at_end = None, True
    for event in events_of(rows.values_list(*COLUMNS).iterator()):
        if event.name == "grant.activated":
            opened = event.fields
        elif not event.fields.get("statement_logging", 1):
            logged_at_end = False
    return opened, logged_at_end


def day_windows(source: Source, from_at: int, now: int) -> list[Window]:
    """Whole UTC days that are over. The first begins with the first heartbeat: before it nothing was promised."""
    first = _first_heartbeat(source)
    since = source.since if first is None else first
    day = max(from_at, since) // DAY * DAY
    found = []
    while day + DAY <= now:
        identity = window_id(source.id, "day", str(day // DAY))
        end = day + DAY - 1
        found.append(Window(identity, source.id, source.system_id, "day", max(day, since), end, end))
        day += DAY
    return found


def _first_heartbeat(source: Source) -> int | None:
    """When the first that came back was sent and seen. What was read at once has one time of writing, so the first few are looked at."""
    rows = Event.objects.filter(subject=source.subject).order_by("at")
    seen = _times(rows.filter(name="source.heartbeat_seen"), "seen_at")
    if not seen:
        return None
    sent = _times(rows.filter(name="source.heartbeat_sent", at__gte=min(seen.values())), "sent_at")
    return min(max(at, sent.get(nonce, at)) for nonce, at in seen.items())


def _times(rows: "QuerySet[Event]", name: str) -> dict[str, int]:
    found = [event.fields for event in events_of(rows.values_list(*COLUMNS)[:FIRST_FEW])]
    return {fields["nonce"]: fields[name] for fields in found}
