"""A rehearsal of the emergency way: one request of mode ``drill``, and what was found when it was over."""

import uuid
from typing import ClassVar

from django.db import models

from portal.access_requests.models import AccessRequest
from portal.systems.models import System


class Drill(models.Model):
    """``steps`` is the sheet as it was found: a list of {"name", "result", "told", "at"}. It is never changed; who failed drills again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(AccessRequest, on_delete=models.PROTECT, related_name="drill")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="drills")
    repeats = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="repetitions")
    started_at = models.DateTimeField()
    judged_at = models.DateTimeField(null=True, blank=True)
    over_at = models.DateTimeField(null=True, blank=True, help_text="when its access was over, or nobody opened it")
    worked = models.BooleanField(null=True)
    steps = models.JSONField(default=list)

    class Meta:
        """Judged whole."""

        default_permissions = ()
        ordering: ClassVar = ["-started_at"]
        indexes: ClassVar = [models.Index(fields=["system", "-over_at"], name="drill_of_system")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(judged_at__isnull=True, over_at__isnull=True, worked__isnull=True, steps=[])
                | (
                    models.Q(judged_at__isnull=False, over_at__isnull=False, worked__isnull=False) & ~models.Q(steps=[])
                ),
                name="drill_judged_whole",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"drill:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case."""
        return str(self.request_id)
