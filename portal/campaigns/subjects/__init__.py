"""The table of what can be attested. A new kind of line is a file here and one entry."""

from portal.campaigns.lines import Line
from portal.campaigns.models import Item
from portal.campaigns.subjects import accounts, eligibilities, roles, standing
from portal.campaigns.subjects.base import Subject
from portal.reconciliation.models import Listing
from portal.systems.models import System

SUBJECTS: dict[str, Subject] = {each.SUBJECT.name: each.SUBJECT for each in (eligibilities, roles, standing, accounts)}
EVENTS = tuple(dict.fromkeys(name for each in SUBJECTS.values() for name in each.events))


def of(item: Item) -> Subject:
    """What the line is about."""
    return SUBJECTS[item.subject_kind]


def lines_of(kind: str, system: System | None, listing: Listing | None) -> list[Line]:
    """The list of that kind as it stands."""
    return [line for each in SUBJECTS.values() if kind in each.lists for line in each.lines(system, listing)]
