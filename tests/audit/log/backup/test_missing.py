"""What a restore says is missing: first what binds, and what nobody did in one line."""

from audit.log.backup.missing import Lacking
from audit.management.commands.restore import named


def test_legal_holds_come_first_and_heartbeats_are_counted() -> None:
    beats = [Lacking(index, "source.heartbeat_seen", 0, "") for index in range(4, 62)]
    others = [Lacking(2, "grant.opened", 0, "c7"), Lacking(23, "hold.set", 0, ""), Lacking(70, "grant.closed", 0, "c7")]
    assert list(named(sorted([*beats, *others], key=lambda each: each.index))) == [
        "- 23 hold.set, 1970-01-01 00:00:00 UTC",
        "- 2 grant.opened, 1970-01-01 00:00:00 UTC, case c7",
        "- 70 grant.closed, 1970-01-01 00:00:00 UTC, case c7",
        "- 58 of routine, such as heartbeats, from 4 to 61; --json names each.",
    ]
    assert list(named([])) == []
