"""An access request, who has seen it, and who decided."""

import uuid
from typing import ClassVar

from django.db import models

from portal.access_requests.states import AWAITING, STATES
from portal.people.models import Person
from portal.policy.models import PolicyVersion
from portal.systems.models import Privilege, System

MODES = (("approved", "With approval"), ("bypass", "Bypass"), ("drill", "Drill"))


class AccessRequest(models.Model):
    """What a responder asks. Its key is the case. A bypass is born approved: nobody had to say yes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    responder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="access_requests")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="access_requests")
    privilege = models.ForeignKey(Privilege, on_delete=models.PROTECT, related_name="access_requests")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="access_requests")
    mode = models.CharField(max_length=10, choices=MODES)
    criterion = models.CharField(max_length=40, blank=True)
    category = models.CharField(max_length=40, blank=True)
    reason = models.TextField()
    intended_classes = models.JSONField(default=list)
    incident_ref = models.CharField(max_length=80, blank=True)
    minutes = models.PositiveIntegerField()
    requested_at = models.DateTimeField()
    lapses_at = models.DateTimeField(null=True, blank=True, help_text="a bypass waits for nobody")
    decided_at = models.DateTimeField(null=True, blank=True)
    factor = models.CharField(max_length=20, blank=True, help_text="with which second factor it was asked")
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=AWAITING)

    class Meta:
        """A state that is not waiting has its time."""

        default_permissions = ()
        ordering: ClassVar = ["-requested_at"]
        indexes: ClassVar = [
            models.Index(fields=["responder", "-requested_at"], name="request_of_responder"),
            models.Index(fields=["lapses_at"], condition=models.Q(state=AWAITING), name="request_waiting"),
            models.Index(fields=["incident_ref"], condition=~models.Q(incident_ref=""), name="request_of_incident"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state=AWAITING, decided_at__isnull=True)
                | (~models.Q(state=AWAITING) & models.Q(decided_at__isnull=False)),
                name="request_decided_with_time",
            )
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"request:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case."""
        return str(self.pk)


class Approval(models.Model):
    """One approver's decision on an access request."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="approvals")
    approver = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=(("approve", "Approved"), ("decline", "Declined")))
    comment = models.TextField(blank=True)
    group = models.CharField(max_length=40, blank=True, help_text="of approvers, as it was then")
    decided_at = models.DateTimeField()
    factor = models.CharField(max_length=20, blank=True, help_text="with which second factor it was decided")

    class Meta:
        """Everybody decides once."""

        default_permissions = ()
        ordering: ClassVar = ["decided_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["request", "approver"], name="approval_once")]


class Question(models.Model):
    """Somebody who decides on a request, owns its system or reviews it asks the responder something; the answer stays beside it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="questions")
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """An answer has its time."""

        default_permissions = ()
        ordering: ClassVar = ["asked_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(answer="", answered_at__isnull=True)
                | (~models.Q(answer="") & models.Q(answered_at__isnull=False)),
                name="question_answered_whole",
            )
        ]

    @property
    def log_subject(self) -> str:
        """How the log names the request that it is about."""
        return f"request:{self.request_id}"

    @property
    def log_case(self) -> str:
        """The case."""
        return str(self.request_id)


class Seen(models.Model):
    """An approver has seen a request. It decides nothing."""

    pk = models.CompositePrimaryKey("request_id", "person_id")
    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="seen_by")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        """Once for each person."""

        default_permissions = ()
