"""Something to put right. It cites what it is about by id; it needs no case."""

import uuid
from typing import ClassVar

from django.db import models

from portal.clock import now
from portal.findings.states import ASSIGNED, CLOSED, RAISED, STATES
from portal.people.models import Person
from portal.systems.models import System


class Finding(models.Model):
    """Raised by a person, by an adverse answer, or by intake from the log (then ``source_event`` is the event's id)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    test_id = models.CharField(max_length=10, blank=True)
    about = models.CharField(max_length=120, help_text="id of the review, grant, session or window")
    case = models.CharField(max_length=36, blank=True)
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="findings")
    source_event = models.UUIDField(null=True, blank=True, unique=True)
    title = models.CharField(max_length=200)
    details = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=RAISED)
    raised_at = models.DateTimeField()
    owner = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="findings")
    due_at = models.DateTimeField(null=True, blank=True)
    cause = models.TextField(blank=True)
    response = models.TextField(blank=True)
    proof = models.TextField(blank=True, help_text="where one sees that it is put right")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="when it was answered last")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Owner and date belong together; closed has its time."""

        default_permissions = ()
        ordering: ClassVar = ["-raised_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(owner__isnull=True, due_at__isnull=True)
                | models.Q(owner__isnull=False, due_at__isnull=False),
                name="finding_owner_with_date",
            ),
            models.CheckConstraint(
                condition=models.Q(state=RAISED) | models.Q(owner__isnull=False), name="finding_assigned_has_owner"
            ),
            models.CheckConstraint(
                condition=models.Q(state=CLOSED, closed_at__isnull=False)
                | (~models.Q(state=CLOSED) & models.Q(closed_at__isnull=True)),
                name="finding_closed_with_time",
            ),
        ]

    @property
    def is_overdue(self) -> bool:
        """Its date has passed and it is not closed."""
        return self.state != CLOSED and self.due_at is not None and self.due_at < now()

    @property
    def is_abandoned(self) -> bool:
        """Its owner left before they answered."""
        return self.state == ASSIGNED and self.owner is not None and self.owner.left_at is not None

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"finding:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case, where there is one."""
        return self.case
