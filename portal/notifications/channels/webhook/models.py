"""Receivers of webhooks: configured on a page by administrators; address and secrets are kept encrypted."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person


class Receiver(models.Model):
    """A server that takes alerts. The address is a secret too: of many services it is all that one needs to write to them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    host = models.CharField(max_length=255, help_text="of the address, to be shown")
    url = models.BinaryField(help_text="encrypted")
    secret = models.BinaryField(help_text="encrypted")
    old_secret = models.BinaryField(
        null=True, blank=True, help_text="encrypted; signs beside the new one until it ends"
    )
    old_secret_until = models.DateTimeField(null=True, blank=True)
    topics = models.JSONField(default=list, help_text="of kinds.py")
    added_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    retired_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Who and when belong together, and so do the old secret and its end."""

        default_permissions = ()
        ordering: ClassVar = ["name", "added_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(retired_at__isnull=True, retired_by__isnull=True)
                | models.Q(retired_at__isnull=False, retired_by__isnull=False),
                name="receiver_retired_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(old_secret__isnull=True, old_secret_until__isnull=True)
                | models.Q(old_secret__isnull=False, old_secret_until__isnull=False),
                name="receiver_old_secret_ends",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"receiver:{self.pk}"

    @property
    def address(self) -> str:
        """What an alert's row holds in place of a mail address; the log knows the receiver by it."""
        return f"webhook:{self.pk}"
