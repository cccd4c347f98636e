"""Gathers the models of all concepts for Django."""

from audit.log.models import Event, Heartbeat, PersonalValue, QueueEntry, SealedEntry, StoredCheckpoint, Tile

__all__ = ["Event", "Heartbeat", "PersonalValue", "QueueEntry", "SealedEntry", "StoredCheckpoint", "Tile"]
