"""One reading in one transaction: killed anywhere, nothing is lost or doubled; every session is bound or reported."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from audit.log.append import append
from audit.log.heartbeats import all_beats
from audit.log.read import LoggedEvent, named, of_subject
from audit.sources.declared import Source, declared
from audit.sources.follower import OutOfReach
from audit.sources.ingest import Overtaken, gathering, note_trouble
from audit.sources.models import CountedSession, SourcePosition
from audit.sources.process import follow_all, gather
from tests.audit.sources.logs import PORTAL, declare, open_grant, recorded
from tests.audit.sources.test_parse import line
from tests.audit.sources.test_sessions import AUTHORIZED, DONE, HIDDEN, RECEIVED
from tests.servers import wait_until

TOLD = (
    "session.started", "session.ended", "session.refused", "session.unmatched", "activity.recorded", "activity.outcome_learned",
    "source.heartbeat_seen", "source.epoch_started", "source.loss_found", "source.settings_changed",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


def write(folder: Path, *lines: bytes, name: str = "a.json") -> None:
    with (folder / name).open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def told(source: Source, *names: str) -> list[LoggedEvent]:
    """In the order of the target's log: what was told in one reading has one time in ours."""
    found = [event for event in named(names or TOLD) if event.fields["source_id"] == source.id]
    return sorted(found, key=lambda event: (event.at, event.fields.get("source_number", 0)))


def read_all(source: Source) -> None:
    reader = gathering(source)
    while reader.step():
        pass


def activities(source: Source) -> list[tuple[str, str, str, str]]:
    learned = {event.fields["activity_id"]: event.fields for event in told(source, "activity.outcome_learned")}
    found = []
    for event in sorted(
        told(source, "activity.recorded"), key=lambda each: (each.fields["session_id"], each.fields["source_number"])
    ):
        last = learned.get(event.fields["activity_id"], event.fields)
        statement = HIDDEN if last.get("state_code") == "42601" else event.personal.get("statement", "")
        found.append((event.fields["class"], last["outcome"], last.get("state_code", ""), statement))
    return found


@pytest.mark.django_db
def test_recorded_log_becomes_events_of_its_grant(folder: Path) -> None:
    source = declare(folder)
    grant = open_grant(source, "bg_7")
    write(folder, *recorded())
    read_all(source)
    assert sorted(activities(source)) == sorted(DONE)
    ours = of_subject(f"grant:{grant}", TOLD)
    assert {event.name for event in ours} == {
        "session.started",
        "session.ended",
        "session.refused",
        "activity.recorded",
    }
    assert {event.fields["grant_id"] for event in ours} == {grant}
    assert len({event.case for event in ours}) == 1
    assert ours[0].case
    assert told(source, "session.unmatched") == []
    assert CountedSession.objects.count() == 0, "every session of the recording has ended"


@pytest.mark.django_db
def test_statement_and_object_are_kept_apart_from_the_bytes(folder: Path) -> None:
    source = declare(folder)
    open_grant(source, "bg_7")
    write(folder, *recorded())
    read_all(source)
    event = next(event for event in told(source, "activity.recorded") if event.personal["object"] == "payroll")
    assert event.personal["statement"] == "SELECT * FROM payroll"
    assert set(event.commitments) == {"statement", "object", "raw_salt"}
    assert "payroll" not in str(event.fields)
    assert (event.fields["source_number"], event.fields["last_number"], event.fields["statement_length"]) == (
        10,
        11,
        21,
    )


@pytest.mark.django_db
def test_second_reading_tells_nothing_twice(folder: Path) -> None:
    source = declare(folder)
    write(folder, *recorded())
    read_all(source)
    count = len(told(source))
    read_all(source)
    assert len(told(source)) == count


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def dying(at: int) -> Callable[..., Any]:
    """Run the process' statements until number ``at``, then die as if killed there."""
    count = 0

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            raise Killed
        return execute(sql, params, many, context)

    return wrapper


@pytest.mark.django_db(transaction=True)
def test_gatherer_killed_at_any_statement_loses_and_doubles_nothing(folder: Path) -> None:
    lines = recorded()
    source = declare(folder)
    open_grant(source, "bg_7")
    kills = at = 0
    for batch in (lines[:20], lines[20:47], lines[47:]):
        write(folder, *batch)
        at, killed = 0, True
        while killed:
            at += 1
            try:
                with connection.execute_wrapper(dying(at)):
                    read_all(source)
                killed = False
            except Killed:
                kills += 1
    assert kills >= 20, "each statement of three readings"
    assert sorted(activities(source)) == sorted(DONE)
    names = [event.name for event in told(source) if not event.name.startswith("activity")]
    assert (
        sorted(names)
        == ["session.ended"] * 2
        + ["session.refused"]
        + ["session.started"] * 2
        + ["source.epoch_started"]
        + ["source.heartbeat_seen"] * 2
    )


@pytest.mark.django_db
def test_gatherer_restarted_between_any_two_lines_tells_the_same(folder: Path) -> None:
    source = declare(folder)
    open_grant(source, "bg_7")
    for each in recorded():
        write(folder, each)
        read_all(source)  # begins from the database each time, as a new process does
    assert sorted(activities(source)) == sorted(DONE)
    assert told(source, "source.loss_found") == []
    assert len(told(source, "session.started", "session.ended")) == 4


@pytest.mark.django_db
def test_second_gatherer_beside_the_first_writes_nothing(folder: Path) -> None:
    source = declare(folder)
    write(folder, *recorded())
    first, second = gathering(source), gathering(source)
    first.step()
    count = len(told(source))
    with pytest.raises(Overtaken):
        second.step()
    assert len(told(source)) == count


@pytest.mark.django_db
def test_marker_without_a_grant_is_reported(folder: Path) -> None:
    source = declare(folder)
    write(folder, RECEIVED, AUTHORIZED, line(line_num=3))
    read_all(source)
    assert [(event.fields["why"], event.fields["marker"]) for event in told(source, "session.unmatched")] == [
        ("no_grant", "bg_7")
    ]
    assert [event.personal["statement"] for event in told(source, "activity.recorded")] == ["SELECT 1"]


@pytest.mark.django_db
def test_marker_of_another_system_is_no_grant_of_this_one(folder: Path) -> None:
    source = declare(folder)
    open_grant(declare(folder), "bg_7")
    write(folder, RECEIVED, AUTHORIZED)
    read_all(source)
    assert [event.fields["why"] for event in told(source, "session.unmatched")] == ["no_grant"]


@pytest.mark.django_db
def test_session_after_the_read_back_is_reported_and_stays_with_its_grant(folder: Path) -> None:
    source = declare(folder)
    grant = open_grant(source, "bg_7")
    read_back(source, grant, at=1_795_541_700_000)
    write(folder, RECEIVED, AUTHORIZED)
    read_all(source)
    assert [event.fields["why"] for event in told(source, "session.unmatched")] == ["grant_over"]
    assert [event.fields["grant_id"] for event in told(source, "session.started")] == [grant]


def read_back(source: Source, grant: str, at: int) -> None:
    with transaction.atomic():
        append(
            "grant.read_back", by=PORTAL, subject=f"grant:{grant}", grant_id=grant, system_id=source.system_id, clear=True, read_at=at,
            read_back_from="target", remainders=[], drift=[], sessions_ended=0, attempt=1,
        )  # fmt: skip


LOGINS = [("owner", "owner", []), ("someone", "owner", ["undeclared_login"]), ("bg_portal", "", [])]


@pytest.mark.django_db
@pytest.mark.parametrize(("login", "declared_logins", "whys"), LOGINS)
def test_login_that_nobody_declared_is_reported(
    folder: Path, login: str, declared_logins: str, whys: list[str]
) -> None:
    source = declare(folder, declared_logins=declared_logins)
    write(folder, RECEIVED, AUTHORIZED.replace(b"bg_7", login.encode()))
    read_all(source)
    assert [event.fields["why"] for event in told(source, "session.unmatched")] == whys


@pytest.mark.django_db
@pytest.mark.parametrize(("able", "whys"), [("[]", []), ('["app"]', ["undeclared_login"])])
def test_login_that_can_do_nothing_is_let_be(folder: Path, able: str, whys: list[str]) -> None:
    source = declare(folder)
    with transaction.atomic():
        append(
            "target.listed", by=PORTAL, subject=f"system:{source.system_id}", listing_id=source.id, system_id=source.system_id, taken_at=1, query_sha256="0",
            answer_sha256="0", count=0, logins=able,
        )  # fmt: skip
    write(folder, RECEIVED, AUTHORIZED.replace(b"bg_7", b"app"))
    read_all(source)
    assert [event.fields["why"] for event in told(source, "session.unmatched")] == whys


@pytest.mark.django_db
def test_log_out_of_reach_is_said_once_and_when_it_is_back(folder: Path) -> None:
    source = declare(folder)
    folder.rename(folder.with_name("away"))
    for _ in range(2):
        with pytest.raises(OutOfReach) as caught:
            gathering(source).step()
        note_trouble(source, caught.value)
    folder.with_name("away").rename(folder)
    read_all(source)
    assert [event.name for event in told(source, "source.error_seen", "source.recovered")] == [
        "source.error_seen",
        "source.recovered",
    ]


@pytest.mark.django_db
def test_file_that_vanished_unread_is_a_loss_of_the_source(folder: Path) -> None:
    source = declare(folder)
    write(folder, RECEIVED, AUTHORIZED)
    read_all(source)
    shutil.rmtree(folder)
    folder.mkdir()
    read_all(source)
    assert [event.fields["kind"] for event in told(source, "source.loss_found")] == ["file_vanished"]


@pytest.mark.django_db
def test_hostile_statement_is_kept_as_text(folder: Path) -> None:
    source = declare(folder)
    open_grant(source, "bg_7")
    nasty = ["SELECT '\u202e<script>'", "SELECT '" + "x" * 1_000_000 + "'", "=cmd|' /C calc'!A0"]
    write(
        folder,
        RECEIVED,
        AUTHORIZED,
        *(line(line_num=3 + at, message=f"statement: {text}") for at, text in enumerate(nasty)),
    )
    read_all(source)
    lengths = [event.fields["statement_length"] for event in told(source, "activity.recorded")]
    assert lengths == [len(text) for text in nasty]


@pytest.mark.django_db
def test_simulated_log_is_read_like_a_real_one(tmp_path: Path) -> None:
    path = tmp_path / "state.log.jsonl"
    source = declare(tmp_path, kind="simulated", state_path=str(tmp_path / "state"), declared_logins="")
    grant = open_grant(source, "bg_3")
    path.write_text(
        '{"session":"s-000001","line":1,"marker":"bg_3","kind":"connect","at_ms":10}\n'
        '{"session":"s-000001","line":2,"marker":"bg_3","kind":"statement","statement":"SELECT 1",'
        '"class":"data_read","outcome":"ok","object":"billing","at_ms":11}\n'
        '{"session":"s-000002","line":1,"marker":"portal","kind":"connect","at_ms":12}\n'
        '{"session":"s-000002","line":2,"marker":"portal","kind":"heartbeat","statement":"n-1","at_ms":12}\n'
        '{"session":"s-000002","line":3,"marker":"portal","kind":"disconnect","at_ms":12}\n'
        '{"session":"s-000001","line":4,"marker":"bg_3","kind":"disconnect","at_ms":13}\n'
    )
    read_all(source)
    assert sorted(event.name for event in of_subject(f"grant:{grant}", TOLD)) == [  # in one reading, so at one time
        "activity.recorded",
        "session.ended",
        "session.started",
        "source.loss_found",
    ]
    ended = told(source, "session.ended")[0].fields
    assert (ended["state"], ended["missing_ranges"], ended["last_number"]) == ("gap", ["3-3"], 4)
    assert [event.fields["nonce"] for event in told(source, "source.heartbeat_seen")] == ["n-1"]


@pytest.mark.django_db(transaction=True)
def test_process_follows_every_source_and_lives_through_the_errors_of_one(folder: Path) -> None:
    good, bad = declare(folder), declare(folder / "none")
    open_grant(good, "bg_7")
    stopping = threading.Event()
    thread = threading.Thread(target=follow, args=(stopping,))
    thread.start()
    try:
        write(folder, *recorded()[:30])
        wait_until(lambda: told(good, "session.started"), "the first lines")
        write(folder, *recorded()[30:])
        wait_until(lambda: len(told(good, "session.ended")) == 2, "the rest")
        wait_until(lambda: told(bad, "source.error_seen"), "the trouble of the other")
    finally:
        stopping.set()
        thread.join()
    beats = {row.process: row.detail for row in all_beats()}
    assert set(beats["gather"]) == {good.id, bad.id}


def follow(stopping: threading.Event) -> None:
    try:
        follow_all(stopping)
    finally:
        connection.close()


@pytest.mark.django_db
def test_withdrawn_source_is_not_read(folder: Path) -> None:
    source = declare(folder)
    write(folder, *recorded())
    with transaction.atomic():
        append(
            "source.withdrawn",
            by=PORTAL,
            source_id=source.id,
            system_id=source.system_id,
            narrows=True,
            changed_by=source.id,
            effective_at=1,
        )
    assert declared() == []
    gather(once=True)
    assert SourcePosition.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("of_another", "read"), [(False, 1), (True, 0)])
def test_gatherer_of_one_source_reads_no_other_and_judges_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, of_another: bool, read: int
) -> None:
    monkeypatch.setattr("audit.management.commands.gather.judge_due", lambda _: pytest.fail("judged"))
    source = declare(folder)
    write(folder, *recorded())
    call_command("gather", once=True, source=[str(uuid4()) if of_another else source.id])
    assert SourcePosition.objects.count() == read


@pytest.mark.django_db
def test_source_that_counts_nothing_is_not_read(folder: Path) -> None:
    declare(folder, counting="none")
    write(folder, *recorded())
    gather(once=True)
    assert [source.counting for source in declared()] == ["none"]
    assert SourcePosition.objects.count() == 0
