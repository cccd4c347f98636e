"""A grant that was opened, used and ended, with the log of its target: what a verdict is made from."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from audit.completeness.run import judge_due
from audit.log.append import Entry, append, append_many, clock
from audit.log.read import LoggedEvent, named
from audit.sources.declared import Source
from audit.sources.ingest import gathering
from tests.audit.sources.logs import PORTAL, declare, open_grant


@dataclass(frozen=True)
class Walk:
    """Times in milliseconds."""

    source: Source
    grant: str
    opened_at: int
    over_at: int

    def beat(self, nonce: str, at: int, **counts: Any) -> None:
        """The portal did a marked act on the target."""
        with clock(lambda: at), transaction.atomic():
            append(
                "source.heartbeat_sent", by=PORTAL, subject=self.source.subject, source_id=self.source.id,
                system_id=self.source.system_id, nonce=nonce, sent_at=at, **counts,
            )  # fmt: skip

    def read_back_again(self, at: int, times: int) -> None:
        """The target was read so often and still showed something."""
        fields = {
            "grant_id": self.grant, "system_id": self.source.system_id, "clear": False, "read_at": at, "read_back_from": "target",
            "remainders": ["login"], "drift": [], "sessions_ended": 0,
        }  # fmt: skip
        tries = range(1, times + 1)
        with clock(lambda: at), transaction.atomic():
            append_many(
                Entry("grant.read_back", PORTAL, {**fields, "attempt": each}, subject=f"grant:{self.grant}")
                for each in tries
            )

    def judged(self, now: int) -> list[LoggedEvent]:
        """All verdicts on the grant's window, after judging at ``now``."""
        with clock(lambda: now):
            judge_due(now)
        return [event for event in named(("completeness.judged",)) if event.fields.get("grant_id") == self.grant]

    def verdict(self, now: int) -> dict[str, Any]:
        """The verdict that stands, after judging at ``now``."""
        return self.judged(now)[-1].fields


def walk(
    folder: Path, *, opened_at: int, over_at: int, marker: str = "bg_7", declared_at: int = 1, **changes: Any
) -> Walk:
    """A source and a grant that is over and was read back."""
    logged_at_end = changes.pop("logged_at_end", None)
    counting, kind = changes.pop("counting", "line_num per session"), changes.pop("kind", "postgresql")
    settings = {
        name: changes.pop(name) for name in ("declared_logins", "lateness_ms", "patience_ms") if name in changes
    }
    with clock(lambda: declared_at):
        source = declare(folder, kind, counting, state_path=str(folder / "state"), **settings)
    with clock(lambda: opened_at):
        grant = open_grant(source, marker)
        _activate(source, grant, marker, opened_at, **changes)
    with clock(lambda: over_at):
        _end(source, grant, over_at, logged_at_end)
    return Walk(source, grant, opened_at, over_at)


def _activate(
    source: Source, grant: str, marker: str, at: int, *, statement_logging: bool = True, superuser: bool = False
) -> None:
    with transaction.atomic():
        append(
            "grant.activated", by=PORTAL, subject=f"grant:{grant}", grant_id=grant, person_id=str(uuid.uuid4()), system_id=source.system_id,
            privilege_id=str(uuid.uuid4()), login=marker, marker=marker, marker_ref="16400", opened_at=at, provisioned_at=at,
            expires_at=at + 3_600_000, statement_logging=statement_logging, superuser=superuser, exposes_secret=False, review_due_hours=24,
        )  # fmt: skip


def _end(source: Source, grant: str, at: int, logged_at_end: bool | None) -> None:
    subject, system = f"grant:{grant}", source.system_id
    with transaction.atomic():
        append(
            "grant.read_back", by=PORTAL, subject=subject, grant_id=grant, system_id=system, clear=True, read_at=at, removed_at=at,
            read_back_from="target", remainders=[], drift=[], sessions_ended=0, attempt=1, statement_logging=logged_at_end,
        )  # fmt: skip
        append(
            "grant.ended", by=PORTAL, subject=subject, grant_id=grant, person_id=str(uuid.uuid4()), system_id=system, cause="returned",
            ended_at=at, over_at=at, removed_at=at, confirmed_at=at, read_back_from="target",
        )  # fmt: skip


def write(folder: Path, lines: Iterable[bytes], name: str = "a.json") -> None:
    """Append lines to a log."""
    with (folder / name).open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def read_all(source: Source, at: int) -> None:
    """Gather everything that is there, at a time of the test's."""
    with clock(lambda: at):
        reader = gathering(source)
        while reader.step():
            pass
