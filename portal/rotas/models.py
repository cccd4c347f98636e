"""Rotas of approvers, the swaps that their members agreed on, and when a member is away. Who is on call is worked out, never stored."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person
from portal.rotas.states import OFFERED, STATES
from portal.systems.models import System


class Rota(models.Model):
    """Members of one system take turns, week by week. The weekday of the hand-over is that of ``begins``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="rotas")
    name = models.CharField(max_length=60)
    members = models.JSONField(help_text="pseudonyms, in their order")
    begins = models.DateField(help_text="day of the hand-over from which the first member has their week")
    hour = models.PositiveSmallIntegerField()
    zone = models.CharField(max_length=60)
    changed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        """Named once among those of a system that are in use."""

        default_permissions = ()
        ordering: ClassVar = ["system__name", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["system", "name"], condition=models.Q(retired_at__isnull=True), name="rota_name_once"
            ),
            models.CheckConstraint(
                condition=models.Q(retired_at__isnull=True, retired_by__isnull=True)
                | models.Q(retired_at__isnull=False, retired_by__isnull=False),
                name="rota_retired_whole",
            ),
            models.CheckConstraint(condition=models.Q(hour__lte=23), name="rota_hour_of_the_day"),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"rota:{self.pk}"


class Swap(models.Model):
    """A member offers one of their weeks for one of another's. It counts once the other has taken it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rota = models.ForeignKey(Rota, on_delete=models.PROTECT, related_name="swaps")
    offered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    offered_at = models.DateTimeField()
    week = models.DateField(help_text="day of the hand-over of the week that is given")
    to = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    other_week = models.DateField(help_text="that of the week that is wanted for it")
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=OFFERED)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One open offer for each week; an answer has its time."""

        default_permissions = ()
        ordering: ClassVar = ["offered_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rota", "week"], condition=models.Q(state=OFFERED), name="swap_offered_once_for_each_week"
            ),
            models.CheckConstraint(
                condition=models.Q(state=OFFERED, answered_at__isnull=True)
                | (~models.Q(state=OFFERED) & models.Q(answered_at__isnull=False)),
                name="swap_answered_with_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(offered_by=models.F("to")) & ~models.Q(week=models.F("other_week")),
                name="swap_between_two",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names the rota that it is about."""
        return f"rota:{self.rota_id}"


class Absence(models.Model):
    """A person is away from all their rotas; it ends when they say, or when they are back earlier."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="absences")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    said_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        """It has a length; found by person. An absence that was taken back before it began has none and says nothing."""

        default_permissions = ()
        ordering: ClassVar = ["from_at"]
        indexes: ClassVar = [models.Index(fields=["person", "to_at"], name="absence_of_person")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(to_at__gte=models.F("from_at")), name="absence_ends_after_it_begins"
            )
        ]

    @property
    def log_subject(self) -> str:
        """How the log names the person who is away."""
        return f"person:{self.person_id}"
