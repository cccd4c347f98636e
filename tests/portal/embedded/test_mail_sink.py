"""The mail sink, spoken to over SMTP."""

import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from portal.embedded.mail_sink import StoredMail, read_mails
from tests.servers import MailSink, running_mail_sink


def send(sink: MailSink, subject: str, *recipients: str, body: str = "text") -> bytes:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "portal@breakglass.example"
    message.set_content(body)
    with smtplib.SMTP("127.0.0.1", sink.port) as connection:
        connection.send_message(message, to_addrs=recipients)
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def test_mails_are_kept_whole_with_their_envelope_newest_first(mail_sink: MailSink) -> None:
    first = send(mail_sink, "first", "ana@breakglass.example")
    second = send(mail_sink, "second", "ben@breakglass.example", "cleo@breakglass.example", body=".\nX-Sink-Sender: me")
    mails = mail_sink.mails()
    assert [(mail.sender, mail.recipients, mail.content) for mail in mails] == [
        ("portal@breakglass.example", ("ben@breakglass.example", "cleo@breakglass.example"), second),
        ("portal@breakglass.example", ("ana@breakglass.example",), first),
    ]
    assert mails[0].received >= mails[1].received


def test_mails_survive_a_new_sink_on_the_same_folder(tmp_path: Path) -> None:
    with running_mail_sink(tmp_path) as sink:
        send(sink, "kept", "ana@breakglass.example")
    with running_mail_sink(tmp_path) as sink:
        assert [mail.recipients for mail in sink.mails()] == [("ana@breakglass.example",)]


def test_mail_larger_than_the_limit_is_refused_and_not_kept(mail_sink: MailSink) -> None:
    with pytest.raises((smtplib.SMTPException, ConnectionError)):
        send(mail_sink, "huge", "ana@breakglass.example", body="0123456789 \n" * 3_000_000)
    assert mail_sink.mails() == []


def test_read_mails_of_no_folder_is_empty(tmp_path: Path) -> None:
    assert read_mails(tmp_path / "none") == list[StoredMail]()


def test_mails_are_readable_by_nobody_else(mail_sink: MailSink) -> None:
    send(mail_sink, "private", "ana@breakglass.example")
    assert [file.stat().st_mode & 0o077 for file in mail_sink.folder.glob("*.eml")] == [0]
