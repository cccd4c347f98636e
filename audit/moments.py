"""Times as all pages write them, in UTC: of an event, and those that stand in a stored sentence."""

import re
from datetime import UTC, date, datetime


def utc(at: int, *, seconds: bool = True) -> str:
    """``24 Nov 2026, 17:25:03 UTC``."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    clock = moment.strftime("%H:%M:%S" if seconds else "%H:%M")
    return f"{moment.day} {moment:%b %Y}, {clock} UTC"


_WRITTEN = re.compile(r"\b(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d{3})?(?: UTC)?")


def dates(text: str) -> str:
    """Times that stand in a stored sentence, as all pages show them: ``2026-11-24 17:25:03.120 UTC`` -> ``24 Nov 2026, 17:25:03 UTC``."""
    return _WRITTEN.sub(_date, text)


def _date(found: re.Match[str]) -> str:
    try:
        day = date.fromisoformat(found[1])
    except ValueError:  # it only looks like one
        return found[0]
    return f"{day.day} {day:%b %Y}, {found[2]} UTC"
