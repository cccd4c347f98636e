"""One line of an attestation as plain data, and the whole list with its fingerprint.

The lines are written as canonical JSON (RFC 8785) and hashed. They can be made again from the stored lines, which shows any change.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785

from portal.campaigns.models import Campaign, Item
from portal.clock import ms

ALL = "all"


@dataclass(frozen=True)
class Line:
    """One line. ``hands`` holds the pseudonyms of those who asked for the right or gave it: they may not decide on it."""

    subject_kind: str
    subject: str
    privilege_name: str
    label: str
    facts: dict[str, Any]
    person_id: UUID | None = None
    hands: frozenset[str] = field(default=frozenset())

    def as_json(self) -> dict[str, Any]:
        """Plain strings and integers."""
        person = {"person": str(self.person_id)} if self.person_id else {}
        return {"kind": self.subject_kind, "subject": self.subject, "privilege": self.privilege_name, "label": self.label,
                "facts": self.facts, **person}  # fmt: skip


def snapshot(system_id: UUID | None, at: datetime, lines: Iterable[Line]) -> str:
    """The whole list as canonical JSON."""
    rows = sorted((line.as_json() for line in lines), key=lambda row: (row["kind"], row["subject"]))
    return rfc8785.dumps({"v": 1, "system": str(system_id or ALL), "at": ms(at), "lines": rows}).decode()


def sha256(text: str) -> str:
    """SHA-256 over the text's bytes (UTF-8), in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def again(campaign: Campaign) -> str:
    """The snapshot made anew from the lines as they are stored now."""
    items = Item.objects.filter(campaign=campaign)
    return snapshot(campaign.system_id, campaign.snapshot_at, (line_of(item) for item in items))


def line_of(item: Item) -> Line:
    """A stored line as it was listed."""
    return Line(item.subject_kind, item.subject, item.privilege_name, item.label, item.facts, item.person_id)
