"""Dated roles and eligibilities: the lists that campaigns attest. What is proposed waits for a second person; what is over stays."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person
from portal.systems.models import Privilege, System

RESPONDER, APPROVER, REVIEWER, OWNER = "responder", "approver", "reviewer", "owner"
CUSTODIAN, AUDITOR, ADMINISTRATOR = "custodian", "auditor", "administrator"
ROLES = (
    (RESPONDER, "Responder: may ask for access"),
    (APPROVER, "Approver: decides on requests"),
    (REVIEWER, "Reviewer: judges a use afterwards"),
    (OWNER, "Owner of a system"),
    (CUSTODIAN, "Custodian of a sealed account"),
    (AUDITOR, "Auditor: reads everything, changes nothing"),
    (ADMINISTRATOR, "Administrator: systems, policies, roles"),
)

CONFLICTING = (
    (ADMINISTRATOR, AUDITOR), (ADMINISTRATOR, APPROVER), (ADMINISTRATOR, REVIEWER), (CUSTODIAN, RESPONDER), (CUSTODIAN, REVIEWER),
)  # fmt: skip
"""Pairs that nobody holds for one system at one time: the catalogue's ``conflicting_roles``, held against it by a test."""


class Dated(models.Model):
    """What roles and eligibilities share: proposed by one, approved by another, ended once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=80, blank=True, help_text="a person's pseudonym or process:<name>")
    ended_cause = models.CharField(max_length=30, blank=True)

    class Meta:
        """No table of its own."""

        abstract = True
        default_permissions = ()


def _dated_constraints(name: str) -> list[models.BaseConstraint]:
    return [
        models.CheckConstraint(
            condition=models.Q(approved_at__isnull=True, approved_by__isnull=True)
            | models.Q(approved_at__isnull=False, approved_by__isnull=False),
            name=f"{name}_approved_whole",
        ),
        models.CheckConstraint(
            condition=models.Q(ended_at__isnull=True, ended_by="", ended_cause="")
            | (models.Q(ended_at__isnull=False) & ~models.Q(ended_by="") & ~models.Q(ended_cause="")),
            name=f"{name}_ended_whole",
        ),
    ]


class RoleAssignment(Dated):
    """A person holds a role, for one system or for all of them."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="roles")
    role = models.CharField(max_length=20, choices=ROLES)
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="roles")
    lent_by = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="lent",
        help_text="whose leave it covers: a dated loan",
    )
    group = models.CharField(
        max_length=40, blank=True, help_text="of approvers, where a policy wants several groups to say yes"
    )
    founding = models.BooleanField(
        default=False, editable=False, help_text="one of the first two administrators, who vouch for each other"
    )

    class Meta(Dated.Meta):
        """Found by person."""

        abstract = False
        indexes: ClassVar = [models.Index(fields=["person", "role"], name="role_of_person")]
        constraints: ClassVar = [
            *_dated_constraints("role"),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True)
                | (
                    (~models.Q(approved_by=models.F("proposed_by")) | models.Q(founding=True))
                    & ~models.Q(approved_by=models.F("person"))
                ),
                name="role_second_person",
            ),
            models.CheckConstraint(condition=~models.Q(proposed_by=models.F("person")), name="role_not_for_oneself"),
            models.CheckConstraint(
                condition=models.Q(lent_by__isnull=True)
                | (
                    models.Q(role=APPROVER, to_at__isnull=False, lent_by=models.F("proposed_by"))
                    & ~models.Q(lent_by=models.F("person"))
                ),
                name="role_lent_for_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(group="") | models.Q(role=APPROVER, lent_by__isnull=True),
                name="role_group_of_approvers",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"role:{self.pk}"


class Eligibility(Dated):
    """A person may ask for a privilege: the pre-authorised list."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="eligibilities")
    privilege = models.ForeignKey(Privilege, on_delete=models.PROTECT, related_name="eligibilities")

    class Meta(Dated.Meta):
        """Found by person and by privilege."""

        abstract = False
        indexes: ClassVar = [
            models.Index(fields=["person", "privilege"], name="eligibility_of_person"),
            models.Index(fields=["privilege"], name="eligibility_of_privilege"),
        ]
        constraints: ClassVar = [
            *_dated_constraints("eligibility"),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True)
                | (~models.Q(approved_by=models.F("proposed_by")) & ~models.Q(approved_by=models.F("person"))),
                name="eligibility_second_person",
            ),
            models.CheckConstraint(
                condition=~models.Q(proposed_by=models.F("person")), name="eligibility_not_for_oneself"
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"eligibility:{self.pk}"
