"""How far portal's intake has read the log, and which listings of targets were taken."""

import uuid
from typing import ClassVar

from django.db import models

from portal.systems.models import System


class IntakePosition(models.Model):
    """The next index of the log that a reader of portal has not yet handled."""

    reader = models.CharField(max_length=40, primary_key=True)
    next_index = models.BigIntegerField(default=0)

    class Meta:
        """One row for each reader."""

        default_permissions = ()


class Listing(models.Model):
    """Who could act as a privilege on a target, when it was asked. The event holds its hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="listings")
    taken_at = models.DateTimeField()
    answer = models.JSONField()
    answer_sha256 = models.CharField(max_length=64)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering: ClassVar = ["-taken_at"]
