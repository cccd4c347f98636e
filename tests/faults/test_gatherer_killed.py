"""The gatherer as a real process, killed with -9 and started again between any two lines of a recorded log, and while it reads:
what it told at the end is what one undisturbed reading tells."""

import random
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from audit.log.read import LoggedEvent, named
from audit.sources.declared import Source
from audit.sources.ingest import gathering
from audit.sources.models import SourcePosition
from tests.audit.sources.logs import declare, open_grant, recorded
from tests.faults.programs import Program, running
from tests.servers import new_folder, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TOLD = (
    "session.started", "session.ended", "session.refused", "session.unmatched", "activity.recorded", "activity.outcome_learned",
    "source.heartbeat_seen", "source.epoch_started", "source.loss_found", "source.settings_changed",
)  # fmt: skip
# Of the source itself, of the time of reading, or salted anew each time.
ITS_OWN = {
    "source_id",
    "system_id",
    "session_id",
    "activity_id",
    "grant_id",
    "received_at",
    "raw_sha256",
    "person_id",
    "privilege_id",
}
ITS_OWN |= {"last_number", "statement_length"}  # known late where the outcome is
LATER, CHANGE, UNPARSED = "activity.outcome_learned", "source.settings_changed", "42601"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = new_folder("gathered")
    yield made
    shutil.rmtree(made)


def _told(source: Source) -> list[tuple[str, str]]:
    """Everything told of a source, without what is its own. An outcome that was told later stands as if it were told at once."""
    events = [event for event in named(TOLD) if event.fields["source_id"] == source.id]
    learned = {event.fields["activity_id"]: event.fields for event in events if event.name == LATER}
    assert len(learned) == sum(event.name == LATER for event in events)
    # A change of what is logged is told at once where its refusal is not in the log yet: rather once too often than never.
    refused = {_place(event) for event in events if event.fields.get("activity_id") in learned and event.name != LATER}
    told = [
        event for event in events if event.name != LATER and not (event.name == CHANGE and _place(event) in refused)
    ]
    return sorted(_plain(event, learned) for event in told)


def _place(event: LoggedEvent) -> tuple[str, int]:
    return event.fields.get("session_id", ""), event.fields.get("source_number", 0)


def _plain(event: LoggedEvent, learned: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    fields = {key: value for key, value in event.fields.items() if key not in ITS_OWN}
    later = learned.get(event.fields.get("activity_id", ""), {})
    fields |= {key: later[key] for key in ("outcome", "state_code") if key in later}
    # The text of a statement that could not be parsed is known to be none only with its outcome.
    statement = "" if fields.get("state_code") == UNPARSED else event.personal.get("statement", "")
    return event.name, f"{sorted(fields.items())} {statement}"


def _undisturbed(lines: list[bytes]) -> list[tuple[str, str]]:
    """What one reading of all lines tells; nothing of it is kept, so that the grant of the marker is there once."""
    place = new_folder("undisturbed")
    (place / "a.json").write_bytes(b"".join(line + b"\n" for line in lines))
    with transaction.atomic():
        source = declare(place)
        open_grant(source, "bg_7")
        reader = gathering(source)
        while reader.step():
            pass
        found = _told(source)
        transaction.set_rollback(True)
    shutil.rmtree(place)
    return found


def _add(folder: Path, *lines: bytes) -> int:
    """Append lines as the server does; the size of the file then."""
    with (folder / "a.json").open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))
        return file.tell()


def _read_up_to(source: Source, size: int, program: Program) -> None:
    def there() -> bool:
        row = SourcePosition.objects.filter(pk=source.id).first()
        return row is not None and row.position.get("offset") == size

    wait_until(there, f"the gatherer to read {size} bytes\n{program.said[-2000:]}", 60)


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.faults), 24])
def test_gatherer_killed_between_lines_loses_and_doubles_nothing(folder: Path, every: int) -> None:
    lines = recorded()
    expected = _undisturbed(lines)
    source = declare(folder)
    open_grant(source, "bg_7")
    for begin in range(0, len(lines), every):
        size = _add(folder, *lines[begin : begin + every])
        with running("gather") as program:  # killed with -9 when it has read so far
            _read_up_to(source, size, program)
    assert _told(source) == expected
    assert len(expected) > 20


@pytest.mark.faults
def test_gatherer_killed_at_any_moment_loses_and_doubles_nothing(folder: Path) -> None:
    lines, dice = recorded(), random.Random(7)
    expected = _undisturbed(lines)
    source = declare(folder)
    open_grant(source, "bg_7")
    size = 0
    for line in lines:
        if dice.random() < 0.3:
            with running("gather"):
                time.sleep(dice.uniform(0.5, 1.2))  # somewhere between its start and its first readings
                size = _add(folder, line)
        else:
            size = _add(folder, line)
    with running("gather") as program:
        _read_up_to(source, size, program)
    assert _told(source) == expected
