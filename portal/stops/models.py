"""An emergency stop: nothing is opened on a system, or on any, until two people lift it."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person
from portal.stops.states import IN_FORCE, LIFT_ASKED, LIFTED, STATES
from portal.systems.models import System


class Stop(models.Model):
    """Without a system it holds for all of them, those that are registered later included."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="stops")
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=IN_FORCE)
    started_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    lift_reason = models.TextField(blank=True)
    lift_asked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lift_asked_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One at a time for each scope; lifted by another person than the one who asked."""

        default_permissions = ()
        ordering: ClassVar = ["-started_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["system"],
                condition=~models.Q(state=LIFTED),
                nulls_distinct=False,
                name="stop_once_for_each_scope",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state=IN_FORCE, lift_asked_at__isnull=True, lift_asked_by__isnull=True, lift_reason=""
                )
                | (
                    models.Q(state__in=[LIFT_ASKED, LIFTED], lift_asked_at__isnull=False, lift_asked_by__isnull=False)
                    & ~models.Q(lift_reason="")
                ),
                name="stop_lift_asked_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state=LIFTED, lifted_at__isnull=False, lifted_by__isnull=False)
                | (~models.Q(state=LIFTED) & models.Q(lifted_at__isnull=True, lifted_by__isnull=True)),
                name="stop_lifted_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_by__isnull=True) | ~models.Q(lifted_by=models.F("lift_asked_by")),
                name="stop_second_person",
            ),
        ]

    def __str__(self) -> str:
        return self.where

    @property
    def where(self) -> str:
        """What is stopped."""
        return self.system.name if self.system else "All systems"

    @property
    def holds(self) -> bool:
        """Whether it is in force."""
        return self.state != LIFTED

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"stop:{self.pk}"
