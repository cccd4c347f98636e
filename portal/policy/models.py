"""Versions of a system's policy. A version is never changed; a new one takes its place."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person
from portal.systems.models import System


class PolicyVersion(models.Model):
    """One version. ``document`` is the canonical JSON of its rules (see ``rules.py``); ``sha256`` is over exactly those bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="policies")
    number = models.PositiveIntegerField()
    document = models.TextField()
    sha256 = models.CharField(max_length=64)
    written_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_to = models.DateTimeField(null=True, blank=True)
    review_due_at = models.DateTimeField()
    declined_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    declined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One in force for each system; approved by another than its writer."""

        default_permissions = ()
        ordering: ClassVar = ["system__name", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["system", "number"], name="policy_number_once"),
            models.UniqueConstraint(
                fields=["system"],
                condition=models.Q(effective_from__isnull=False, effective_to__isnull=True),
                name="policy_one_in_force",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_at__isnull=True, approved_by__isnull=True, effective_from__isnull=True)
                | models.Q(approved_at__isnull=False, approved_by__isnull=False, effective_from__isnull=False),
                name="policy_approved_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(declined_at__isnull=True, declined_by__isnull=True)
                | models.Q(declined_at__isnull=False, declined_by__isnull=False, approved_at__isnull=True),
                name="policy_declined_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("written_by")),
                name="policy_second_person",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"policy:{self.pk}"


class PolicyConfirmation(models.Model):
    """One look at the version in force that left it unchanged: the next is due then. The version itself keeps the date that it began with."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="confirmations")
    confirmed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    due_at = models.DateTimeField()
    note = models.TextField()

    class Meta:
        """The last one first."""

        default_permissions = ()
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(due_at__gt=models.F("at")), name="policy_confirmation_forwards")
        ]
