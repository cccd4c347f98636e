"""The jobs as tasks, by the names of ``portal/jobs.py``: thin, without arguments, harmless when run twice or never."""

import time
from typing import Any

from celery.signals import after_task_publish, heartbeat_sent
from django.conf import settings
from django.db import connections

from audit.log.heartbeats import beat
from portal.celery import app
from portal.jobs import BEAT, TASK, WORKS, Work, schedule, task_name

app.conf.beat_schedule = schedule(demo=settings.PORTAL_DEMO)
WORKER_SAYS_S = 4
_said: dict[str, float] = {}  # monotonic


def _make_task(work: Work) -> None:
    @app.task(name=task_name(work))
    def run() -> None:
        work.job(BEAT).once()
        _done(work)


for _work in WORKS:
    if _work.beat_s:
        _make_task(_work)


def _done(work: Work) -> None:
    """The job came to an end; one that hangs never says so again, and the status page turns."""
    name = f"{TASK}:{work.name}"
    if time.monotonic() - _said.get(name, float("-inf")) > WORKER_SAYS_S:
        _said[name] = time.monotonic()
        beat(name)


@app.task(name="portal.beat")
def mark_worker() -> None:
    """A worker ran a task."""
    beat("worker")


@after_task_publish.connect(sender="portal.beat")
def mark_beat(**_: Any) -> None:
    """Runs in beat's own process, right after the broker took its message: both live."""
    _beat("beat")


@heartbeat_sent.connect
def mark_busy_worker(**_: Any) -> None:
    """Runs in the worker's own process, which lives also while all its hands are busy for a minute."""
    if time.monotonic() - _said.get("worker", float("-inf")) > WORKER_SAYS_S:
        _said["worker"] = time.monotonic()
        _beat("worker")


def _beat(process: str) -> None:
    """Outside of tasks nobody else closes the connection."""
    try:
        beat(process)
    finally:
        connections.close_all()
