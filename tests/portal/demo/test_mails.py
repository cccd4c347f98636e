"""The demo's mails, a page at a time: dossiers make them large, so what stands on another page is not read."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from portal.demo.views import MAILS_PER_PAGE

pytestmark = pytest.mark.django_db


def test_only_the_mails_of_the_page_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.PORTAL_DEMO, settings.ROOT_URLCONF = True, "tests.architecture.every_url"
    monkeypatch.setenv("PORTAL_MAIL_FOLDER", str(tmp_path))
    for number in range(1, MAILS_PER_PAGE + 2):
        mail = f"X-Sink-Recipient: ann@example.org\r\nSubject: Mail {number:02}\r\n\r\nWords.\r\n"
        (tmp_path / f"{10**18 + number}-aa.eml").write_bytes(mail.encode())
    (tmp_path / f"{10**18}-aa.eml").mkdir()  # the oldest cannot be read
    page = Client().get("/demo/mails/").content.decode()
    shown = [each for each in range(1, MAILS_PER_PAGE + 2) if f"Mail {each:02}" in page]
    assert (shown, f"of {MAILS_PER_PAGE + 2} mails" in page) == (list(range(2, MAILS_PER_PAGE + 2)), True)
