"""Gathers the models of all concepts for Django."""

from audit.log.models import Event, Heartbeat, PersonalValue, QueueEntry, SealedEntry, StoredCheckpoint, Tile
from audit.sources.models import CountedSession, SourcePosition

__all__ = [
    "CountedSession",
    "Event",
    "Heartbeat",
    "PersonalValue",
    "QueueEntry",
    "SealedEntry",
    "SourcePosition",
    "StoredCheckpoint",
    "Tile",
]
