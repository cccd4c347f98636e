"""Places at which a test may have this process killed. Deaf unless PORTAL_TESTING is set."""

import os
import signal

from django.conf import settings

OPENING = "opening"
ENDING = "ending"
CARDS = "cards"
# The connector's own steps come after "looked" and after the second "begun".
OF_OPENING = ("waiting", "begun", "proved", "looked", "opened", "activated")
OF_ENDING = ("due", "over", "begun", "closed", "read", "confirmed")
OF_CARDS = ("prepared", "begun", "changed", "tested", "confirmed")


def reached(process: str, step: str) -> None:
    """Kill this process and all of its group, as ``kill -9`` does, where PORTAL_CRASH_AT says ``process: step``."""
    if settings.PORTAL_TESTING and os.environ.get("PORTAL_CRASH_AT") == f"{process}: {step}":
        os.killpg(0, signal.SIGKILL)
