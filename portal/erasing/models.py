"""A legal hold, under which nothing is erased; the erasure of what is kept of a person; and the cut of entries whose time has come."""

import uuid
from typing import ClassVar

from django.db import models

from portal.access_requests.models import AccessRequest
from portal.erasing.states import (
    APPROVED,
    ASKED,
    BASES,
    CONFIRMED,
    CUT,
    CUT_STATES,
    CUTTING,
    DECLINED,
    DONE,
    HOLD_STATES,
    HOLDS,
    KEPT,
    LIFT_ASKED,
    LIFTED,
    PROPOSED,
    STATES,
)
from portal.people.models import Person


class LegalHold(models.Model):
    """On a person or on a case. Set by one administrator, since it narrows; lifted by two."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(AccessRequest, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    from_index = models.PositiveBigIntegerField(
        help_text="of the first entry that it keeps, as it was when the hold was set"
    )
    state = models.CharField(max_length=10, choices=tuple(HOLD_STATES.items()), default=HOLDS)
    set_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    lift_reason = models.TextField(blank=True)
    lift_asked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lift_asked_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One thing each; one hold of a thing at a time; lifted by another than who asked."""

        default_permissions = ()
        ordering: ClassVar = ["-set_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True, case__isnull=False)
                | models.Q(person__isnull=False, case__isnull=True),
                name="hold_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["person", "case"], condition=~models.Q(state=LIFTED), nulls_distinct=False, name="hold_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state=HOLDS, lift_asked_at__isnull=True, lift_asked_by__isnull=True, lift_reason="")
                | models.Q(state__in=[LIFT_ASKED, LIFTED], lift_asked_at__isnull=False, lift_asked_by__isnull=False),
                name="hold_lift_asked_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state=LIFTED, lifted_at__isnull=False, lifted_by__isnull=False)
                | ~models.Q(state=LIFTED) & models.Q(lifted_at__isnull=True, lifted_by__isnull=True),
                name="hold_lifted_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_by__isnull=True) | ~models.Q(lifted_by=models.F("lift_asked_by")),
                name="hold_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def on(self) -> str:
        """What it is on, in words."""
        return self.person.name if self.person else f"a request on {self.case.system.name}" if self.case else ""

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"hold:{self.pk}"


class Erasure(models.Model):
    """What is kept of a person is erased, as two administrators decided who are neither that person nor each other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(max_length=10, choices=tuple(BASES.items()))
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=ASKED)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One of a person at a time, by two others."""

        default_permissions = ()
        ordering: ClassVar = ["-asked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(state__in=[ASKED, CONFIRMED]), name="erasure_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | models.Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="erasure_confirmed_whole",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[CONFIRMED, DONE]) | models.Q(confirmed_at__isnull=False),
                name="erasure_done_confirmed",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[ASKED, CONFIRMED], closed_at__isnull=True)
                | models.Q(state__in=[DONE, DECLINED], closed_at__isnull=False),
                name="erasure_closed_with_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(asked_by=models.F("person"))
                & (
                    models.Q(confirmed_by__isnull=True)
                    | ~models.Q(confirmed_by=models.F("person")) & ~models.Q(confirmed_by=models.F("asked_by"))
                ),
                name="erasure_two_others",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"erasure:{self.pk}"


class Cut(models.Model):
    """Entries below a minimum index go, as two administrators decided. ``trouble``: why it could not be carried out at the last try."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    minimum_index = models.BigIntegerField()
    from_index = models.BigIntegerField(help_text="where the log began when it was proposed")
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=tuple(CUT_STATES.items()), default=PROPOSED)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    said_at = models.DateTimeField(null=True, blank=True, help_text="when the log said so")
    closed_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=400, blank=True)

    class Meta:
        """Whole bundles; one at a time; by two people."""

        default_permissions = ()
        ordering: ClassVar = ["-proposed_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(state__in=[PROPOSED, APPROVED, CUTTING]), name="cut_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(minimum_index__gt=models.F("from_index")), name="cut_goes_forward"
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True, approved_at__isnull=True)
                | models.Q(approved_by__isnull=False, approved_at__isnull=False) & ~models.Q(approved_by=models.F("proposed_by")),
                name="cut_second_person",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[PROPOSED, KEPT]) | models.Q(approved_at__isnull=False), name="cut_approved_whole"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[CUTTING, CUT], said_at__isnull=False)
                | ~models.Q(state__in=[CUTTING, CUT]) & models.Q(said_at__isnull=True),
                name="cut_said_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[CUT, KEPT], closed_at__isnull=False)
                | models.Q(state__in=[PROPOSED, APPROVED, CUTTING], closed_at__isnull=True),
                name="cut_closed_with_time",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"cut {self.pk}"

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"cut:{self.pk}"
