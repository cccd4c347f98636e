"""The end of an outage of backups, rehearsals, witnesses and timestamps is told once, and nothing else is."""

import time
from typing import Any

import pytest
from django.db import connection, transaction

from audit.log.append import Entry, append_many, process
from audit.log.sealing import seal_once
from portal.notifications import outages
from portal.notifications.models import Alert
from tests.at_once import at_once
from tests.audit.log.logged import run_signer
from tests.portal.notifications.webhook.conftest import world
from tests.worlds import World

__all__ = ["world"]
MINUTE = 60_000
BACKUP: dict[str, Any] = {
    "backup_id": "b", "size": 1, "log_root": "aa", "rows": 1, "values": 0, "files": 1, "bytes": 1, "took_ms": 1, "place": "s3://b",
    "manifest_sha256": "bb",
}  # fmt: skip
STAMP: dict[str, Any] = {"size": 1, "sha256": "aa", "token_sha256": "bb", "authority": "CN=Times"}
FAILED: dict[str, Any] = {"sentence": "The authority does not answer."}
WITNESS = "witness:aa"


def now() -> int:
    return time.time_ns() // 1_000_000


def log(name: str, minutes_ago: int, subject: str = "", **fields: Any) -> None:
    """One entry of the real log, sealed."""
    at = now() - minutes_ago * MINUTE
    with transaction.atomic():
        append_many([Entry(name, process("test"), fields, "", subject, at)])
    while seal_once(connection, run_signer(), now()):
        pass


def witnessed(minutes_ago: int, *, ok: bool = True, subject: str = WITNESS) -> None:
    at = now() - minutes_ago * MINUTE
    log("log.witnessed", minutes_ago, subject, witness="w.example", size=1, at=at, ok=ok)


def told() -> list[tuple[str, str]]:
    """To whom, and what; the people of the world who are administrators, and the security list."""
    rows = Alert.objects.filter(kind="outage.over").select_related("recipient").order_by("queued_at", "pk")
    return sorted((each.recipient.name if each.recipient else each.address, each.facts["what"]) for each in rows)


def to_all(what: str) -> list[tuple[str, str]]:
    return [(name, what) for name in ("Pia", "Quinn", "security@breakglass.example")]


def test_backups_that_are_made_again_are_told_of_once(world: World) -> None:
    began = now() - 90 * MINUTE
    log("backup.made", 120, **BACKUP)
    assert (outages.run(), told()) == (0, [])
    log("backup.made", 1, **BACKUP, outage_from=began)
    assert sum(each for each in at_once(4, outages.run) if isinstance(each, int)) == 1
    log("backup.made", 0, **BACKUP)
    assert (outages.run(), outages.run(), told()) == (0, 0, to_all("Backups are made"))
    assert {each.facts["since"] for each in Alert.objects.filter(kind="outage.over")} == {began}


def test_a_witness_that_cosigns_again_is_told_of_and_another_one_is_not(world: World) -> None:
    witnessed(200)
    log("log.not_witnessed", 100, WITNESS, witness="w.example", last_at=now() - 200 * MINUTE)
    witnessed(50, subject="witness:bb")
    assert (outages.run(), told()) == (0, [])
    witnessed(1)
    witnessed(0)
    assert (outages.run(), told()) == (1, to_all("The witness w.example cosigns the log"))


def test_a_line_of_a_witness_that_does_not_verify_ends_nothing(world: World) -> None:
    log("log.not_witnessed", 100, WITNESS, witness="w.example")
    witnessed(1, ok=False)
    assert (outages.run(), told()) == (0, [])


@pytest.mark.parametrize("late", [True, False])
def test_timestamps_are_told_of_where_their_outage_was_alarmed_of(world: World, late: bool) -> None:
    log("log.timestamped", 200, **STAMP, at=now() - 200 * MINUTE)
    log("log.timestamp_failed", 100, **FAILED)
    if late:
        log("log.timestamp_failed", 30, **FAILED, late=True)
    log("log.timestamped", 1, **STAMP, at=now())
    log("log.timestamped", 0, **STAMP, at=now())
    assert (outages.run(), told()) == (int(late), to_all("The log is timestamped") if late else [])


def test_an_end_of_the_day_before_yesterday_is_told_nobody(world: World) -> None:
    log("backup.made", 2 * 24 * 60, **BACKUP, outage_from=now() - 3 * 24 * 60 * MINUTE)
    assert (outages.run(), told()) == (0, [])
