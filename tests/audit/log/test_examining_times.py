"""What clocks that went wrong leave in the log is counted and named, and is no damage of it."""

from functools import partial
from typing import Any

import pytest
from django.db import connection

from audit.log import checking
from audit.log.append import clock, now_ms
from audit.log.models import Cosignature, Timestamp
from audit.log.read import named
from audit.log.sealing import seal_once
from tests.audit.log.logged import TEST, appended, run_signer
from tests.audit.log.test_verify_log import run
from tests.witnesses import ONE

pytestmark = pytest.mark.django_db
MINUTE_MS = 60_000


def written(*minutes: int, now: int, sealed_at: int | None = None) -> None:
    """One event for each of these times, sealed together."""
    for each in minutes:
        with clock(partial(int, now + each * MINUTE_MS)):
            appended(1)
    assert seal_once(connection, run_signer(), now if sealed_at is None else sealed_at) == len(minutes)


def note(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if "some clock went wrong" in line]


def said(ahead: int, back: int, first: int) -> str:
    those = ("1 entry says", "it was") if ahead == 1 else (f"{ahead} entries say", "they were")
    return (
        f"{those[0]} a time over five minutes after {those[1]} signed, cosigned or timestamped, and {back} one "
        f"over five minutes before that of an entry before them, first entry {first}: some clock went wrong. That is no damage."
    )


@pytest.mark.parametrize(
    ("minutes", "ahead", "back", "first"),
    [
        ((0, -4, 4, 0), 0, 0, None),
        ((0, -6, 0), 0, 1, 1),
        ((0, 60, 61, 0), 2, 0, 1),  # those after it are not held against a time that cannot be
        ((0, -6, -5, 600, 0), 1, 1, 1),
    ],
    ids=["a little", "back", "ahead", "both"],
)
def test_an_entry_of_a_time_that_cannot_be_is_a_note_and_no_damage(
    minutes: tuple[int, ...], ahead: int, back: int, first: int | None
) -> None:
    now = now_ms()
    written(0, now=now)
    written(*minutes, now=now)
    printed, failed = run()
    assert (note(printed), failed) == ([said(ahead, back, first + 1)] if first is not None else [], "")
    assert checking.check(by=TEST).ok
    assert [each.fields.get("misdated") for each in named(["log.checked"])] == [(ahead + back) or None]


@pytest.mark.parametrize("who", ["witness", "stranger", "authority"])
def test_the_time_of_a_listed_witness_and_of_an_authority_bounds_what_was_written_before(
    who: str, settings: Any
) -> None:
    """The sealer's clock goes wrong together with that of whoever writes; somebody who sees a later size knows better."""
    now, wrong = now_ms(), now_ms() + 60 * MINUTE_MS
    settings.PORTAL_LOG_WITNESSES = f"retired {ONE.cosigner().text()}"
    written(0, 60, now=now, sealed_at=wrong)
    written(0, now=now)
    if who == "authority":
        Timestamp.objects.create(about="checkpoint:3", size=3, sha256=b"", answer=b"", at=now, authority="")
    else:
        key = ONE.cosigner().text() if who == "witness" else "other+00000000+AAAA"
        Cosignature.objects.create(size=3, witness=key, line="", signed_at=now // 1000)
    assert note(run()[0]) == [said(0, 1, 2) if who == "stranger" else said(1, 0, 1)]
