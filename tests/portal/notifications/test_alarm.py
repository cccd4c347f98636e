"""An alarm reaches the security list over the same kind of connection as every other mail, and never in clear where TLS is asked."""

import logging
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from portal.embedded import ports
from portal.notifications.alarm import AlarmHandler
from portal.notifications.channels import ChannelDown, Message
from portal.notifications.channels.mail.transport import Mail
from tests.certificates import make_certificate
from tests.servers import wait_until

USER, PASSWORD = "portal", "correct horse"
LIST = ["security@breakglass.example", "duty@breakglass.example"]


@dataclass
class Demanding:
    """Takes a mail from who came with TLS and a login, and keeps it with the way it came."""

    port: int
    taken: list[tuple[bool, bool, tuple[str, ...], bytes]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(
            (session.ssl is not None, session.authenticated, tuple(envelope.rcpt_tos), envelope.original_content)
        )
        return "250 Kept"


def knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
    return AuthResult(success=said == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)


@pytest.fixture
def demanding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Demanding]:
    """A mail server that demands STARTTLS and AUTH, whose certificate the system trusts; the settings speak to it as in production."""
    make_certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = Demanding(ports.free_port())
    controller = Controller(
        server, "127.0.0.1", server.port,
        tls_context=context, require_starttls=True, auth_required=True, authenticator=knows,
    )  # fmt: skip
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, True
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, PASSWORD
    settings.PORTAL_SECURITY_LIST = LIST
    controller.start()
    yield server
    controller.stop()


@pytest.fixture
def alarms() -> Iterator[logging.Logger]:
    """A logger with the handler that the settings name, nothing mailed yet."""
    logger, handler = logging.Logger("alarms of a test"), AlarmHandler()
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def test_alarm_comes_by_tls_and_with_the_login(demanding: Demanding, alarms: logging.Logger) -> None:
    alarms.critical("Nothing is sealed. The log was set back.")
    wait_until(lambda: demanding.taken, "the alarm to arrive")
    ((by_tls, logged_in, recipients, content),) = demanding.taken
    assert (by_tls, logged_in, recipients) == (True, True, tuple(LIST))
    assert b"Nothing is sealed. The log was set back." in content


@pytest.mark.parametrize("wrong", ["certificate", "login", "no TLS"])
def test_alarm_leaves_no_other_way(
    demanding: Demanding, settings: Any, monkeypatch: pytest.MonkeyPatch, alarms: logging.Logger, wrong: str
) -> None:
    told: list[str] = []
    monkeypatch.setattr(logging.getLogger("breakglass.web"), "warning", lambda *said: told.append(said[-1]))
    if wrong == "certificate":
        monkeypatch.delenv("SSL_CERT_FILE")
    elif wrong == "login":
        settings.EMAIL_HOST_PASSWORD = "guessed"
    else:
        settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = False, ""
    alarms.critical("The glass was broken.")
    wait_until(lambda: told, "the failure to be told")
    assert (told, demanding.taken) == (
        [{"certificate": "SSLCertVerificationError", "login": "SMTPAuthenticationError", "no TLS": "SMTPSenderRefused"}[wrong]], [],
    )  # fmt: skip
    assert "The glass was broken." in (settings.PORTAL_DATA / "alarms.log").read_text(encoding="utf-8")


def test_channel_says_that_the_server_cannot_be_used(demanding: Demanding, settings: Any) -> None:
    settings.EMAIL_HOST_PASSWORD = "no command of SMTP carries \N{SNOWMAN}"
    message = Message("k", "ines@example.org", "Ines", "Subject", "Text", "<p>Text</p>", "http://localhost/", 0)
    with pytest.raises(ChannelDown) as down:
        Mail().send(message)
    assert (type(down.value), demanding.taken) == (ChannelDown, [])
