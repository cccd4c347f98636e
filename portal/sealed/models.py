"""A sealed account and the rotations of its secret."""

import uuid
from typing import ClassVar

from django.db import models

from portal.people.models import Person
from portal.sealed.states import (
    CARD_STATES,
    CARDS_ALIVE,
    COMING,
    DONE,
    HELD,
    OWED,
    PROPOSED,
    REPLACED,
    RETIRED,
    ROTATED,
    ROTATION_STATES,
    STATES,
)
from portal.sealed.states import USED as CARDS_USED
from portal.systems.models import Privilege, System

CUSTODIAN, CONNECTOR, CARDS = "custodian", "connector", "cards"
KEPT_BY = (
    (CUSTODIAN, "Its custodian: changes the secret on the target and lays the new one in here"),
    (CONNECTOR, "The portal: changes the secret after each use, and shuts the account in between"),
    (CARDS, "Nobody: two custodians hold a printed card each, for when the portal is dead"),
)
LAID_IN, USED, CHANGED, HANDED_OVER, OFFLINE, RENEWED, STOPPED = (
    "laid_in",
    "used",
    "changed",
    "handed_over",
    "offline",
    "renewed",
    "stopped",
)
SHOWN = (USED, HANDED_OVER, OFFLINE, STOPPED)
"""Somebody who does not hold the account knows its secret until it is replaced."""
CAUSES = (
    (LAID_IN, "First laid in"),
    (USED, "Shown in a use"),
    (CHANGED, "Changed by its custodian"),
    (HANDED_OVER, "Another custodian"),
    (OFFLINE, "Used with its cards"),
    (RENEWED, "New cards wanted"),
    (STOPPED, "Known to its holder at an emergency stop"),
)


class SealedAccount(models.Model):
    """An account that lasts on a target. ``privilege`` is what a responder asks for; one person holds it at a time.

    ``next_secret`` is laid down before a target is given it, so that a crash in between loses neither.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="sealed_accounts")
    privilege = models.ForeignKey(
        Privilege, null=True, blank=True, on_delete=models.PROTECT, related_name="sealed_accounts", related_query_name="sealed_account",
        help_text="one account's at a time: those before it are out of use",
    )  # fmt: skip
    name = models.CharField(max_length=120, help_text="in plain words")
    account = models.CharField(max_length=63, help_text="its name on the target")
    location = models.TextField(help_text="where it is used")
    custodian = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="kept_accounts")
    second_custodian = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="holds the other card"
    )
    kept_by = models.CharField(max_length=10, choices=KEPT_BY)
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=PROPOSED)
    secret = models.BinaryField(null=True, blank=True, editable=False, help_text="encrypted")
    next_secret = models.BinaryField(null=True, blank=True, editable=False, help_text="encrypted")
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="held_accounts")
    held_at = models.DateTimeField(null=True, blank=True)
    grant_id = models.UUIDField(null=True, blank=True, help_text="the grant that holds it")
    shut_at = models.DateTimeField(
        null=True, blank=True, help_text="when the target was seen not to let it in any more"
    )
    shut_try_at = models.DateTimeField(null=True, blank=True, help_text="when shutting it is tried again")
    shut_trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        """Once on each system; a holder has the time and the grant."""

        default_permissions = ()
        ordering: ClassVar = ["name"]  # not the system's: who locks a row would lock that as well
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["system", "account"],
                condition=~models.Q(state__in=["retired", "declined"]),
                name="sealed_account_once",
            ),
            models.UniqueConstraint(
                fields=["privilege"], condition=~models.Q(state=RETIRED), name="sealed_account_once_for_a_privilege"
            ),
            models.CheckConstraint(
                condition=models.Q(state=HELD, held_by__isnull=False, held_at__isnull=False, grant_id__isnull=False)
                | (~models.Q(state=HELD) & models.Q(held_by__isnull=True, held_at__isnull=True, grant_id__isnull=True)),
                name="sealed_account_held_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state=PROPOSED, decided_at__isnull=True, decided_by__isnull=True)
                | (~models.Q(state=PROPOSED) & models.Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="sealed_account_decided_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("proposed_by"))
                | models.Q(state="declined"),
                name="sealed_account_second_person",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(kept_by=CARDS, second_custodian__isnull=False)
                    & ~models.Q(second_custodian=models.F("custodian"))
                )
                | (~models.Q(kept_by=CARDS) & models.Q(second_custodian__isnull=True)),
                name="sealed_account_two_cards_two_people",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[RETIRED, "declined"])
                | models.Q(secret__isnull=True, next_secret__isnull=True),
                name="sealed_account_over_keeps_no_secret",
            ),
            models.CheckConstraint(
                condition=models.Q(shut_at__isnull=True) | models.Q(state=RETIRED),
                name="sealed_account_shut_is_retired",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def custodians(self) -> list[Person]:
        """Who keeps it: one, or of two cards both, in the order of the cards."""
        return [each for each in (self.custodian, self.second_custodian) if each]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"sealed:{self.pk}"


class Rotation(models.Model):
    """A new secret that is owed, or was given. ``rotated_by`` and ``tested_by`` are a person's pseudonym or the word connector."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(SealedAccount, on_delete=models.PROTECT, related_name="rotations")
    cause = models.CharField(max_length=12, choices=CAUSES)
    grant_id = models.UUIDField(null=True, blank=True, help_text="the use that showed the old secret")
    state = models.CharField(max_length=10, choices=tuple(ROTATION_STATES.items()), default=OWED)
    owed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True, blank=True)
    rotated_by = models.CharField(max_length=80, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    tested_by = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        """Each state has its times."""

        default_permissions = ()
        ordering: ClassVar = ["owed_at"]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=~models.Q(state=DONE), name="rotation_not_done"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state=OWED, rotated_at__isnull=True, rotated_by="")
                | (models.Q(state__in=[ROTATED, DONE], rotated_at__isnull=False) & ~models.Q(rotated_by="")),
                name="rotation_rotated_whole",
            ),
            models.CheckConstraint(
                condition=(models.Q(state=DONE, tested_at__isnull=False) & ~models.Q(tested_by=""))
                | (~models.Q(state=DONE) & models.Q(tested_at__isnull=True, tested_by="")),
                name="rotation_tested_whole",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"sealed:{self.account_id}"


class OfflineSet(models.Model):
    """One pair of cards. ``drill_key`` tells the answer to a drill's ``question``; neither a share nor the password follows from it.

    Its ``password`` lies here, encrypted, until the target was given it: so long an older pair may be the one that opens the account.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(SealedAccount, on_delete=models.PROTECT, related_name="card_sets")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=tuple(CARD_STATES.items()), default=COMING)
    made_at = models.DateTimeField()
    password = models.BinaryField(
        null=True, blank=True, editable=False, help_text="encrypted; gone once the target took it"
    )
    begun_at = models.DateTimeField(
        null=True, blank=True, help_text="from when on the target may carry its password already"
    )
    opened_at = models.DateTimeField(null=True, blank=True, help_text="from when on it opened the account")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="until when it opened the account")
    drill_key = models.BinaryField(null=True, blank=True, editable=False, help_text="encrypted")
    question = models.CharField(max_length=12, blank=True, editable=False)
    asked_at = models.DateTimeField(null=True, blank=True)
    drilled_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Numbered, and one alive at a time."""

        default_permissions = ()
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "number"], name="offline_set_numbered"),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(state__in=sorted(CARDS_ALIVE)), name="offline_set_one_alive"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(state=COMING), name="offline_set_one_coming"
            ),
            models.CheckConstraint(
                condition=models.Q(question="", asked_at__isnull=True)
                | (~models.Q(question="") & models.Q(asked_at__isnull=False)),
                name="offline_set_asked_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state=COMING, opened_at__isnull=True)
                | (
                    models.Q(
                        state__in=[*sorted(CARDS_ALIVE), CARDS_USED], opened_at__isnull=False, closed_at__isnull=True
                    )
                )
                | models.Q(state=REPLACED),
                name="offline_set_opened_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(state=COMING) | models.Q(password__isnull=True), name="offline_set_password_is_gone"
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"sealed:{self.account_id}"


class OfflineCard(models.Model):
    """One card. Its share lies here, encrypted, until its custodian has printed it, once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    of_set = models.ForeignKey(OfflineSet, on_delete=models.PROTECT, related_name="cards")
    letter = models.CharField(max_length=1)
    custodian = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="offline_cards")
    share = models.BinaryField(null=True, blank=True, editable=False, help_text="encrypted; gone once printed")
    printed_at = models.DateTimeField(null=True, blank=True)
    held_at = models.DateTimeField(null=True, blank=True, help_text="when its custodian said that they hold it")

    class Meta:
        """Printed means gone from here, and only what is printed is held."""

        default_permissions = ()
        ordering: ClassVar = ["letter"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["of_set", "letter"], name="offline_card_once"),
            models.UniqueConstraint(fields=["of_set", "custodian"], name="offline_card_two_people"),
            models.CheckConstraint(
                condition=models.Q(share__isnull=True) | models.Q(printed_at__isnull=True),
                name="offline_card_printed_is_gone",
            ),
            models.CheckConstraint(
                condition=models.Q(held_at__isnull=True) | models.Q(printed_at__isnull=False),
                name="offline_card_held_is_printed",
            ),
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"sealed:{self.of_set.account_id}"
