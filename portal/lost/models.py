"""What the log acknowledged and no longer has, after its database was set back: two administrators say so."""

import uuid
from typing import ClassVar

from django.db import models

from portal.lost.states import DECLINED, REPORTED, SIGNED, STATES
from portal.people.models import Person


class LostRange(models.Model):
    """From when to when; with a checkpoint that was signed over it also from which index to which."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    from_at = models.DateTimeField(help_text="of the last entry that is there")
    to_at = models.DateTimeField(help_text="of the failover or restore")
    checkpoint = models.TextField(blank=True, help_text="a signed note over more than is stored")
    first_index = models.BigIntegerField(null=True, blank=True)
    last_index = models.BigIntegerField(null=True, blank=True)
    acknowledged = models.JSONField(default=list, help_text="ids that somebody was told and no entry mentions")
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=REPORTED)
    reported_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()
    signed_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One waits at a time; signed by another than who reported it."""

        default_permissions = ()
        ordering: ClassVar = ["-reported_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state=REPORTED), name="lost_one_waits"),
            models.CheckConstraint(condition=models.Q(from_at__lte=models.F("to_at")), name="lost_from_before_to"),
            models.CheckConstraint(
                condition=models.Q(checkpoint="", first_index__isnull=True, last_index__isnull=True)
                | ~models.Q(checkpoint="")
                & models.Q(first_index__gte=0, last_index__gte=models.F("first_index"), last_index__isnull=False),
                name="lost_indexes_by_checkpoint",
            ),
            models.CheckConstraint(
                condition=models.Q(state=REPORTED, closed_at__isnull=True)
                | models.Q(state__in=[SIGNED, DECLINED], closed_at__isnull=False),
                name="lost_closed_with_time",
            ),
            models.CheckConstraint(
                condition=models.Q(state=SIGNED, signed_by__isnull=False) & ~models.Q(signed_by=models.F("reported_by"))
                | ~models.Q(state=SIGNED) & models.Q(signed_by__isnull=True),
                name="lost_signed_by_second",
            ),
        ]

    def __str__(self) -> str:
        return f"lost range {self.pk}"

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"lost_range:{self.pk}"
