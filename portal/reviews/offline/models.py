"""The review of one use of offline cards. It has no grant: nothing was opened by the portal."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models

from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.people.models import Person
from portal.sealed.models import OfflineSet


class OfflineReview(models.Model):
    """One for each declared use. Nobody claims it: whoever may review it answers, in one act."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(AccessRequest, on_delete=models.PROTECT, related_name="offline_review")
    of_set = models.ForeignKey(OfflineSet, on_delete=models.PROTECT, related_name="reviews")
    due_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True, help_text="when it was told to be overdue")
    reviewer = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="offline_reviews"
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    answers = models.JSONField(default=dict)
    outcome = models.CharField(max_length=30, blank=True)

    class Meta:
        """Submitted whole, or not at all."""

        default_permissions = ()
        ordering: ClassVar = ["due_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(submitted_at__isnull=True, reviewer__isnull=True, outcome="", answers={})
                | (
                    models.Q(submitted_at__isnull=False, reviewer__isnull=False)
                    & ~models.Q(outcome="")
                    & ~models.Q(answers={})
                ),
                name="offline_review_submitted_whole",
            ),
        ]

    grant_id = None
    second = False

    @property
    def path(self) -> str:
        """Its page."""
        return f"/reviews/offline/{self.pk}/"

    @property
    def owed_at(self) -> datetime:
        """By when it is due: there is one round."""
        return self.due_at

    @property
    def late(self) -> bool:
        """Not submitted, and the time is over."""
        return self.submitted_at is None and self.due_at <= now()

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"offline-review:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case."""
        return str(self.request_id)
