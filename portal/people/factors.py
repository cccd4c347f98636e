"""Second factors: what was really checked becomes a `Proof`, and sign-ins are opened and strengthened with nothing else."""

import hashlib
import logging
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from math import ceil
from uuid import UUID

import segno
from django.db import transaction
from django.views.decorators.debug import sensitive_variables
from django_otp import oath
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from portal.clock import now
from portal.people import passkeys
from portal.people.models import Passkey, Person

alarms = logging.getLogger("breakglass.alarm")
TOTP, RECOVERY, PASSKEY = "totp", "recovery", "webauthn"
NEW_PASSKEY = "webauthn_new"  # one that was added with a code, and has not settled yet: see ``own_passkeys.py``
WORDS = {TOTP: "Authenticator", RECOVERY: "Recovery code", PASSKEY: "Passkey", NEW_PASSKEY: "New passkey"}
RECOVERY_CODES = 10
LONGEST_WAIT_AFTER = (
    11  # wrong codes: 2**10 seconds, so at most 85 tries a day; the owner is kept out no longer than that
)
_MADE_HERE = object()


@dataclass(frozen=True)
class Proof:
    """A second factor that was checked: whose, which, when (ms). Only this module makes one."""

    person_id: UUID
    method: str
    made: object

    def __post_init__(self) -> None:
        """Nobody else may claim a check."""
        if self.made is not _MADE_HERE:
            raise TypeError("A proof comes from a check.")


@dataclass(frozen=True)
class NotProven:
    """Why there is no proof, in a sentence; ``kind`` is for the log."""

    sentence: str
    kind: str


def has_totp(person: Person) -> bool:
    """Whether an authenticator is enrolled."""
    return bool(TOTPDevice.objects.filter(user=person, confirmed=True).exists())


def has_passkey(person: Person) -> bool:
    """Whether a passkey is enrolled."""
    return Passkey.objects.filter(person=person).exists()


def is_enrolled(person: Person) -> bool:
    """Whether any strong factor is enrolled: then the password alone enrols none."""
    return has_totp(person) or has_passkey(person)


def codes_left(person: Person) -> int:
    """How many recovery codes have not been used."""
    return int(StaticToken.objects.filter(device__user=person).count())


@sensitive_variables("code")
def check_code(person: Person, code: str) -> Proof | NotProven:
    """Check a code of the authenticator. Each counts once; wrong ones wait 1, 2, 4 ... seconds, about a quarter of an hour at most."""
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=person, confirmed=True).first()
        return _checked(device, person, TOTP, re.sub(r"\s", "", code))


@sensitive_variables("code")
def check_recovery(person: Person, code: str) -> Proof | NotProven:
    """Check a recovery code and use it up. It is no strong method: it leads to enrolling a new authenticator."""
    with transaction.atomic():
        device = StaticDevice.objects.select_for_update().filter(user=person, confirmed=True).first()
        return _checked(device, person, RECOVERY, stored_form(person, code))


def check_passkey(person: Person, browser_key: str, purpose: str, answer: str) -> Proof | NotProven:
    """Check what a passkey answered to the challenge of this browser and purpose. There is nothing to guess, so nobody waits."""
    try:
        found = passkeys.asserted(person, browser_key, purpose, answer)
    except passkeys.NotThisPasskey as wrong:
        return NotProven(wrong.sentence, wrong.kind)
    return Proof(person.pk, PASSKEY if found.settles_at <= now() else NEW_PASSKEY, _MADE_HERE)


@sensitive_variables("token")
def _checked(device: TOTPDevice | StaticDevice | None, person: Person, method: str, token: str) -> Proof | NotProven:
    if device is None:
        return NotProven("Nothing of this kind is enrolled.", "not enrolled")
    counted = device.throttling_failure_count
    device.throttling_failure_count = min(
        counted, LONGEST_WAIT_AFTER
    )  # django-otp doubles the wait with each, up to a hundred years
    allowed, why = device.verify_is_allowed()
    if not allowed:
        return NotProven(
            f"Wait {_long((why['locked_until'] - now()).total_seconds())}, then try again.", "too many tries"
        )
    if device.verify_token(token):
        return Proof(person.pk, method, _MADE_HERE)
    _count(device, person, counted + 1)
    if method == TOTP:
        return NotProven(
            "This is not the code that is shown now, or it was used already. Wait for the next one.", "wrong code"
        )
    return NotProven("This is none of your unused recovery codes.", "wrong recovery code")


def _count(device: TOTPDevice | StaticDevice, person: Person, wrong: int) -> None:
    """Keep the true number. Where the wait grows no longer somebody is told: who comes so far has the password."""
    if wrong > LONGEST_WAIT_AFTER:
        type(device).objects.filter(pk=device.pk).update(throttling_failure_count=wrong)
    if wrong % LONGEST_WAIT_AFTER == 0:
        alarms.error(
            "%s wrong codes in a row for the account of person %s: whoever sends them has its password.",
            wrong,
            person.pk,
        )


def _long(seconds: float) -> str:
    number, unit = (max(1, round(seconds)), "second") if seconds < 100 else (ceil(seconds / 60), "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"


# --- enrolling


def new_key() -> str:
    """A new secret of 160 random bits, in hex (RFC 4226, section 4)."""
    return secrets.token_hex(20)


@sensitive_variables("key")
def as_text(key: str) -> str:
    """The secret as one types it into an authenticator: base 32 in groups of four."""
    plain = b32encode(bytes.fromhex(key)).decode().rstrip("=")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


@sensitive_variables("key")
def as_picture(person: Person, key: str) -> str:
    """The QR code as an address of an inline SVG picture, dark on white in every theme."""
    address = TOTPDevice(user=person, key=key).config_url
    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


@sensitive_variables("key", "code")
def shows_now(key: str, code: str) -> bool:
    """Whether it is the code of this secret now, or one step aside. Proves nothing about a person: the secret is not enrolled yet."""
    return bool(oath.TOTP(bytes.fromhex(key)).verify(int(re.sub(r"\s", "", code)), tolerance=1))


@sensitive_variables("key", "code")
def enrol(person: Person, key: str, code: str) -> Proof | None:
    """Keep a new authenticator in place of earlier ones, if the code is its present one. Within the caller's transaction."""
    TOTPDevice.objects.filter(user=person).delete()
    device = TOTPDevice(user=person, name="Authenticator", key=key, confirmed=True)
    device.save()
    return Proof(person.pk, TOTP, _MADE_HERE) if device.verify_token(re.sub(r"\s", "", code)) else None


@sensitive_variables("codes")
def new_recovery_codes(person: Person) -> tuple[str, ...]:
    """Make recovery codes of 80 random bits; only their digests are kept, and earlier ones are void."""
    codes = tuple(_grouped(b32encode(secrets.token_bytes(10)).decode().lower()) for _ in range(RECOVERY_CODES))
    StaticDevice.objects.filter(user=person).delete()
    device = StaticDevice.objects.create(user=person, name="Recovery codes", confirmed=True)
    StaticToken.objects.bulk_create([StaticToken(device=device, token=stored_form(person, code)) for code in codes])
    return codes


def _grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


@sensitive_variables("code")
def stored_form(person: Person, code: str) -> str:
    """The first 64 bits of a digest in hex: all that the table's column holds, and enough for codes of 80 random bits."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(f"recovery:{person.pk}:{plain}".encode("utf-8", "replace")).hexdigest()[:16]
