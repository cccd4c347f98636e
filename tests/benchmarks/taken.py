"""How long something took: by the clock on the wall, and in the processors of this process and of its database's backend.

On a machine that others use as well the first says little; the second is what the work itself needs.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Taken:
    """Seconds. ``cpu`` is ``None`` where the database's backend cannot be seen from here."""

    wall: float = 0.0
    cpu: float | None = None

    @property
    def words(self) -> str:
        """The second figure in words."""
        return "processor time not known" if self.cpu is None else f"processor time {self.cpu:.3g} s"


@contextmanager
def taken() -> Iterator[Taken]:
    """Measure what is done within."""
    found, began, cpu = Taken(), time.perf_counter(), _cpu()
    yield found
    after = _cpu()
    found.wall = time.perf_counter() - began
    found.cpu = after - cpu if after is not None and cpu is not None else None


def _cpu() -> float | None:
    """User and system time so far, of this process and of the backend of its connection."""
    connection.ensure_connection()
    try:
        stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / TICKS
