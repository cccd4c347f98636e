"""A person, and each of their sign-ins."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth import get_backends
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from portal.clock import now
from portal.people.reset_states import COOLING, DONE, PROPOSED, STATES


class PersonManager(BaseUserManager["Person"]):
    """Looks people up by mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        """Find by mail address."""
        return self.get(email=(username or "").lower())


class Person(AbstractBaseUser):
    """Someone who signs in. The key is a random pseudonym: the log names people by it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True, help_text="kept in lower case")
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="UTC")
    added_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    manager = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reports",
        help_text="whose rights the person never judges",
    )  # fmt: skip
    unit = models.CharField(max_length=120, blank=True, help_text="where they work, as the personnel list says")
    moved_at = models.DateTimeField(null=True, blank=True)
    one_time_until = models.DateTimeField(
        null=True, blank=True, help_text="the password was made by another and must be replaced before this"
    )
    unproven_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="another made the password then, and nobody has signed in with it and a strong factor since",
    )
    last_login = None  # sign-ins say it, with their events

    objects = PersonManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    class Meta:
        """Pages ask roles, not Django's permissions."""

        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(manager=models.F("id")), name="person_not_own_manager")
        ]

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # derived, not stored
        """Whether the person may sign in."""
        return self.left_at is None

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"person:{self.pk}"

    def has_perm(self, permission: str, obj: object = None) -> bool:
        """Ask each backend's rules (``audit.view_case``); see ``portal/permissions.py``."""
        about: Any = obj  # rules also take keys, such as the id of a case
        return any(
            backend.has_perm(self, permission, obj=about) for backend in get_backends() if hasattr(backend, "has_perm")
        )

    def __str__(self) -> str:
        return self.name


class Sponsorship(models.Model):
    """Who here answered for somebody of another company, from when until when, and when the contract was to end meanwhile.

    Whoever has none works here. What was said before is kept: a use is judged by what held when it began.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sponsorships")
    sponsor = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sponsored")
    contract_end = models.DateTimeField()
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True, help_text="when it was said anew")

    class Meta:
        """One at a time, and nobody's own."""

        default_permissions = ()
        ordering: ClassVar = ["-from_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person"], condition=models.Q(until_at__isnull=True), name="sponsorship_one_now"),
            models.CheckConstraint(condition=~models.Q(person=models.F("sponsor")), name="sponsorship_by_another"),
            models.CheckConstraint(condition=models.Q(until_at__isnull=True) | models.Q(until_at__gte=models.F("from_at")), name="sponsorship_forwards"),
        ]  # fmt: skip


class Attempts(models.Model):
    """Passwords tried in a row under one name: an account, an address, or a browser that is known. See ``throttle.py``."""

    key = models.CharField(max_length=80, primary_key=True)
    failures = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        """Counted, never shown; no evidence."""

        default_permissions = ()


class SignIn(models.Model):
    """One browser login of a person. Never called a session: that word is for targets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sign_ins")
    browser_key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the cookie's key")
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    factor = models.CharField(max_length=20)
    strong_at = models.DateTimeField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_cause = models.CharField(max_length=20, blank=True)

    class Meta:
        """Ended once, with its cause."""

        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["person", "-opened_at"], name="sign_in_of_person")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_cause="")
                | models.Q(ended_at__isnull=False) & ~models.Q(ended_cause=""),
                name="sign_in_ended_with_cause",
            )
        ]

    @property
    def log_subject(self) -> str:
        """How the log names this row."""
        return f"signin:{self.pk}"


class Passkey(models.Model):
    """The public facts of a WebAuthn credential. Its private key never leaves the authenticator, so nothing here is secret."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="passkeys")
    name = models.CharField(max_length=60)
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField(help_text="COSE key (RFC 9053)")
    sign_count = models.PositiveBigIntegerField(help_text="0 where the authenticator keeps none")
    aaguid = models.UUIDField(help_text="model of the authenticator; zeros where it does not say")
    synced = models.BooleanField(help_text="copied by its maker to the owner's other devices")
    transports = models.JSONField(default=list)
    added_at = models.DateTimeField()
    settles_at = models.DateTimeField(help_text="until then it proves no more than the code with which it was added")
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A name tells one from the others."""

        default_permissions = ()
        ordering: ClassVar = ["added_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "name"], name="passkey_named_once")]

    @property
    def is_settling(self) -> bool:
        """Whether it proves no more than a code yet."""
        return self.settles_at > now()


class FactorReset(models.Model):
    """Two people let somebody enrol anew who lost their second factor. See ``reset_states.py``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="factor_resets")
    reason = models.TextField()
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    cools_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=tuple(STATES.items()), default=PROPOSED)

    class Meta:
        """Two people, and neither is the one who lost it; one reset at a time."""

        default_permissions = ()
        ordering: ClassVar = ["-proposed_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person"], condition=models.Q(state__in=[PROPOSED, COOLING]), name="reset_one_open"),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True, approved_at__isnull=True, cools_until__isnull=True)
                | models.Q(approved_by__isnull=False, approved_at__isnull=False, cools_until__isnull=False),
                name="reset_approved_whole",
            ),
            models.CheckConstraint(
                condition=~models.Q(proposed_by=models.F("person"))
                & (models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("person")))
                & (models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("proposed_by"))),
                name="reset_two_others",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[PROPOSED, COOLING], closed_at__isnull=True)
                | ~models.Q(state__in=[PROPOSED, COOLING]) & models.Q(closed_at__isnull=False),
                name="reset_closed_with_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[COOLING, DONE]) | models.Q(approved_at__isnull=False),
                name="reset_cools_approved",
            ),
        ]  # fmt: skip

    @property
    def log_subject(self) -> str:
        """How the log names it: by whom it is about."""
        return f"person:{self.person_id}"


class PasskeyChallenge(models.Model):
    """What an authenticator is asked to sign now: for one browser, one purpose, once, for a few minutes."""

    browser_key = models.CharField(max_length=64, help_text="SHA-256 of the cookie's key")
    purpose = models.CharField(max_length=10)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    value = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta:
        """A new one takes the place of the one before, so nobody fills the table."""

        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["browser_key", "purpose"], name="challenge_one_at_a_time")
        ]
