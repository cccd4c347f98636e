"""Gathers the models of all concepts for Django."""

from audit.cases.models import ActRow, ActSession, CaseListPosition, CaseRow
from audit.log.models import (
    Cosignature,
    Event,
    Heartbeat,
    PageView,
    PersonalValue,
    QueueEntry,
    SealedEntry,
    StoredCheckpoint,
    Tile,
    Timestamp,
)
from audit.packs.models import Dossier, Pack
from audit.sources.models import CountedSession, SourcePosition

__all__ = [
    "ActRow",
    "ActSession",
    "CaseListPosition",
    "CaseRow",
    "Cosignature",
    "CountedSession",
    "Dossier",
    "Event",
    "Heartbeat",
    "Pack",
    "PageView",
    "PersonalValue",
    "QueueEntry",
    "SealedEntry",
    "SourcePosition",
    "StoredCheckpoint",
    "Tile",
    "Timestamp",
]
