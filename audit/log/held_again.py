"""The portal's rows of legal holds, brought back from what the log says after a database was set back.

The portal keeps its rows by these entries; audit imports nothing of it, so a setting names the function.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from audit.log.canonical import parse_entry
from audit.log.errors import ParseError

SAID = ("hold.set", "hold.lift_asked", "hold.kept", "hold.lifted")
SAYING = 'SELECT body FROM audit_event e LEFT JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.name = ANY(%s) ORDER BY s."index" NULLS LAST, e.at'
Said = Mapping[str, Any]


def said(alias: str = "default") -> list[Said]:
    """Every entry on a hold, in their order, with ``name``, ``at`` (ms), ``by`` and ``fields``."""
    with connections[alias].cursor() as cursor:
        cursor.execute(SAYING, [list(SAID)])
        return parsed(bytes(body) for (body,) in cursor.fetchall())


def parsed(bodies: Iterable[bytes]) -> list[Said]:
    """Those that can be read; the others hold nothing and lift nothing."""
    found: list[Said] = []
    for body in bodies:
        with contextlib.suppress(ParseError):
            entry = parse_entry(body)
            if isinstance(entry.get("fields"), dict) and isinstance(entry["fields"].get("hold_id"), str):
                found.append(entry)
    return found


def hold_again(entries: Sequence[Said]) -> int:
    """Let the portal bring its rows to what the entries say; how many rows."""
    return int(import_string(settings.AUDIT_HELD_AGAIN_BY)(entries)) if entries else 0
