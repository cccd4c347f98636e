"""One thing that falls due, whoever keeps it."""

from dataclasses import dataclass
from datetime import datetime

MOST = 500  # of each kind, the first due first


@dataclass(frozen=True)
class Entry:
    """``key`` is the same for the same duty each time; ``path`` is where it is done. ``title`` names systems, and no person."""

    key: str
    due_at: datetime
    kind: str
    title: str
    path: str
