"""What can be opened: systems, and privileges on them."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person

CRITICALITIES = (("normal", "Normal"), ("critical", "Critical"))


class System(models.Model):
    """A target that can be opened. ``settings`` reach the connector; its secret lies encrypted beside them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="owned_systems")
    criticality = models.CharField(max_length=10, choices=CRITICALITIES, default="normal")
    personal_data = models.BooleanField(default=False)
    way_in = models.TextField(blank=True, help_text="How a responder gets to it, in plain words")
    connector = models.CharField(max_length=40)
    settings = models.JSONField(default=dict)
    secret = models.BinaryField(null=True, blank=True, editable=False, help_text="encrypted")
    in_scope_from = models.DateTimeField()
    in_scope_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Listed by name."""

        default_permissions = ()
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"system:{self.pk}"


class Privilege(models.Model):
    """What can be opened on a system: for PostgreSQL a role without login."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="privileges")
    name = models.CharField(max_length=120, help_text="in plain words")
    on_target = models.CharField(max_length=63, help_text="its name on the target")
    description = models.TextField(blank=True)
    added_at = models.DateTimeField()

    class Meta:
        """Once for each system."""

        default_permissions = ()
        ordering: ClassVar = ["system__name", "name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["system", "on_target"], name="privilege_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"privilege:{self.pk}"


class ProposedChange(models.Model):
    """A change of a system, source or privilege that waits for a second administrator. ``after`` holds what it will be."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="proposed_changes")
    kind = models.CharField(max_length=30, help_text="register, change, privilege, source")
    after = models.JSONField()
    secret = models.BinaryField(null=True, blank=True, editable=False, help_text="encrypted")
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=10, blank=True, help_text="approve or decline")

    class Meta:
        """Decided once, by another person."""

        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(decided_at__isnull=True, decided_by__isnull=True, decision="")
                | models.Q(decided_at__isnull=False, decided_by__isnull=False, decision__in=["approve", "decline"]),
                name="proposed_change_decided_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("proposed_by"))
                | models.Q(decision="decline"),
                name="proposed_change_second_person",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"system:{self.system_id}" if self.system_id else f"proposal:{self.pk}"
