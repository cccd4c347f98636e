"""Notes that lines stand before their reviewer; asked for by each view of the page, and harmless when two come at once."""

from collections.abc import Iterable
from contextlib import suppress

from audit.log.append import Actor
from portal.campaigns.actions import open_evidence, show
from portal.campaigns.models import Campaign, Item
from portal.campaigns.queries import unseen
from portal.campaigns.states import UNDECIDED
from portal.errors import ChangedMeanwhile
from portal.people.models import Person


def show_lines(*, by: Actor, viewer: Person, campaign: Campaign, items: Iterable[Item]) -> None:
    """One event for each line of the page that is new to the viewer."""
    new = unseen(viewer, items)
    if new:
        with suppress(ChangedMeanwhile):  # another window of theirs was quicker
            show(by=by, campaign=campaign, only=[each.pk for each in new])


def show_evidence(*, by: Actor, viewer: Person, item: Item) -> None:
    """One event when who judges the line looks at its evidence first; that the line stands before them is noted with it."""
    show_lines(by=by, viewer=viewer, campaign=item.campaign, items=[item])
    if item.reviewer_id == viewer.pk and item.state == UNDECIDED and item.opened_at is None:
        with suppress(ChangedMeanwhile):
            open_evidence(by=by, item=item)
