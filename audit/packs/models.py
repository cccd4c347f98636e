"""Packs that were asked for and dossiers that are made: how far they are, and where the files lie. Never evidence."""

import uuid
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models

REQUESTED, MAKING, MADE, FAILED = "requested", "making", "made", "failed"


class Pack(models.Model):
    """One evidence pack. Its state follows from its times; ``stage``, ``done`` and ``total`` say how far it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_by = models.UUIDField(help_text="a person's pseudonym; audit has no keys into portal's tables")
    asked_at = models.DateTimeField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    systems = models.JSONField(help_text="ids")
    frameworks = models.JSONField()
    log_size = models.BigIntegerField(null=True, blank=True, help_text="the position, fixed when work begins")
    stage = models.CharField(max_length=60, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    begun_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=400, blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="put off until then")
    sha256 = models.CharField(max_length=64, blank=True)
    bytes = models.BigIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=dict, help_text="test to result")
    counts = models.JSONField(default=dict, help_text="what the page shows: cases, activities, attached files")
    signer = models.CharField(max_length=200, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="when its file was removed; the hash stays")
    gone_why = models.CharField(max_length=10, blank=True, help_text="erased or cut")

    class Meta:
        """What is to be made is found at once; made and failed exclude each other."""

        db_table = "audit_pack"
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(
                fields=["asked_at"],
                name="pack_to_make",
                condition=models.Q(made_at__isnull=True, failed_at__isnull=True),
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(made_at__isnull=True) | models.Q(failed_at__isnull=True), name="pack_made_or_failed"
            ),
            models.CheckConstraint(
                condition=models.Q(gone_at__isnull=True, gone_why="")
                | models.Q(gone_at__isnull=False) & ~models.Q(gone_why=""),
                name="pack_gone_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(next_try_at__isnull=True) | models.Q(made_at__isnull=True, failed_at__isnull=True),
                name="pack_put_off_is_not_over",
            ),
            models.CheckConstraint(
                condition=models.Q(period_start__lt=models.F("period_end")), name="pack_period_goes_forward"
            ),
        ]

    @property
    def state(self) -> str:
        """How far it is."""
        if self.made_at is not None:
            return MADE
        return FAILED if self.failed_at is not None else MAKING if self.begun_at is not None else REQUESTED

    @property
    def file(self) -> Path:
        """Where the signed PDF lies."""
        return Path(settings.PORTAL_DATA) / "packs" / f"{self.pk}.pdf"

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"pack:{self.pk}"


class Dossier(models.Model):
    """The dossier of a case on one occasion; ``event_id`` is the entry that made it due."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event_id = models.UUIDField()
    case = models.UUIDField()
    grant_id = models.UUIDField(null=True, blank=True)
    occasion = models.CharField(max_length=20, help_text="ended or reviewed")
    begun_at = models.DateTimeField(null=True, blank=True, help_text="since when the log was read for it")
    made_at = models.DateTimeField(null=True, blank=True)
    log_size = models.BigIntegerField(default=0)
    people = models.JSONField(
        default=list, help_text="pseudonyms of all whom its case's entries named when it was made"
    )
    sha256 = models.CharField(max_length=64, blank=True)
    bytes = models.BigIntegerField(default=0)
    verdict = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=400, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="when its file was removed; the hash stays")
    gone_why = models.CharField(max_length=10, blank=True, help_text="erased or cut")

    class Meta:
        """Found by case. Of one entry there is one, besides those whose file is gone."""

        db_table = "audit_dossier"
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["case", "made_at"], name="dossier_of_case")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event_id"], condition=models.Q(gone_at__isnull=True), name="dossier_there_once"
            ),
            models.CheckConstraint(
                condition=models.Q(gone_at__isnull=True, gone_why="")
                | models.Q(gone_at__isnull=False) & ~models.Q(gone_why=""),
                name="dossier_gone_whole",
            ),
        ]

    @property
    def file(self) -> Path:
        """Where the signed PDF lies."""
        return Path(settings.PORTAL_DATA) / self.file_name

    @property
    def file_name(self) -> str:
        """The same, below the data folder."""
        return f"dossiers/{self.pk}.pdf"

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"dossier:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case."""
        return str(self.case)
