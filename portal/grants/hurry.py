"""Run a grant's process in the web process, so that it opens and ends with broker and workers down."""

import threading
from collections.abc import Callable
from uuid import UUID

from django.db import connection

from portal.sweeping import done

PATIENCE_S = 4.0


def hurry(run: Callable[[UUID], object], grant_id: UUID, patience_s: float = PATIENCE_S) -> None:
    """Begin the process and wait a little for it. The page shows how far it is, and a sweep goes on with what is left."""
    thread = threading.Thread(target=_run, args=(run, grant_id), name=f"hurry-{grant_id}", daemon=True)
    thread.start()
    thread.join(patience_s)


def _run(run: Callable[[UUID], object], grant_id: UUID) -> None:
    done(f"grant {grant_id}", run, grant_id)
    connection.close()
