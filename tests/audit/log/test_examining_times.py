"""What clocks that went wrong leave in the log is counted and named, and is no damage of it."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from audit.log import checking
from audit.log.append import clock, now_ms
from audit.log.checking import StoreSource
from audit.log.models import Cosignature, QueueEntry, Timestamp
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.recovery import recover
from audit.log.sealing import seal_once
from audit.log.stores.directory import DirectoryStore
from audit.log.timestamps import taking
from portal.clock import now as portal_now
from portal.health.log_rows import check_row
from tests.audit.log.logged import TEST, appended, doctored, run_signer
from tests.audit.log.test_examining_witnesses import line_of
from tests.audit.log.test_verify_log import run
from tests.authority import authority_in, serving
from tests.witnesses import ONE

pytestmark = pytest.mark.django_db
MINUTE_MS = 60_000


def written(*minutes: int, now: int, sealed_at: int | None = None) -> None:
    """One event for each of these times, sealed together."""
    for each in minutes:
        with clock(partial(int, now + each * MINUTE_MS)):
            appended(1)
    assert seal_once(connection, run_signer(), now if sealed_at is None else sealed_at) == len(minutes)


def notes(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if line.endswith("That is no damage.")]


def ahead(count: int, first: int) -> str:
    says = "entry says" if count == 1 else "entries say"
    return (
        f"{count} {says} a time over five minutes after being signed, cosigned or timestamped, first entry {first}: "
        "a clock or a named time was wrong. That is no damage."
    )


def back(count: int, first: int) -> str:
    says = "entry says" if count == 1 else "entries say"
    return (
        f"{count} {says} a time over five minutes before that of an earlier entry, first entry {first}: "
        "such an entry waited to be sealed, or a clock or a named time was wrong. That is no damage."
    )


@pytest.mark.parametrize(
    ("minutes", "said", "misdated"),
    [
        ((0, -4, 4, 0), [], None),
        ((0, -6, 0), [back(1, 2)], None),
        ((0, 60, 61, 0), [ahead(2, 2)], 2),  # those after it are not held against a time that cannot be
        ((0, -6, -5, 600, 0), [ahead(1, 4), back(1, 2)], 1),
    ],
    ids=["a little", "back", "ahead", "both"],
)
def test_an_entry_of_a_time_that_cannot_be_is_a_note_and_no_damage(
    minutes: tuple[int, ...], said: list[str], misdated: int | None
) -> None:
    now = now_ms()
    written(0, now=now)
    written(*minutes, now=now)
    printed, failed = run()
    assert (notes(printed), failed) == (said, "")
    assert checking.check(by=TEST).ok
    assert [each.fields.get("misdated") for each in named(["log.checked"])] == [misdated]


def test_an_entry_that_waited_to_be_sealed_is_not_said_to_have_a_wrong_time() -> None:
    """It was refused at first, or committed late: every clock was right."""
    then = now_ms() - 30 * MINUTE_MS
    with clock(partial(int, then)):
        appended(1)
    waits = QueueEntry.objects.get().seq
    with clock(partial(int, then + 6 * MINUTE_MS)):
        appended(1)
    seal_once(connection, run_signer(), then + 6 * MINUTE_MS, skip=[waits])
    seal_once(connection, run_signer(), then + 10 * MINUTE_MS)
    assert notes(run()[0]) == [back(1, 1)]
    assert checking.check(by=TEST).ok
    assert named(["log.checked"])[0].fields.get("misdated") is None
    assert "a time" not in check_row(portal_now()).says


def came_back(folder: Path) -> None:
    """The sealed log is lost, and recovered from what is published."""
    publish_once(connection, DirectoryStore(folder), [run_signer().verifier()])
    doctored("TRUNCATE audit_checkpoint, audit_sealed_entry, audit_tile, audit_queue")
    recover(connection, StoreSource(str(folder)), [run_signer().verifier()])


def test_a_checkpoint_that_came_back_says_nothing_of_when_it_was_signed(tmp_path: Path) -> None:
    """Its last entry had waited; in its row is the time of that one."""
    written(0, -20, now=now_ms())
    came_back(tmp_path)
    assert seal_once(connection, run_signer(), now_ms()) == 1
    assert notes(run()[0]) == [back(1, 1)]


@pytest.mark.parametrize("row", ["true", "forged"])
@pytest.mark.parametrize("who", ["witness", "stranger"])
def test_the_time_of_a_listed_witness_bounds_what_was_written_before_where_its_line_verifies(
    who: str, row: str, settings: Any
) -> None:
    """The sealer's clock goes wrong together with that of whoever writes; somebody who sees a later size knows better."""
    now, wrong = now_ms(), now_ms() + 60 * MINUTE_MS
    settings.PORTAL_LOG_WITNESSES = f"retired {ONE.cosigner().text()}"
    written(0, 60, now=now, sealed_at=wrong)
    written(0, now=now)
    key = ONE.cosigner().text() if who == "witness" else "other+00000000+AAAA"
    line = line_of(ONE, now // 1000) if row == "true" else "forged"
    Cosignature.objects.create(size=3, witness=key, line=line, signed_at=now // 1000)
    assert notes(run()[0]) == [ahead(1, 1) if (who, row) == ("witness", "true") else back(1, 2)]


@pytest.mark.parametrize("row", ["true", "late", "early", "forged"])
def test_the_time_of_an_authority_bounds_what_was_written_before_by_its_token_whatever_the_row_says(
    row: str, settings: Any, tmp_path: Path
) -> None:
    """The web server may insert rows: an early time in one makes nothing of all that stands before it."""
    now, wrong = now_ms(), now_ms() + 60 * MINUTE_MS
    settings.PORTAL_TIMESTAMP_ROOTS = str(authority_in(tmp_path).root)
    written(0, 60, now=now, sealed_at=wrong)
    if row == "forged":
        written(0, now=now)
        Timestamp.objects.create(about="checkpoint:3", size=3, sha256=b"", answer=b"", at=1, authority="")
    else:
        with serving(authority_in(tmp_path)) as authority:
            settings.PORTAL_TIMESTAMP_URL = authority.address
            settings.PORTAL_TIMESTAMP_ROOTS = str(authority.root)
            assert taking.run_due() == 1
        assert seal_once(connection, run_signer(), now) == 1
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_timestamp DISABLE TRIGGER only_grows")
        Timestamp.objects.update(at={"true": F("at"), "late": wrong, "early": 1}[row])
    printed = run()[0]
    assert notes(printed) == [back(1, 2) if row == "forged" else ahead(1, 1)]
    assert ("its row names another time" in printed) == (row in ("late", "early"))
