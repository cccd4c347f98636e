"""Bring parts up in order, keep them up, take them down in reverse.

Servers stand before what uses them and end after it. A part that ends by itself is started again, later each time.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import FrameType

from portal.embedded import processes
from portal.embedded.processes import CouldNotStart

LOOK_EVERY = 0.05  # seconds
LONGEST_PAUSE = 30.0  # seconds between two starts of a part that keeps ending
STEADY_AFTER = 60.0  # seconds after which earlier ends are forgotten


class Stopped(Exception):
    """Somebody asked to stop while parts were coming up."""


@dataclass(frozen=True)
class Part:
    """A process that runs as long as we do. `start` is called again when it ended."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    log: Path
    ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0  # seconds it may take to stop
    is_server: bool = False  # ends after all that are none


@dataclass(frozen=True)
class Step:
    """Something that must be done before what follows: ours, or a process that ends with 0."""

    name: str
    do: Callable[[], subprocess.Popen[bytes] | None]
    log: Path | None = None


@dataclass
class Running:
    part: Part
    process: subprocess.Popen[bytes] | None
    started: float = field(default_factory=time.monotonic)
    ends: int = 0
    again_at: float | None = None


def listen_for_stop(stop: Event) -> None:
    """Set `stop` on SIGTERM, Ctrl-C, and when the terminal goes away."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handle)


def bring_up(
    stages: Sequence[Part | Step],
    running: list[Running],
    stop: Event,
    say: Callable[[str], None],
    *,
    patience: float = 180,
) -> None:
    """Start each part and wait until it is ready, do each step, in order; parts are added to `running`.

    Raises:
        CouldNotStart: A part or step failed; what runs already is in `running`.
        Stopped: `stop` was set.
    """
    for stage in stages:
        begun = time.monotonic()
        if isinstance(stage, Step):
            _do(stage, stop)
        else:
            running.append(Running(stage, stage.start()))
            _wait_until_ready(running[-1], stop, patience)
        say(f"  {stage.name:<16} {time.monotonic() - begun:5.1f} s")


def _do(step: Step, stop: Event) -> None:
    process = step.do()
    if process is None:
        return
    while process.poll() is None:
        if stop.wait(LOOK_EVERY):
            processes.stop(process, signal.SIGTERM, patience=10)
            raise Stopped
    if process.returncode != 0:
        raise CouldNotStart(f"{step.name} failed.{_tail(step.log)}")


def _wait_until_ready(running: Running, stop: Event, patience: float) -> None:
    process, part = running.process, running.part
    end = time.monotonic() + patience
    while process is not None and time.monotonic() < end:
        if process.poll() is not None:
            raise CouldNotStart(f"{part.name} ended at its start.{_tail(part.log)}")
        if part.ready():
            return
        if stop.wait(LOOK_EVERY):
            raise Stopped
    raise CouldNotStart(f"{part.name} did not answer within {patience:.0f} s.{_tail(part.log)}")


def _tail(log: Path | None, lines: int = 15) -> str:
    if log is None or not log.exists():
        return ""
    last = log.read_text(errors="replace").splitlines()[-lines:]
    return f" The end of {log}:\n" + "\n".join(f"    {line}" for line in last)


def keep_up(running: Sequence[Running], stop: Event, say: Callable[[str], None]) -> None:
    """Until `stop` is set, start again what ended."""
    while not stop.wait(LOOK_EVERY):
        for one in running:
            _look_after(one, say)


def _look_after(one: Running, say: Callable[[str], None]) -> None:
    now = time.monotonic()
    if one.again_at is None:
        if one.process is not None and one.process.poll() is None:
            return
        _plan_again(one, now, say)
    elif now >= one.again_at:
        _start_again(one, now, say)


def _plan_again(one: Running, now: float, say: Callable[[str], None]) -> None:
    if one.process is not None:  # members of its group may have outlived it
        processes.stop(one.process, one.part.stop_signal, patience=0)
    one.ends = 0 if now - one.started > STEADY_AFTER else one.ends
    pause = min(0.5 * 2**one.ends, LONGEST_PAUSE)
    one.ends += 1
    one.again_at = now + pause
    how = "could not be started" if one.process is None else f"ended ({one.process.returncode})"
    say(f"{one.part.name} {how}; started again in {pause:.1f} s. Its log: {one.part.log}")


def _start_again(one: Running, now: float, say: Callable[[str], None]) -> None:
    one.again_at, one.started, one.process = None, now, None
    try:
        one.process = one.part.start()
    except (CouldNotStart, OSError) as error:
        say(str(error))


def take_down(running: Sequence[Running], say: Callable[[str], None]) -> None:
    """Stop all: what uses servers at once, each with its own patience, then the servers, last started first."""
    backwards = [one for one in reversed(running) if one.process is not None]
    users = [one for one in backwards if not one.part.is_server]
    for one in users:
        if one.process is not None and one.process.poll() is None:
            one.process.send_signal(one.part.stop_signal)
    asked = time.monotonic()
    for one in users:
        _stop(one, one.part.patience - (time.monotonic() - asked), say)
    for one in backwards:
        if one.part.is_server:
            _stop(one, one.part.patience, say)


def _stop(one: Running, patience: float, say: Callable[[str], None]) -> None:
    if one.process is not None and not _stopped_in_time(one, one.process, max(patience, 0.1)):
        say(f"{one.part.name} did not stop when asked and was ended.")


def _stopped_in_time(one: Running, process: subprocess.Popen[bytes], patience: float) -> bool:
    if one.part.is_server:
        return processes.stop(process, one.part.stop_signal, patience=patience)
    # It was asked already; a second wish would mean "at once" to some programs.
    return processes.stop(process, None, patience=patience)
