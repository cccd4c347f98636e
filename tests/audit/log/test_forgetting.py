"""Which ids in mails and receipts no event mentions."""

import uuid
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from audit.log.forgetting import ids_in, unmentioned
from audit.log.models import Event
from tests.audit.log.logged import appended

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("body", [b"\xff", b"\\", b"\0", b""])
def test_ids_are_looked_for_in_any_bytes_that_somebody_wrote_as_an_entry(body: bytes) -> None:
    (event,), other, lost = appended(1), uuid.uuid4(), uuid.uuid4()
    Event.objects.create(id=uuid.uuid4(), name="x", at=0, by="p", body=body + str(other).encode())
    with connection.cursor() as cursor:
        assert unmentioned(cursor, ids_in([f"<{lost}> {other}", f"id={event}"])) == [str(lost)]


def test_a_folder_stands_for_the_files_in_it(tmp_path: Path) -> None:
    lost = sorted(str(uuid.uuid4()) for _ in range(2))
    for place, each in zip(("mails/new", "mails/cur"), lost, strict=True):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "1.eml").write_text(f"<{each}>")
    said, beside = StringIO(), StringIO()
    call_command("lost_ids", tmp_path / "mails", stdout=said, stderr=beside)
    assert said.getvalue().split() == lost
    assert beside.getvalue() == "Files read: 2. Ids in them: 2; in no entry: 2.\n"
