"""How far each source was read. Working state of gather: never evidence, and made again from the start of a log if it is lost."""

from typing import ClassVar

from django.db import models


class SourcePosition(models.Model):
    """One source: where reading goes on, and what is remembered of the log as a whole."""

    source_id = models.UUIDField(primary_key=True)
    position = models.JSONField(default=dict)
    head = models.JSONField(default=dict)
    trouble = models.CharField(max_length=300, blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """One row for each source."""

        db_table = "audit_source_position"
        default_permissions = ()


class CountedSession(models.Model):
    """A connection whose lines are being counted; gone when it has ended."""

    pk = models.CompositePrimaryKey("source_id", "session")
    source = models.ForeignKey(SourcePosition, on_delete=models.CASCADE, related_name="sessions")
    session = models.CharField(max_length=120)
    state = models.JSONField()

    class Meta:
        """One row for each connection that is open, and for each process of the target's server."""

        db_table = "audit_counted_session"
        default_permissions = ()
        indexes: ClassVar = []
