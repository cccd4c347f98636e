"""The heartbeats around one window: as many as a verdict needs, however often they are sent.

A heartbeat is two events: that it was sent has the time of its sending, that it was seen the time of its reading, which may be days later. So
what was seen is found through what was sent: the last ones before the window, all inside it, the first ones behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from audit.completeness.evidence import Beat, Window
from audit.log.logged import COLUMNS, events_of
from audit.log.models import Event
from audit.log.read import LoggedEvent

SENT, SEEN = "source.heartbeat_sent", "source.heartbeat_seen"
HOUR = 3_600_000
LOOK_BACK = 26 * HOUR
"""How far before a window a heartbeat is looked for."""
LATE = 30 * 24 * HOUR
"""How long after a window something of it may still be read."""
ACT = 60_000
"""A heartbeat may be read a moment before the portal says that it was sent, never by more than this."""
NEAR = (100, 5_000, 100_000)
"""How many are taken on each side of a window; more where none of so many came back, and others did."""
FEW = 10
"""How many that came back behind a window are enough: a login may be counted a moment after it was logged, so that one alone may mislead."""
AT_ONCE, MOST = 500, 100_000


@dataclass
class _Found:
    """What was read of one side or another; ``cut`` where the verdict would rest on what was not read."""

    beats: dict[str, Beat] = field(default_factory=dict)
    behind: int = 0
    strangers: int = 0
    """Seen behind the window, and nothing that was read says when they were sent."""
    more: bool = False
    cut: bool = False


def heartbeats_around(window: Window, subject: str, mark: int) -> tuple[tuple[Beat, ...], bool]:
    """The heartbeats that bound the window and those between them; and whether they were too many to be read."""
    found = _Found()
    for near in NEAR:
        found = _load(window, subject, mark, near)
        if not found.more:
            break
    return tuple(found.beats.values()), found.cut or found.more


def _load(window: Window, subject: str, mark: int, near: int) -> _Found:
    since, until = window.from_at - LOOK_BACK, window.settled_at + LATE
    earlier = list(_events(subject, SENT, since, window.from_at, near, order="-at"))
    inside = list(_events(subject, SENT, window.from_at + 1, mark, MOST + 1))
    later = list(_events(subject, SENT, mark + 1, until, near))
    found = _Found({beat.nonce: beat for beat in map(_sent, (*reversed(earlier), *inside, *later))})
    first = min((event.at for event in earlier), default=window.from_at)
    read_all = _see(found, _events(subject, SEEN, first - ACT, until, MOST + 1), mark)
    no_before = not any(beat.before(window.from_at) for beat in found.beats.values())
    older = len(earlier) == near and no_before and any(_events(subject, SEEN, since, first, 1))
    newer = len(later) == near and not found.behind and found.strangers > 0
    found.more, found.cut = older or newer, len(inside) > MOST or not (read_all or found.behind)
    return found


def _see(found: _Found, seen: Iterator[LoggedEvent], mark: int) -> bool:
    """Join what came back to what was sent, until enough is known; False where it was too much."""
    for count, event in enumerate(seen):
        if count == MOST:
            return False
        nonce, at = event.fields["nonce"], event.fields["seen_at"]
        sent = found.beats.get(nonce, Beat(nonce, None, None))
        beat = found.beats[nonce] = replace(sent, seen_at=at, authorized=event.fields.get("authorized_seen"))
        found.behind += beat.behind(mark)
        found.strangers += beat.sent_at is None and at > mark
        if found.behind == FEW:
            break
    return True


def _sent(event: LoggedEvent) -> Beat:
    fields = event.fields
    return Beat(
        fields["nonce"], fields["sent_at"], None, None,
        fields.get("sessions_counted"), fields.get("stats_epoch", ""), fields.get("settings_sha256", ""),
    )  # fmt: skip


def _events(
    subject: str, name: str, from_at: int, to_at: int, most: int, *, order: str = "at"
) -> Iterator[LoggedEvent]:
    """One after the other, so that nobody holds them all; the first are asked for at once, which is quicker than a cursor and mostly enough."""
    rows = Event.objects.filter(subject=subject, name=name, at__gte=from_at, at__lte=to_at).order_by(order, "id")
    found = rows.values_list(*COLUMNS)
    first = list(found[: min(most, AT_ONCE)])
    yield from events_of(first)
    if len(first) == AT_ONCE < most:
        # What is written meanwhile only moves these back: one may come twice, none is left out.
        yield from events_of(found[AT_ONCE:most].iterator(chunk_size=AT_ONCE))
