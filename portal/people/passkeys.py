"""Passkeys (WebAuthn, level 2): what the browser is asked, and what its answer is held against.

The library checks type, challenge, origin, RP id, presence, verification of the user and signature; we ask for verification of the user
always (a passkey is two factors at once), keep each challenge to one browser, one purpose and one use, and hold the counter against the
last one. Numbers of steps are those of the specification, sections 7.1 (registering) and 7.2 (signing in).
"""

import json
import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.clock import now
from portal.people.models import Passkey, PasskeyChallenge, Person

alarms = logging.getLogger("breakglass.alarm")
REGISTER, SIGN_IN, CONFIRM = "register", "sign in", "confirm"
CHALLENGE_BYTES, CHALLENGE_SECONDS = 32, 300
LONGEST_ANSWER = 20_000  # characters; an attestation with a chain of certificates has some thousands
TRANSPORTS = {each.value: each for each in AuthenticatorTransport}


class NotThisPasskey(Exception):
    """The answer proves nothing; the sentence is for the person, ``kind`` for the log."""

    def __init__(self, sentence: str, kind: str = "wrong passkey") -> None:
        """Keep both."""
        super().__init__(sentence)
        self.sentence, self.kind = sentence, kind


@dataclass(frozen=True)
class NewPasskey:
    """A credential whose registration was checked, not kept yet."""

    person_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: UUID
    synced: bool
    transports: list[str] = field(default_factory=list)


def domain() -> str:
    """The RP id: passkeys are bound to this domain by the browser, and to nothing else."""
    return str(settings.PORTAL_PASSKEY_DOMAIN or urlsplit(settings.PORTAL_URL).hostname or "")


def origin() -> str:
    """The one origin from which answers are taken."""
    parts = urlsplit(settings.PORTAL_URL)
    return f"{parts.scheme}://{parts.netloc}"


def possible() -> bool:
    """Whether browsers offer passkeys at the portal's address: by https or on this machine, and under a name."""
    host = urlsplit(settings.PORTAL_URL).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return bool(host) and (settings.PORTAL_URL.startswith("https://") or host == "localhost")
    return False


def passkeys_of(person: Person) -> list[Passkey]:
    """The person's passkeys, the oldest first."""
    return list(Passkey.objects.filter(person=person))


def settling_until(person: Person) -> datetime | None:
    """Until when the person's passkeys prove no more than a code does; nothing where they have settled. They settle together."""
    rows = Passkey.objects.filter(person=person, settles_at__gt=now())
    return rows.order_by("-settles_at").values_list("settles_at", flat=True).first()


def has_settled(person_id: UUID | str) -> bool:
    """Whether the person has a passkey that proves more than a code does."""
    return Passkey.objects.filter(person_id=person_id, settles_at__lte=now()).exists()


# --- what the browser is asked


def creation_options(person: Person, browser_key: str) -> str:
    """Options of ``navigator.credentials.create()``, as JSON."""
    return options_to_json(
        generate_registration_options(
            rp_id=domain(), rp_name=settings.PORTAL_NAME, user_id=person.pk.bytes, user_name=person.email, user_display_name=person.name,
            challenge=_new_challenge(person, browser_key, REGISTER), timeout=CHALLENGE_SECONDS * 1000,
            exclude_credentials=_described(person),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
    )  # fmt: skip


def request_options(person: Person, browser_key: str, purpose: str) -> str:
    """Options of ``navigator.credentials.get()``, as JSON. Only the person's own passkeys answer."""
    return options_to_json(
        generate_authentication_options(
            rp_id=domain(), challenge=_new_challenge(person, browser_key, purpose), timeout=CHALLENGE_SECONDS * 1000,
            allow_credentials=_described(person), user_verification=UserVerificationRequirement.REQUIRED,
        )
    )  # fmt: skip


def _described(person: Person) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=bytes(each.credential_id), transports=[TRANSPORTS[name] for name in each.transports if name in TRANSPORTS]
        )
        for each in passkeys_of(person)
    ]  # fmt: skip


def _new_challenge(person: Person, browser_key: str, purpose: str) -> bytes:
    value, at = secrets.token_bytes(CHALLENGE_BYTES), now()
    PasskeyChallenge.objects.filter(expires_at__lte=at).delete()
    PasskeyChallenge.objects.update_or_create(
        browser_key=browser_key, purpose=purpose,
        defaults={"person": person, "value": value, "expires_at": at + timedelta(seconds=CHALLENGE_SECONDS)},
    )  # fmt: skip
    return value


def _take_challenge(person: Person, browser_key: str, purpose: str) -> bytes:
    """Use the challenge up, whatever the answer is worth: of two answers at the same moment one finds it."""
    with transaction.atomic():
        rows = PasskeyChallenge.objects.select_for_update().filter(browser_key=browser_key, purpose=purpose)
        row = rows.first()
        rows.delete()
    if row is None or row.person_id != person.pk or row.expires_at <= now():
        raise NotThisPasskey(
            "It took too long, or this answer was used already. Press the button again.", "passkey too late"
        )
    return bytes(row.value)


# --- what it answers


def registered(person: Person, browser_key: str, answer: str) -> NewPasskey:
    """Check the answer of ``navigator.credentials.create()``. Keeps nothing.

    Raises:
        NotThisPasskey: it is no registration that we asked for here and now.
    """
    challenge = _take_challenge(person, browser_key, REGISTER)
    try:
        body = _parsed(answer)
        checked = verify_registration_response(
            credential=body, expected_challenge=challenge, expected_rp_id=domain(), expected_origin=origin(),
            require_user_verification=True,
        )  # fmt: skip
        return NewPasskey(
            person.pk, checked.credential_id, checked.credential_public_key, checked.sign_count, UUID(checked.aaguid),
            checked.credential_backed_up, _transports(body),
        )  # fmt: skip
    except Exception as error:
        raise NotThisPasskey(
            "The passkey could not be checked, so it was not added. Try again, or use another device."
        ) from error


def asserted(person: Person, browser_key: str, purpose: str, answer: str) -> Passkey:
    """Check the answer of ``navigator.credentials.get()``, and keep the authenticator's counter and the time.

    Raises:
        NotThisPasskey: it proves nothing, or the counter went back: the authenticator may have been copied (7.2, step 21).
    """
    challenge = _take_challenge(person, browser_key, purpose)
    with transaction.atomic():
        passkey, count = _verified(person, challenge, answer)
        if (count or passkey.sign_count) and count <= passkey.sign_count:
            alarms.error("The counter of passkey %s went back: it may have been copied.", passkey.pk)
            raise NotThisPasskey(
                "This passkey may have been copied: its counter went back. It is not accepted. Tell an administrator, and use another factor.",
                "passkey counter went back",
            )  # fmt: skip
        passkey.sign_count, passkey.last_used_at = count, now()
        passkey.save(update_fields=["sign_count", "last_used_at"])
    return passkey


def _verified(person: Person, challenge: bytes, answer: str) -> tuple[Passkey, int]:
    """The person's passkey, locked, and its new counter."""
    try:
        body = _parsed(answer)
        handle = body["response"].get("userHandle")
        if handle and base64url_to_bytes(handle) != person.pk.bytes:  # 7.2, step 6
            raise ValueError("another person's")
        found = Passkey.objects.select_for_update().get(person=person, credential_id=base64url_to_bytes(body["id"]))
        checked = verify_authentication_response(
            credential=body, expected_challenge=challenge, expected_rp_id=domain(), expected_origin=origin(),
            credential_public_key=bytes(found.public_key), credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
    except DatabaseError:
        raise
    except Exception as error:
        raise NotThisPasskey("This passkey did not prove that it is you. Try again, or use another factor.") from error
    return found, checked.new_sign_count


def _parsed(answer: str) -> dict[str, Any]:
    """The answer as JSON; nothing from inside of a foreign page's frame, which the library does not look at."""
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("too long")
    body = json.loads(answer)
    told = json.loads(base64url_to_bytes(body["response"]["clientDataJSON"]))
    if told.get("crossOrigin"):
        raise ValueError("in a foreign page")
    return dict(body)


def _transports(body: dict[str, Any]) -> list[str]:
    told = body["response"].get("transports") or []
    return [name for name in TRANSPORTS if name in told]
