"""What an alert leads to was before its recipient's eyes: on a page of the portal, signed in. Not what they say about it: see `actions.acknowledge`.

It is noted by the page itself, as every reading is, and never by the signed link of a message: whatever opens that one may be a program.
"""

from collections.abc import Iterable
from contextlib import suppress

from portal.errors import ChangedMeanwhile
from portal.notifications.actions import note_seen
from portal.notifications.models import Alert
from portal.notifications.queries import unseen_that_lead_to
from portal.people.signing_in import PersonRequest


def looked_at(request: PersonRequest) -> None:
    """Note that the viewer has the page before them to which alerts of theirs lead. One query where none do.

    Raises:
        LogUnavailable: it could not be noted, so nothing is shown.
    """
    _note(request, unseen_that_lead_to(request.user, request.path))


def read(request: PersonRequest, alerts: Iterable[Alert]) -> None:
    """Note that the viewer has these alerts themselves before them. Raises LogUnavailable as `looked_at` does."""
    _note(request, [each for each in alerts if each.seen_at is None])


def _note(request: PersonRequest, alerts: list[Alert]) -> None:
    if alerts:
        with suppress(ChangedMeanwhile):  # a second tab was quicker
            note_seen(by=request.actor, alerts=alerts)
