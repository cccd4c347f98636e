"""What keeps the log may stop in silence, so others ask, every half minute, whether it is on time.

``log.late`` begins an outage and ``log.on_time`` ends it, each told once. Something is late once every look for a while has found it
behind: a restart of everything is no outage.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.backup_times import noted
from audit.log.heartbeats import beat
from audit.log.late_parts import Part, parts
from audit.log.locks import Lock, alone
from audit.log.read import LoggedEvent, last_named_of

LATE, ON_TIME = "log.late", "log.on_time"
WATCHER = process("log-watch")
LOOKED = "log:looked"
"""Heartbeat of who asks: which parts were behind at each look, and since which look (ms)."""
PAUSE_MS = 5 * 60_000  # after so long without a look all is looked at anew
alarms = logging.getLogger("breakglass.alarm")


@dataclass(frozen=True)
class Look:
    """One part, and since which look (ms) every look has found it behind."""

    part: Part
    behind_from: int

    def is_late(self, at: int) -> bool:
        """Whether it has been behind for long enough."""
        return at - self.behind_from >= self.part.steady_ms


def run_due() -> int:
    """Tell of each part that is late and of each that is on time again; of how many. One look at a time."""
    with alone(Lock.LATENESS) as mine:
        return sum(_tell(look) for look in _looks()) if mine else 0


def outage_of(what: str) -> LoggedEvent | None:
    """The entry that began the outage of this part, while it goes on."""
    last = last_named_of(subject_of(what), [LATE, ON_TIME])
    return last if last is not None and last.name == LATE else None


def subject_of(what: str) -> str:
    """The subject of what the log says of a part's lateness."""
    return f"lateness:{what}"


def _looks() -> Iterator[Look]:
    """All parts of which something can be known now; on the way the heartbeat keeps which are behind."""
    last, at = noted(LOOKED), now_ms()
    before = last["behind"] if last and last["at"] + PAUSE_MS >= at else {}
    looks = [Look(part, min(at, before.get(part.what, at))) for part in parts(at)]
    beat(
        LOOKED,
        {"at": at, "behind": {each.part.what: each.behind_from for each in looks if each.part.since is not None}},
    )
    return iter(looks)


def _tell(look: Look) -> int:
    part, outage = look.part, outage_of(look.part.what)
    if part.since is None and outage is not None:
        note_on_time(by=WATCHER, part=part, since=outage.fields["since"])
    elif part.since is not None and outage is None and look.is_late(now_ms()):
        alarms.critical("%s %s", part.sentence, part.to_do)
        note_late(by=WATCHER, part=part, since=part.since)
    else:
        return 0
    return 1


@action(event=LATE)
def note_late(*, by: Actor, part: Part, since: int) -> None:
    """A part is late since then (ms); findings and alerts follow from it."""
    append(
        LATE,
        by=by,
        subject=subject_of(part.what),
        what=part.what,
        since=since,
        sentence=part.sentence,
        to_do=part.to_do,
    )


@action(event=ON_TIME)
def note_on_time(*, by: Actor, part: Part, since: int) -> None:
    """It is on time again, after an outage since then (ms)."""
    append(ON_TIME, by=by, subject=subject_of(part.what), what=part.what, since=since)
