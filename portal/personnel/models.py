"""A personnel list, from its reading to its import. The file itself is kept only until somebody has decided."""

import uuid
from typing import ClassVar

from django.db import models

from portal.personnel.states import DONE, READ, STATES, UNDECIDED, WAITS


class PersonnelList(models.Model):
    """One answer of the personnel system: its query, its hash, and what came of it.

    ``outcome`` holds, once it is imported, how many joined, moved, left and stayed, and a sentence for each person of the portal whom it touched.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sha256 = models.CharField(max_length=64, help_text="of the file as it was given")
    query = models.TextField(help_text="how the list was taken")
    taken_at = models.DateTimeField(help_text="when the personnel system gave it")
    rows = models.PositiveIntegerField()
    content = models.BinaryField(null=True, help_text="the file, until it is decided on")
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=READ)
    read_at = models.DateTimeField()
    read_by = models.CharField(max_length=80, help_text="a person's pseudonym or process:<name>")
    asked_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.CharField(max_length=80, blank=True, help_text="who confirmed first, where two must")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    outcome = models.JSONField(null=True, blank=True)

    class Meta:
        """Each state with what belongs to it."""

        default_permissions = ()
        ordering: ClassVar = ["-read_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=UNDECIDED, content__isnull=False, decided_at__isnull=True, decided_by="")
                | (~models.Q(state__in=UNDECIDED) & models.Q(content__isnull=True, decided_at__isnull=False) & ~models.Q(decided_by="")),
                name="personnel_list_decided_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(asked_at__isnull=True, asked_by="") & ~models.Q(state=WAITS)
                | (models.Q(asked_at__isnull=False) & ~models.Q(asked_by="") & ~models.Q(state=READ)),
                name="personnel_list_asked_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state=DONE, outcome__isnull=False) | (~models.Q(state=DONE) & models.Q(outcome__isnull=True)),
                name="personnel_list_done_with_outcome",
            ),
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state=READ), name="personnel_list_one_read"
            ),
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state=WAITS), name="personnel_list_one_waits"
            ),
        ]  # fmt: skip

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"personnel:{self.pk}"
