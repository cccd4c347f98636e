"""The outbox: who is to be told what, over which channel, and how far it got."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person


class Alert(models.Model):
    """One message to one recipient over one channel.

    Written in the transaction of what it tells; marked sent after sending.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="alerts")
    address = models.CharField(max_length=254, blank=True, help_text="for a list that is not a person")
    channel = models.CharField(max_length=20, default="mail")
    kind = models.CharField(max_length=40)
    case = models.CharField(max_length=36, blank=True)
    about = models.CharField(max_length=120, blank=True)
    grant_id = models.UUIDField(null=True, blank=True, help_text="a plain id: alerts lie below grants")
    path = models.CharField(max_length=200, blank=True, help_text="page of the portal to which it leads")
    facts = models.JSONField(default=dict, help_text="what the template needs; never a secret")
    attachment = models.CharField(max_length=200, blank=True, help_text="file under the data folder")
    queued_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(
        null=True, blank=True, help_text="the receiver confirmed it; not every channel can say"
    )
    last_trouble = models.CharField(max_length=200, blank=True)
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="its recipient had it, or what it leads to, on a page"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True, help_text="its recipient said that they have seen it")
    acknowledged_over = models.CharField(max_length=10, blank=True, help_text="page or link")

    class Meta:
        """What waits is found at once; somebody is always meant."""

        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["next_try_at"], condition=models.Q(sent_at__isnull=True), name="alert_to_send"),
            models.Index(fields=["case"], name="alert_of_case"),
            models.Index(fields=["recipient", "path"], condition=models.Q(seen_at__isnull=True), name="alert_unseen"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(models.Q(recipient__isnull=False) & models.Q(address=""))
                | (models.Q(recipient__isnull=True) & ~models.Q(address="")),
                name="alert_has_one_recipient",
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledged_over="") | models.Q(acknowledged_at__isnull=False),
                name="alert_acknowledged_with_time",
            ),
            models.CheckConstraint(
                condition=models.Q(seen_at__isnull=True) | models.Q(recipient__isnull=False),
                name="alert_seen_by_a_person",
            ),
            models.CheckConstraint(
                condition=models.Q(delivered_at__isnull=True) | models.Q(sent_at__isnull=False),
                name="alert_delivered_was_sent",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"alert:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case, where there is one."""
        return self.case
