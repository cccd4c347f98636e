"""The shape of an entry, on which every reader counts. No Django.

Whoever may insert an event may write any bytes. So the sealer refuses an entry of another shape, and readers pass over one.
"""

import re
from collections.abc import Mapping
from typing import Any

from audit.events import catalogue
from audit.events.spec import EARLIEST, LATEST
from audit.log.canonical import parse_entry
from audit.log.errors import ParseError

MUST: Mapping[str, type] = {"id": str, "name": str, "at": int, "by": str, "fields": dict, "personal": dict}
MAY: Mapping[str, type] = {"v": int, "method": str, "strong_at": int, "case": str, "subject": str}
TEXTS = {str}
NUL = rb"\u0000"
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def holds_nul(data: bytes) -> bool:
    """Whether a text in the bytes of an entry holds the character NUL, which no database can read: then it is escaped, and behind no backslash.

    It is no matter of shape, for entries that were sealed before anybody asked are read as all others.
    """
    return NUL in data and ESCAPED_NUL.search(data) is not None


def wrong_shape(entry: Mapping[str, Any]) -> str:
    """Why no reader could read the entry, or nothing. The fields of a name that is not known here are of a later version, and may be any."""
    for name, kind in MUST.items():
        if type(entry.get(name)) is not kind:
            return f"Its {name} is missing or of another kind."
    for name, kind in MAY.items():
        if name in entry and type(entry[name]) is not kind:
            return f"Its {name} is of another kind."
    if not (EARLIEST <= entry["at"] <= LATEST and EARLIEST <= entry.get("strong_at", 0) <= LATEST):
        return "Its time is in no year that a calendar has."
    if not TEXTS.issuperset(map(type, entry["personal"].values())):
        return "What is personal in it is no map of texts."
    declared = catalogue.get(entry["name"])
    return declared.misfit(entry["fields"], entry["personal"]) if declared is not None else ""


def read_entry(data: bytes) -> dict[str, Any]:
    """Read the bytes of an entry of this shape.

    Raises:
        ParseError: They are anything else.
    """
    entry = parse_entry(data)
    if trouble := wrong_shape(entry):
        raise ParseError(trouble)
    return entry
