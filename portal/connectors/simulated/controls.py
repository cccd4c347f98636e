"""How a simulated target misbehaves: a JSON file that a test or the demo writes beside its state. Absent means well."""

import json
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from portal.connectors.base import Remainder, Target
from portal.connectors.errors import TargetRefused, Unreachable
from portal.connectors.simulated import state

ANSWER_WITHIN_MS = 10_000  # as the real connectors, this one does not wait for ever


@dataclass(frozen=True)
class Controls:
    """All off unless set."""

    down: bool = False  # no answer at all
    hang_ms: int = 0  # each answer comes this late; later than settings["answer_within_ms"] is none
    refuse: str = ""  # opening is refused with this sentence
    lie_close: bool = False  # closing says done and does nothing
    lie_read_back: bool = False  # the read-back says clear whatever is there
    lag_ms: int = 0  # what was closed can still be used for so long
    keep_sessions: bool = False  # sessions do not end
    mute: bool = False  # statements of grants are not logged
    other_logins: tuple[str, ...] = ()  # newly able to act as each privilege
    leftovers: tuple[tuple[str, str], ...] = ()  # (kind, sentence): drift
    drop_log_lines: tuple[tuple[str, int], ...] = ()  # (session, line) that never reach the log
    drop_heartbeats: bool = False

    def drift(self) -> tuple[Remainder, ...]:
        """The leftovers as remainders."""
        return tuple(Remainder(kind, detail) for kind, detail in self.leftovers)


def path(target: Target) -> Path:
    """The file of the controls."""
    told = target.settings.get("controls_path")
    return Path(told) if told else state.path(target).with_name(state.path(target).name + ".controls.json")


def read(target: Target) -> Controls:
    """The controls as they are now."""
    try:
        given: dict[str, Any] = json.loads(path(target).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Controls()
    known = {each.name: given[each.name] for each in fields(Controls) if each.name in given}
    lists = {
        name: tuple(tuple(x) if isinstance(x, list) else x for x in v)
        for name, v in known.items()
        if isinstance(v, list)
    }
    return Controls(**{**known, **lists})


def write(target: Target, **settings: Any) -> None:
    """Set the controls to these and no others."""
    unknown = set(settings) - {each.name for each in fields(Controls)}
    if unknown:
        raise ValueError(f"Unknown controls: {', '.join(sorted(unknown))}")
    place = path(target)
    beside = place.with_name(place.name + ".new")
    beside.write_text(json.dumps(settings), encoding="utf-8")
    beside.replace(place)


def answering(target: Target) -> Controls:
    """The controls, after waiting as they say. Raises Unreachable where no answer comes in time."""
    controls = read(target)
    patience = int(target.settings.get("answer_within_ms") or ANSWER_WITHIN_MS)
    time.sleep(min(controls.hang_ms, patience) / 1000)
    if controls.down or controls.hang_ms > patience:
        raise Unreachable(f"The simulated target {target.system_id} does not answer.")
    return controls


def check_open(controls: Controls) -> None:
    """Raises TargetRefused where opening is to be refused."""
    if controls.refuse:
        raise TargetRefused(controls.refuse)
