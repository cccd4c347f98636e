"""Notes that lines stand before their reviewer; asked for by each view of the page, and harmless when two come at once."""

from contextlib import suppress

from audit.log.append import Actor
from portal.campaigns.actions import show
from portal.campaigns.models import Campaign
from portal.campaigns.queries import unseen
from portal.errors import ChangedMeanwhile
from portal.people.models import Person


def show_lines(*, by: Actor, viewer: Person, campaign: Campaign) -> None:
    """One event for each line that is new to the viewer."""
    if unseen(viewer, campaign):
        with suppress(ChangedMeanwhile):  # another window of theirs was quicker
            show(by=by, campaign=campaign)
