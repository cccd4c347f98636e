"""A list that nobody decides on is laid aside: the names of a whole company are not kept for want of a click."""

from datetime import timedelta

from audit.log.append import process
from portal.clock import now
from portal.personnel.actions import discard
from portal.personnel.queries import forgotten
from portal.sweeping import done

KEPT_FOR = timedelta(days=7)


def discard_due() -> int:
    """Lay aside what was read more than a week ago; how many they were."""
    rows = forgotten(now() - KEPT_FOR)
    return sum(done("personnel", discard, by=process("sweep"), row=row, cause="nobody decided on it") for row in rows)
