"""The end of an outage of what keeps the log is told once, and nothing else is."""

import time
from typing import Any

import pytest
from django.db import connection, transaction

from audit.log.append import Entry, append, append_many, process
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


def now() -> int:
    return time.time_ns() // 1_000_000


def log(name: str, minutes_ago: int, subject: str = "", **fields: Any) -> None:
    """One entry of the real log, sealed."""
    at = now() - minutes_ago * MINUTE
    with transaction.atomic():
        append_many([Entry(name, process("test"), fields, "", subject, at)])
    while seal_once(connection, run_signer(), now()):
        pass


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


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("witness w.example", "The witness w.example cosigns the log"), ("timestamps", "The log is timestamped"),
        ("publication", "The log is published"), ("sealing", "Events are sealed"),
        ("check", "The log is checked, and what is published of it"),
    ],
)  # fmt: skip
def test_each_part_of_the_log_that_is_on_time_again_is_told_of_once(world: World, what: str, says: str) -> None:
    since = now() - 90 * MINUTE
    log("log.on_time", 1, f"lateness:{what}", what=what, since=since)
    assert sum(each for each in at_once(4, outages.run) if isinstance(each, int)) == 1
    assert (outages.run(), told()) == (0, to_all(says))
    assert {each.facts["since"] for each in Alert.objects.filter(kind="outage.over")} == {since}


def unsealed(name: str, what: str, **fields: Any) -> None:
    with transaction.atomic():
        append(name, by=process("test"), subject=f"lateness:{what}", what=what, since=now() - MINUTE, **fields)


def test_an_outage_of_sealing_is_told_of_before_it_is_sealed_and_once(world: World) -> None:
    unsealed("log.late", "publication", sentence="Not published.", to_do="Look.")
    assert outages.run() == 0  # of which the finding tells
    unsealed("log.late", "sealing", sentence="Events wait.", to_do="Look.")
    assert sum(each for each in at_once(4, outages.run) if isinstance(each, int)) == 1
    assert outages.run() == 0
    alerts = Alert.objects.filter(kind="system.problem").select_related("recipient")
    told_of = sorted(
        (each.recipient.name if each.recipient else each.address, each.facts["sentence"]) for each in alerts
    )
    assert told_of == to_all("Events wait. Look.")
    unsealed("log.on_time", "sealing")
    unsealed("log.late", "sealing", sentence="Events wait.", to_do="Look.")
    assert (outages.run(), alerts.all().count()) == (1, 6)


def test_an_end_of_the_day_before_yesterday_is_told_nobody(world: World) -> None:
    log("backup.made", 2 * 24 * 60, **BACKUP, outage_from=now() - 3 * 24 * 60 * MINUTE)
    assert (outages.run(), told()) == (0, [])
