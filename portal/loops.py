"""Runs jobs side by side in one process, each at its own interval; one in trouble holds up no other.

Each job has a thread and database connections of its own, closed after every run, so a database that went away is simply
reached anew. The main thread says every few seconds that the process lives, and what became of each job.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from django.db import DatabaseError, connections
from django.utils.module_loading import import_string

from audit.log.heartbeats import beat

logger = logging.getLogger("breakglass.loops")
BEAT_S = 3.0
REPEAT_S = 60.0  # the same trouble is told again after this time
PATIENCE_S = 10.0  # for jobs at work when the process is told to stop


def _nothing() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Job:
    """Something to be done again and again. ``run`` is a dotted name, so that its module is loaded by the first run.

    ``given`` makes the arguments of each run.
    """

    name: str
    run: str
    every_s: float
    given: Callable[[], Mapping[str, Any]] = _nothing

    def once(self) -> object:
        """Do it now."""
        return import_string(self.run)(**self.given())


@dataclass
class Course:
    """How a job is going; for the heartbeat."""

    runs: int = 0
    done_at: float | None = None  # seconds since 1970
    trouble: str = ""
    since: float = field(default_factory=time.time)  # when the process took the job up; seconds since 1970
    told_at: float = field(default=float("-inf"), repr=False)  # monotonic

    def plain(self) -> dict[str, object]:
        """As JSON: times in milliseconds."""
        done = None if self.done_at is None else int(self.done_at * 1000)
        return {"runs": self.runs, "done_at": done, "trouble": self.trouble, "since": int(self.since * 1000)}


def run(jobs: Sequence[Job], *, process: str, at_end: Sequence[str] = (), stop: threading.Event | None = None) -> None:
    """Run the jobs until SIGTERM, SIGINT or ``stop``. ``at_end``: dotted names of what is to be called last."""
    ending = stop or threading.Event()
    courses = {job.name: Course() for job in jobs}
    threads = [
        threading.Thread(target=_go_on, args=(job, courses[job.name], ending), name=job.name, daemon=True)
        for job in jobs
    ]
    with _signals(ending):
        for thread in threads:
            thread.start()
        while True:
            _say_alive(process, courses)
            if ending.wait(BEAT_S):
                break
    _wait_for(threads)
    for name in at_end:
        _last(name)
    connections.close_all()


def _go_on(job: Job, course: Course, ending: threading.Event) -> None:
    while not ending.is_set():
        begun = time.monotonic()
        _one_run(job, course)
        ending.wait(max(0.0, job.every_s - (time.monotonic() - begun)))


def _one_run(job: Job, course: Course) -> None:
    try:
        job.once()
        course.trouble, course.done_at = "", time.time()
    except Exception as error:  # noqa: BLE001 - whatever it is, the next run comes
        _tell(job, course, error)
    finally:
        course.runs += 1
        connections.close_all()


def _tell(job: Job, course: Course, error: Exception) -> None:
    """All of it once; while it stays the same, a line each minute."""
    text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    if text != course.trouble:
        logger.error("job %s failed and is tried again in %g s", job.name, job.every_s, exc_info=error)
        course.told_at = time.monotonic()
    elif time.monotonic() - course.told_at > REPEAT_S:
        logger.error("job %s still fails: %s", job.name, text)
        course.told_at = time.monotonic()
    course.trouble = text


def _say_alive(process: str, courses: Mapping[str, Course]) -> None:
    try:
        beat(process, {name: course.plain() for name, course in courses.items()})
    except DatabaseError as error:
        logger.warning("%s could not say that it lives: %s", process, type(error).__name__)
    finally:
        connections.close_all()


def _wait_for(threads: Sequence[threading.Thread]) -> None:
    end = time.monotonic() + PATIENCE_S
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            logger.warning("job %s is still at work and is left", thread.name)


def _last(name: str) -> None:
    try:
        import_string(name)()
    except Exception:
        logger.exception("%s failed at the end", name)


@contextmanager
def _signals(ending: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT end the loop; only the main thread can hear them."""

    def hear(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
