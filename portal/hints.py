"""Hints to workers: do this now, if you can. What they say is due in the database and done without them, only later.

A page never waits for the broker: a thread of its own sends them, and after a failure it lets them be for a while.
"""

import logging
import threading
import time
from collections import deque

from django.db import transaction

REST_S = 30.0  # after a failure
MOST = 100  # that wait; a hint that came too late is worth nothing
logger = logging.getLogger("breakglass.hints")


class _Sender:
    """One thread for each process, started by the first hint (so after a fork), gone when there is nothing to send."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, tuple[object, ...]]] = deque(maxlen=MOST)
        self._lock = threading.Lock()
        self._working = False
        self._rests_until = float("-inf")

    def put(self, name: str, arguments: tuple[object, ...]) -> bool:
        """Take a hint; ``False`` while the broker is let be."""
        with self._lock:
            if time.monotonic() < self._rests_until:
                return False
            self._waiting.append((name, arguments))
            if not self._working:
                self._working = True
                threading.Thread(target=self._send_all, name="hints", daemon=True).start()
        return True

    def _send_all(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._working = False
                    return
                name, arguments = self._waiting.popleft()
            try:
                _send(name, arguments)
            except Exception as error:  # noqa: BLE001 - a broker may fail in any way; nothing depends on it
                logger.warning("the broker takes no hints, none are given for %g s: %s", REST_S, type(error).__name__)
                with self._lock:
                    self._rests_until = time.monotonic() + REST_S
                    self._waiting.clear()


_sender = _Sender()


def hint(task_name: str, *args: object) -> None:
    """Ask a worker, once the running transaction is committed, to run the task. Never raises, never waits."""
    transaction.on_commit(lambda: _sender.put(task_name, args))


def _send(name: str, arguments: tuple[object, ...]) -> None:
    from portal.celery import app  # noqa: PLC0415 - the broker's client is loaded when it is needed

    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=1)
        app.send_task(name, args=arguments, connection=broker, retry=False, expires=60)
