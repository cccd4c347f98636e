"""Periodic attestation of a list: the duty, the campaign, its lines."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from portal.campaigns.lists import ELIGIBILITIES, LISTS, name_of
from portal.campaigns.states import CLOSED, ITEM_STATES, OPEN, STATES, UNDECIDED
from portal.clock import now
from portal.people.models import Person
from portal.systems.models import System


class Duty(models.Model):
    """Something owed on a schedule. Not done by its time, it stays a row: never an absence."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20)
    subject_kind = models.CharField(max_length=20)
    system = models.ForeignKey(
        System, null=True, blank=True, on_delete=models.PROTECT, related_name="duties", help_text="none: all of them"
    )
    starts_at = models.DateTimeField(help_text="when the campaign is to begin")
    due_at = models.DateTimeField()
    days_since_previous = models.PositiveIntegerField()
    missed_at = models.DateTimeField(null=True, blank=True, help_text="when it was noted that it was not done in time")

    class Meta:
        """One at a time for each system and kind."""

        default_permissions = ()
        ordering: ClassVar = ["due_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["system", "kind", "subject_kind", "due_at"], name="duty_once", nulls_distinct=False
            )
        ]

    @property
    def name(self) -> str:
        """Of which system it is."""
        return name_of(self.system)

    @property
    def counts_from(self) -> datetime:
        """From when the days of its interval were counted."""
        return self.due_at - timedelta(days=self.days_since_previous)

    @property
    def title(self) -> str:
        """What is attested."""
        return LISTS[self.subject_kind].title

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"duty:{self.pk}"


class Campaign(models.Model):
    """One attestation: the hash of its snapshot, and the statement that closes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    duty = models.OneToOneField(Duty, on_delete=models.PROTECT, related_name="campaign")
    kind = models.CharField(max_length=20, default=ELIGIBILITIES, help_text="which list, as the duty says")
    system = models.ForeignKey(
        System, null=True, blank=True, on_delete=models.PROTECT, related_name="campaigns", help_text="none: all of them"
    )
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=OPEN)
    snapshot_sha256 = models.CharField(max_length=64)
    snapshot_at = models.DateTimeField()
    second_count = models.PositiveIntegerField(null=True, help_text="how many lines another source knows")
    second_source = models.CharField(max_length=40, blank=True, help_text="which source that is")
    second_says = models.TextField(blank=True, help_text="why the counts differ, or why there is none")
    only_listed = models.PositiveIntegerField(null=True, help_text="lines that the other source does not know")
    only_elsewhere = models.PositiveIntegerField(
        null=True, help_text="what the other source knows and the list has not"
    )
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    statement = models.TextField(blank=True)
    reminded = models.JSONField(default=list, help_text="which reminders went out: half, at, after-<days>")

    class Meta:
        """Closed whole."""

        default_permissions = ()
        ordering: ClassVar = ["-snapshot_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "system"],
                condition=models.Q(state=OPEN),
                name="campaign_one_open",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(second_count__isnull=True) | ~models.Q(second_source=""),
                name="campaign_counted_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state=OPEN, closed_at__isnull=True, closed_by__isnull=True, statement="")
                | (models.Q(state=CLOSED, closed_at__isnull=False, closed_by__isnull=False) & ~models.Q(statement="")),
                name="campaign_closed_whole",
            ),
        ]

    @property
    def name(self) -> str:
        """Of which system it is."""
        return name_of(self.system)

    @property
    def title(self) -> str:
        """What is attested."""
        return LISTS[self.kind].title

    @property
    def late(self) -> bool:
        """Not closed, and the time is over."""
        return self.state == OPEN and self.due_at <= now()

    @property
    def unmatched(self) -> int:
        """Rows that only the list has, or only the other source."""
        return (self.only_listed or 0) + (self.only_elsewhere or 0)

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"campaign:{self.pk}"


class Snapshot(models.Model):
    """The list as it was when a campaign began. Apart from it, since it is long and hardly ever read: whoever asks for a campaign does not carry it along."""

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, primary_key=True, related_name="snapshot")
    text = models.TextField(help_text="canonical JSON of the list as it was")

    class Meta:
        """One of each campaign."""

        default_permissions = ()


class Item(models.Model):
    """One line: an eligibility, a role, or a standing access found on the target. ``portal.campaigns.subjects`` says what each can be.

    Without a reviewer nobody may judge it: its owner is who has to name somebody.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="items")
    subject_kind = models.CharField(max_length=20, help_text="eligibility, role, sealed_account or standing_access")
    subject = models.CharField(
        max_length=120, help_text="id of the eligibility, role or account, or the login's reference on the target"
    )
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    privilege_name = models.CharField(max_length=120)
    label = models.CharField(max_length=200)
    facts = models.JSONField(
        default=dict, help_text="uses, last use or drill, who gave it, risk: what the reviewer needs"
    )
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="attestations")
    due_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True, help_text="when the reviewer looked at its evidence first")
    state = models.CharField(max_length=10, choices=tuple(ITEM_STATES.items()), default=UNDECIDED)
    reason = models.TextField(blank=True)
    removal_asked_by = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who wants it taken away, where two have to agree",
    )
    removal_asked_to_at = models.DateTimeField(
        null=True, blank=True, help_text="until when it may still be held, as they want it; none: it goes at once"
    )
    bulk = models.UUIDField(null=True, blank=True, help_text="which lines were kept together with it")
    decided_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    read_back_at = models.DateTimeField(null=True, blank=True)
    access_present = models.BooleanField(null=True)

    class Meta:
        """Decided whole, seen first."""

        default_permissions = ()
        ordering: ClassVar = ["label"]
        indexes: ClassVar = [models.Index(fields=["campaign", "state", "reviewer"], name="item_of_campaign")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "subject_kind", "subject"], name="item_once"),
            models.CheckConstraint(
                condition=models.Q(state=UNDECIDED, decided_at__isnull=True, decided_by__isnull=True)
                | (
                    ~models.Q(state=UNDECIDED)
                    & models.Q(
                        decided_at__isnull=False,
                        decided_by__isnull=False,
                        shown_at__isnull=False,
                        reviewer__isnull=False,
                    )
                ),
                name="item_decided_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(removal_asked_to_at__isnull=True) | models.Q(removal_asked_by__isnull=False),
                name="item_asked_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(read_back_at__isnull=True, access_present__isnull=True)
                | models.Q(read_back_at__isnull=False, access_present__isnull=False),
                name="item_read_back_whole",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"item:{self.pk}"
