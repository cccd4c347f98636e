"""A look at one use afterwards."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.grants.models import Grant
from portal.people.models import Person
from portal.reviews.states import CLAIMED, DUE, SECOND, SECOND_CLAIMED, SECOND_DUE, STATES, SUBMITTED
from portal.sealed.models import OfflineSet
from portal.systems.models import System

DISPOSITIONS = {"kept": "Kept", "rolled_back": "Rolled back", "open": "Not settled yet"}


class Review(models.Model):
    """One for each grant that was opened, and for each use of offline cards that was declared: nothing was opened there, so it has a pair of cards instead.

    ``answers`` maps question ids to {"answer", "comment"}; saved half-done.

    The answers are the first reviewer's; what a second one says, where one is asked, stands in ``second_agrees`` and ``second_words``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(AccessRequest, on_delete=models.PROTECT, related_name="review")
    grant = models.OneToOneField(Grant, null=True, blank=True, on_delete=models.PROTECT, related_name="review")
    of_set = models.ForeignKey(
        OfflineSet,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reviews",
        help_text="the offline cards that were used, where there is no grant",
    )
    state = models.CharField(max_length=14, choices=tuple(STATES.items()), default=DUE)
    due_at = models.DateTimeField()
    reviewer = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews")
    claimed_at = models.DateTimeField(null=True, blank=True)
    answers = models.JSONField(default=dict)
    outcome = models.CharField(max_length=30, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    reminded = models.JSONField(
        default=list, help_text="which reminders went out: before, at, after; of the second round: second-before"
    )
    second_due_at = models.DateTimeField(null=True, blank=True)
    second_reviewer = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="second_reviews"
    )
    second_claimed_at = models.DateTimeField(null=True, blank=True)
    second_submitted_at = models.DateTimeField(null=True, blank=True)
    second_agrees = models.BooleanField(null=True, blank=True)
    second_words = models.TextField(blank=True)

    class Meta:
        """Claimed has a reviewer; submitted has its time. A second look is owed, taken and given whole, by somebody else than the first."""

        default_permissions = ()
        ordering: ClassVar = ["due_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(grant__isnull=False, of_set__isnull=True) | models.Q(grant__isnull=True, of_set__isnull=False),
                name="review_of_a_grant_or_of_cards",
            ),
            models.CheckConstraint(
                condition=models.Q(state=DUE, reviewer__isnull=True, claimed_at__isnull=True)
                | (~models.Q(state=DUE) & models.Q(reviewer__isnull=False, claimed_at__isnull=False)),
                name="review_claimed_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[SECOND_DUE, SECOND_CLAIMED, SUBMITTED], submitted_at__isnull=False)
                | models.Q(state__in=[DUE, CLAIMED], submitted_at__isnull=True, outcome=""),
                name="review_submitted_with_time",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[DUE, CLAIMED, SUBMITTED], second_due_at__isnull=True, second_claimed_at__isnull=True)
                | models.Q(state=SECOND_DUE, second_due_at__isnull=False, second_claimed_at__isnull=True)
                | models.Q(state__in=[SECOND_CLAIMED, SUBMITTED], second_due_at__isnull=False, second_claimed_at__isnull=False),
                name="review_second_as_its_state",
            ),
            models.CheckConstraint(
                condition=models.Q(second_reviewer__isnull=True, second_claimed_at__isnull=True)
                | (
                    models.Q(second_reviewer__isnull=False, second_claimed_at__isnull=False)
                    & ~models.Q(second_reviewer=models.F("reviewer"))
                ),
                name="review_second_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(second_submitted_at__isnull=True, second_agrees__isnull=True, second_words="")
                & ~models.Q(state=SUBMITTED, second_due_at__isnull=False)
                | models.Q(state=SUBMITTED, second_submitted_at__isnull=False, second_agrees__isnull=False, second_claimed_at__isnull=False)
                & ~models.Q(second_words=""),
                name="review_second_said_whole",
            ),
        ]  # fmt: skip

    @property
    def over_at(self) -> datetime | None:
        """When the use was over; of offline cards, when it was declared, since the time to review it runs from then."""
        return self.grant.ended_at if self.grant else self.request.requested_at

    @property
    def second(self) -> bool:
        """Whether the second look is owed."""
        return self.state in SECOND

    @property
    def path(self) -> str:
        """Its page."""
        return f"/reviews/{self.pk}/"

    @property
    def holder(self) -> Person | None:
        """Who has it, in the round that it is in; who judged it last where it is done."""
        if self.state in SECOND:
            return self.second_reviewer
        return self.second_reviewer or self.reviewer

    @property
    def held_since(self) -> datetime | None:
        """Since when they have it."""
        return self.second_claimed_at if self.state in SECOND else self.claimed_at

    @property
    def owed_at(self) -> datetime:
        """By when what is owed now is due: the first judgement, or the second."""
        return self.second_due_at or self.due_at

    @property
    def late(self) -> bool:
        """Not done, and the time of the round is over."""
        return self.state != SUBMITTED and self.owed_at <= now()

    @property
    def was_late(self) -> bool:
        """Judged by the first reviewer, after its time."""
        return self.submitted_at is not None and self.submitted_at > self.due_at

    @property
    def second_was_late(self) -> bool:
        """Judged by the second reviewer, after its time."""
        return self.second_submitted_at is not None and self.second_submitted_at > self.owed_at

    @property
    def lateness(self) -> timedelta:
        """By how much it was late."""
        return max((self.submitted_at or now()) - self.due_at, timedelta())

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"review:{self.pk}"

    @property
    def log_case(self) -> str:
        """The case."""
        return str(self.request_id)


class Acceptance(models.Model):
    """What a reviewer accepts of what was outside the intent: actions by id, or a class of one session or of all, up to an entry of the log."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="acceptances")
    activities = models.JSONField(default=list, help_text="ids, where they were accepted one by one")
    session = models.CharField(max_length=80, blank=True, help_text="of a group; empty: of all sessions")
    kind = models.CharField(max_length=40, blank=True, help_text="class of a group")
    upto = models.BigIntegerField(null=True, blank=True, help_text="last entry of the log that the group holds")
    count = models.PositiveIntegerField()
    note = models.TextField()
    accepted_at = models.DateTimeField()
    accepted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """Ids or a group, never both; the same group once."""

        default_permissions = ()
        ordering: ClassVar = ["accepted_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(models.Q(kind="", session="", upto__isnull=True) & ~models.Q(activities=[]))
                | (~models.Q(kind="") & models.Q(upto__isnull=False, activities=[])),
                name="acceptance_of_ids_or_of_a_group",
            ),
            models.UniqueConstraint(
                fields=["review", "session", "kind"], condition=~models.Q(kind=""), name="acceptance_of_a_group_once"
            ),
        ]


class ChangeRecord(models.Model):
    """Where change control knows of changes of a use: classes of action, up to an entry of the log."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="change_records")
    reference = models.CharField(max_length=80)
    raised_at = models.DateTimeField(help_text="in change control")
    approved_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    disposition = models.CharField(max_length=12, choices=tuple(DISPOSITIONS.items()))
    kinds = models.JSONField(default=list)
    upto = models.BigIntegerField()
    count = models.PositiveIntegerField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """A reference once for each review."""

        default_permissions = ()
        ordering: ClassVar = ["recorded_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "reference"], name="change_record_once_for_a_review")
        ]


class PrivacyDecision(models.Model):
    """Whether a use exposed personal data beyond what the work needed; who said so, why, and by when a breach is to be notified."""

    review = models.OneToOneField(Review, primary_key=True, on_delete=models.CASCADE, related_name="privacy")
    breach = models.BooleanField()
    risk_unlikely = models.BooleanField()
    reason = models.TextField()
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    aware_at = models.DateTimeField(null=True, blank=True, help_text="when the organisation learned of the breach")
    notice_due_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    delay_reason = models.TextField(blank=True)

    class Meta:
        """A breach is known since a time, and has a time by which it is notified; nothing else is notified."""

        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(breach=True, aware_at__isnull=False)
                | models.Q(breach=False, risk_unlikely=False, aware_at__isnull=True, notified_at__isnull=True),
                name="privacy_breach_known_since",
            ),
            models.CheckConstraint(
                condition=models.Q(breach=True, risk_unlikely=False, notice_due_at__isnull=False)
                | (~models.Q(breach=True, risk_unlikely=False) & models.Q(notice_due_at__isnull=True)),
                name="privacy_notice_due",
            ),
        ]

    @property
    def notice_late(self) -> bool:
        """Not notified, and the time is over."""
        return self.notice_due_at is not None and self.notified_at is None and self.notice_due_at <= now()


class Sitting(models.Model):
    """When a review was on its reviewer's screen, and which evidence was opened. Working state: what counts is told to the log at the end."""

    id = models.BigAutoField(primary_key=True)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="sittings")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    spans = models.JSONField(default=list, help_text="from and to, milliseconds since 1970 UTC, without overlaps")
    opened = models.JSONField(default=list)

    class Meta:
        """One for each reviewer of a review."""

        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "person"], name="sitting_once")]


class Delegation(models.Model):
    """Who is away from when until when, for which system (none: for all), and who stands in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="review_delegations")
    to = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    system = models.ForeignKey(System, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="taken back before its time")

    class Meta:
        """To somebody else, for a time."""

        default_permissions = ()
        ordering: ClassVar = ["from_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(person=models.F("to")), name="delegation_to_another"),
            models.CheckConstraint(condition=models.Q(to_at__gt=models.F("from_at")), name="delegation_for_a_time"),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"delegation:{self.pk}"
