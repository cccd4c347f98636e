"""A grant and its extensions."""

import uuid
from typing import ClassVar

from django.db import models

from portal.access_requests.models import AccessRequest
from portal.grants.states import ACTIVE, AUTHORISED, CLOSING, ENDED, FAILED, OPENING, STATES
from portal.people.models import Person
from portal.sealed.models import SealedAccount
from portal.systems.models import Privilege, System

CAUSES = (
    ("expired", "Time was over"),
    ("returned", "Returned"),
    ("revoked", "Ended by another person"),
    ("failed", "Not opened"),
)


class Grant(models.Model):
    """The time-limited opening that follows an access request. ``number`` makes the login's name on the target and is never used again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(
        unique=True, db_default=models.expressions.RawSQL("nextval('portal_grant_number')", ())
    )
    request = models.OneToOneField(AccessRequest, on_delete=models.PROTECT, related_name="grant")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="grants")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="grants")
    privilege = models.ForeignKey(Privilege, on_delete=models.PROTECT, related_name="grants")
    account = models.ForeignKey(
        SealedAccount,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="grants",
        help_text="of a sealed account",
    )
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=AUTHORISED)
    authorised_at = models.DateTimeField()
    minutes = models.PositiveIntegerField()
    nonce = models.CharField(max_length=64)
    secret = models.BinaryField(
        null=True, blank=True, editable=False, help_text="encrypted password; gone after the end"
    )
    verifier = models.TextField(
        blank=True, editable=False, help_text="what the target gets instead of the password; gone after the end"
    )
    login = models.CharField(max_length=63, blank=True)
    marker = models.CharField(max_length=120, blank=True)
    marker_ref = models.CharField(max_length=120, blank=True)
    before = models.JSONField(null=True, blank=True, help_text="the target's catalogue before opening")
    opening_event = models.UUIDField(
        null=True, blank=True, help_text="the intent event that must be sealed before opening"
    )
    planned_expires_at = models.DateTimeField(
        null=True, blank=True, help_text="the end that the target is given at opening"
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    first_expires_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_cause = models.CharField(max_length=10, blank=True, choices=CAUSES)
    removed_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_trouble = models.CharField(max_length=300, blank=True)
    revealed_at = models.DateTimeField(null=True, blank=True, help_text="when the password was last shown")
    warned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Each state has its times."""

        default_permissions = ()
        ordering: ClassVar = ["-authorised_at"]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=models.Q(state__in=[ACTIVE, OPENING]), name="grant_due"),
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state__in=[AUTHORISED, OPENING, CLOSING]),
                name="grant_to_try",
            ),
            models.Index(fields=["person", "system"], name="grant_of_person"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(state=ACTIVE)
                | models.Q(
                    opened_at__isnull=False,
                    expires_at__isnull=False,
                    first_expires_at__isnull=False,
                    ended_at__isnull=True,
                ),
                name="grant_active_has_window",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, end_cause="", state__in=[AUTHORISED, OPENING, ACTIVE])
                | (models.Q(ended_at__isnull=False, state__in=[CLOSING, ENDED, FAILED]) & ~models.Q(end_cause="")),
                name="grant_over_with_cause",
            ),
            models.CheckConstraint(
                condition=models.Q(state=ENDED, confirmed_at__isnull=False, secret__isnull=True, verifier="")
                | (~models.Q(state=ENDED) & models.Q(confirmed_at__isnull=True)),
                name="grant_ended_means_read_back",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=FAILED) | models.Q(secret__isnull=True), name="grant_failed_keeps_no_secret"
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"grant:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case."""
        return str(self.request_id)


class Extension(models.Model):
    """More time, asked by the responder and decided by one entitled other person; for a bypass by its responder, where the policy says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="extensions")
    minutes = models.PositiveIntegerField()
    reason = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=10, blank=True, choices=(("approve", "Given"), ("decline", "Not given")))
    applied_at = models.DateTimeField(null=True, blank=True, help_text="when the target carried it")

    class Meta:
        """One waits at a time; decided whole."""

        default_permissions = ()
        ordering: ClassVar = ["asked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["grant"], condition=models.Q(decision=""), name="extension_one_waits"),
            models.CheckConstraint(
                condition=models.Q(decided_at__isnull=True, decided_by__isnull=True, decision="")
                | models.Q(decided_at__isnull=False, decided_by__isnull=False, decision__in=["approve", "decline"]),
                name="extension_decided_whole",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return self.grant.log_subject

    @property
    def log_case(self) -> str:
        """The case."""
        return self.grant.log_case


class Release(models.Model):
    """A second person lets the secret of a sealed account be shown, once and for a short time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="releases")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Found by grant."""

        default_permissions = ()
        ordering: ClassVar = ["at"]
        indexes: ClassVar = [
            models.Index(fields=["grant"], condition=models.Q(used_at__isnull=True), name="release_unused")
        ]
