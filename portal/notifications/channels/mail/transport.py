"""Hands one message to a mail server, as plain text and simple HTML."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from portal.notifications.channels.base import ChannelDown, Message, NotTaken


class Mail:
    """SMTP tells whether the next server took a mail, not whether anybody got it: so no receipts."""

    kind = "mail"
    receipts = False
    apart = False

    def send(self, message: Message) -> None:
        """One connection for each mail: a server that closes in between spoils no other."""
        mail = compose(message)
        try:
            with connected() as server:
                server.send_messages([mail])
        except (OSError, ValueError) as error:
            raise NotTaken(_code(error)) from error


@contextmanager
def connected() -> Iterator[EmailBackend]:
    """A mail server, spoken to as the settings say: address, TLS, login, patience. Closed whatever happens.

    An SMTPException is an OSError, a UnicodeError a ValueError (a login that no command of SMTP can carry).

    Raises:
        ChannelDown: it cannot be reached, or TLS or the login failed.
    """
    server = EmailBackend(fail_silently=False)
    try:
        try:
            server.open()
        except (OSError, ValueError) as error:
            raise ChannelDown(_code(error)) from error
        yield server
    finally:
        server.close()


def compose(message: Message) -> EmailMultiAlternatives:
    """The mail of a message. Its Message-ID is the alert's, so that a mail server or reader knows a double by it."""
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        message.subject, message.text, settings.DEFAULT_FROM_EMAIL, [_to(message)],
        headers={"Message-ID": f"<{message.key}@{host}>", "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    mail.attach_alternative(message.html, "text/html")
    if message.attachment is not None:
        mail.attach(message.attachment.name, _bytes(message), _type(message.attachment.suffix))
    return mail


def _bytes(message: Message) -> bytes:
    try:
        return message.attachment.read_bytes() if message.attachment else b""
    except OSError as error:
        raise NotTaken("attachment_missing") from error


def _type(suffix: str) -> str:
    return {".pdf": "application/pdf", ".txt": "text/plain"}.get(suffix, "application/octet-stream")


def _to(message: Message) -> str:
    try:
        local, _, domain = message.address.rpartition("@")
        return str(Address(message.name, username=local, domain=domain)) if message.name else message.address
    except ValueError:  # a name or address that no header can carry: the bare address, and the server decides
        return message.address


def _code(error: Exception) -> str:
    """A short word for the log: the server's own answer may repeat addresses."""
    number = getattr(error, "smtp_code", None)
    return f"smtp_{number}" if number else type(error).__name__
