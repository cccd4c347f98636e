"""What the demo's pages show: codes of the personas, mails of the sink, statements that may be run."""

import email
import email.policy
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django_otp import oath
from django_otp.plugins.otp_totp.models import TOTPDevice

from portal.clock import moment
from portal.demo.personas import PERSONAS, Persona
from portal.embedded.mail_sink import StoredMail, mail_files, read_mail
from portal.grants.models import Grant
from portal.people.models import Person


@dataclass(frozen=True)
class Shown:
    """A persona with the code that their authenticator shows now."""

    persona: Persona
    code: str


def shown_personas() -> list[Shown]:
    """All personas. The code is computed as an authenticator would; signing in checks it for real."""
    devices = TOTPDevice.objects.filter(user__email__in=[each.email for each in PERSONAS], confirmed=True)
    keys = dict(devices.values_list("user__email", "key"))
    return [Shown(each, code_of(keys[each.email]) if each.email in keys else "") for each in PERSONAS]


def code_of(key: str) -> str:
    """The present code of a secret in hex (RFC 6238, 30 s, six digits)."""
    return f"{oath.totp(bytes.fromhex(key)):06d}"


@dataclass(frozen=True)
class Mail:
    """One mail of the sink, as text."""

    name: str
    at: object
    to: str
    subject: str
    text: str
    attachments: tuple[str, ...]


def mail_names() -> list[str]:
    """All mails, the newest first, by name: dossiers make them large, so only those of a page are read."""
    folder = _folder()
    return [each.stem for each in mail_files(folder)] if folder else []


def mails(names: Iterable[str]) -> list[Mail]:
    """These mails as text."""
    folder = _folder()
    return [_mail(read_mail(folder / f"{name}.eml")) for name in names] if folder else []


def _folder() -> Path | None:
    named = os.environ.get("PORTAL_MAIL_FOLDER", "")
    return Path(named) if named else None


def _mail(stored: StoredMail) -> Mail:
    message = email.message_from_bytes(stored.content, policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    attachments = tuple(part.get_filename() or "file" for part in message.iter_attachments())
    text = body.get_content() if body is not None else ""
    return Mail(
        stored.name,
        moment(stored.received),
        ", ".join(stored.recipients),
        str(message["Subject"] or ""),
        text,
        attachments,
    )


def attachment(name: str, wanted: str) -> bytes | None:
    """One attachment of one mail."""
    folder = _folder()
    if folder is None or name not in mail_names():
        return None
    message = email.message_from_bytes(read_mail(folder / f"{name}.eml").content, policy=email.policy.default)
    found = (part for part in message.iter_attachments() if part.get_filename() == wanted)
    return next((bytes(part.get_payload(decode=True) or b"") for part in found), None)


def open_grant(viewer: Person, pk: object) -> Grant | None:
    """The viewer's own open grant on a PostgreSQL target."""
    mine = Grant.objects.filter(pk=str(pk), person=viewer, state="active", system__connector="postgresql")
    return mine.select_related("system", "person", "request__policy").first()
