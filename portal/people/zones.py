"""A person's time zone."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portal.people.models import Person

UTC_ZONE = ZoneInfo("UTC")


def zone_of(person: Person | None) -> ZoneInfo:
    """The one that the person chose; UTC for a list, and for a name that nobody knows."""
    try:
        return ZoneInfo(person.time_zone) if person else UTC_ZONE
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC_ZONE
