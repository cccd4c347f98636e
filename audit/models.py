"""Gathers the models of all concepts for Django."""

from audit.cases.models import CaseListPosition, CaseRow
from audit.log.models import Event, Heartbeat, PageView, PersonalValue, QueueEntry, SealedEntry, StoredCheckpoint, Tile
from audit.sources.models import CountedSession, SourcePosition

__all__ = [
    "CaseListPosition",
    "CaseRow",
    "CountedSession",
    "Event",
    "Heartbeat",
    "PageView",
    "PersonalValue",
    "QueueEntry",
    "SealedEntry",
    "SourcePosition",
    "StoredCheckpoint",
    "Tile",
]
