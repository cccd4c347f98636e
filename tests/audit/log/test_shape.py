"""An entry that no reader could read is not sealed, and one that was sealed all the same, or waits, is passed over with an alarm."""

import logging
import time
import uuid
from typing import Any

import pytest
from django.db import connection

from audit.log import logged, read, sealing
from audit.log.append import Entry
from audit.log.canonical import encode
from audit.log.examination import examine
from audit.log.models import Event, QueueEntry, SealedEntry
from audit.log.pages import entry
from audit.log.sealing import SealingError, seal_once
from audit.log.shape import wrong_shape
from audit.log.timestamps.examining import examined
from audit.packs import reading
from tests.audit.facts.everything import everything
from tests.audit.log.cut_log import written
from tests.audit.log.logged import TEST, run_signer, sealed

pytestmark = pytest.mark.django_db(transaction=True)
NOW = int(time.time() * 1000)
SOUND: dict[str, Any] = {
    "at": NOW,
    "by": "p",
    "name": "log.timestamped",
    "fields": {"size": 1, "sha256": "", "token_sha256": "", "at": 1, "authority": "a"},
    "personal": {},
}
LISTED: dict[str, Any] = {"name": "list.downloaded", "fields": {"person_id": "p", "list": "cases", "rows": 1}}
SHARED: dict[str, Any] = {"name": "search.saved", "fields": {"search_id": "s", "list": "l", "shared": 1}}
NAMES = {"name": "hidden", "query": "hidden"}
MISSHAPEN: list[tuple[dict[str, Any], str]] = [
    ({"fields": None}, "Its fields is missing or of another kind."),
    ({"fields": "none"}, "Its fields is missing or of another kind."),
    ({"personal": None}, "Its personal is missing or of another kind."),
    ({"personal": {"name": 1}}, "What is personal in it is no map of texts."),
    ({"strong_at": "now"}, "Its strong_at is of another kind."),
    ({"method": 1}, "Its method is of another kind."),
    ({"at": 2**53 - 1}, "Its time is in no year that a calendar has."),
    ({"strong_at": -(2**53) + 1}, "Its time is in no year that a calendar has."),
    ({"fields": {}}, "log.timestamped lacks at, authority, sha256, size, token_sha256."),
    ({"fields": SOUND["fields"] | {"size": "1"}}, "log.timestamped.size is no int."),
    ({"fields": SOUND["fields"] | {"authority": 1}}, "log.timestamped.authority is no text."),
    ({"fields": SOUND["fields"] | {"at": 2**53 - 1}}, "log.timestamped.at is no time."),
    (LISTED | {"fields": LISTED["fields"] | {"rows": []}}, "list.downloaded.rows is no int."),
    (SHARED | {"personal": {"name": "hidden"}}, "search.saved lacks query."),
    (SHARED | {"fields": SHARED["fields"] | {"shared": 2}, "personal": NAMES}, "search.saved.shared is no bool."),
]
FINE: list[dict[str, Any]] = [
    {},
    {"name": "log.of_a_later_version", "fields": {"size": "any"}},
    {"fields": SOUND["fields"] | {"of_a_later_version": [1]}},
    LISTED,
    SHARED | {"personal": NAMES},
    {"v": 2, "method": "totp", "strong_at": 1},
    {"fields": SOUND["fields"] | {"authority": "\\u0000 and \\\\u0000"}},  # six characters that somebody typed
]


def put(changed: dict[str, Any], **columns: Any) -> uuid.UUID:
    """What whoever may write the two tables can write."""
    event = uuid.uuid4()
    said = {key: value for key, value in (SOUND | changed).items() if value is not None}
    row = {"name": said["name"], "at": said["at"], "by": said["by"], "case": "", "subject": ""} | columns
    Event.objects.create(id=event, body=encode({"id": str(event)} | said), **row)
    QueueEntry.objects.create(event_id=event)
    return event


def readers() -> list[list[uuid.UUID]]:
    """What each way of reading the log finds."""
    found: list[list[Any]] = [
        list(read.follow(0)),
        read.recent()[::-1],
        read.named(["search.removed", "log.timestamped"]),
        read.last_named(["search.removed", "log.timestamped"], 9),
        list(read.each_named(["search.removed", "log.timestamped"])),
        list(reading.entries(read.size())),
        list(reading.named(read.size(), ["search.removed", "log.timestamped"])),
    ]
    return [[uuid.UUID(str(event.id)) for event in each] for each in found]


def removed(list_: str = "cases") -> uuid.UUID:
    written(Entry("search.removed", TEST, {"search_id": "s", "list": list_}))
    return Event.objects.filter(name="search.removed").latest("at").pk


@pytest.mark.parametrize(("changed", "reason"), MISSHAPEN)
def test_what_no_reader_could_read_is_not_sealed_and_the_others_are(
    changed: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(changed)
    with pytest.raises(SealingError) as caught:
        sealed(2)
    assert (len(caught.value.refused), read.size()) == (1, 2)
    (told,) = (each.getMessage() for each in caplog.records if each.levelno == logging.CRITICAL)
    assert told.endswith(f": {reason}")


@pytest.mark.parametrize(
    "changed",
    [{"name": "log.of_a_later_version", "fields": {"a": text}} for text in ("\0", "\\\0", "x\\\\\0\0")]
    + [{"personal": {"\0": "a"}}],
)
def test_what_no_database_can_read_is_not_sealed_and_the_others_are(
    changed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    put(changed)
    with pytest.raises(SealingError) as caught:
        sealed(2)
    assert list(caught.value.refused.values()) == ["A text in it holds the character NUL."]
    assert read.size() == 2


def test_what_was_sealed_with_it_before_anybody_asked_is_read_and_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as unchecked:
        unchecked.setattr(sealing, "holds_nul", lambda _: False)
        old = put({"name": "search.removed", "fields": {"search_id": "\0", "list": "cases"}})
        sealed(0)
    assert readers() == [[old]] * 7
    assert examine([run_signer().verifier()]).sentences() == []


@pytest.mark.parametrize("changed", FINE)
def test_what_a_later_version_may_say_is_sealed(changed: dict[str, Any]) -> None:
    put(changed)
    assert seal_once(connection, run_signer(), NOW) == 1


def test_every_event_as_it_is_written_has_the_shape() -> None:
    assert [trouble for each in everything().bodies if (trouble := wrong_shape(each))] == []


@pytest.mark.parametrize("number", range(len(MISSHAPEN)))
def test_what_was_sealed_all_the_same_ends_no_reader(
    number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logged, "_told", set())
    changed, reason = MISSHAPEN[number]
    first = removed()
    with monkeypatch.context() as unchecked:
        unchecked.setattr(sealing, "wrong_shape", lambda _: "")
        bad = put(changed)
        sealed(0)
    second = removed()
    caplog.clear()
    assert readers() == [[first, second]] * 7
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.CRITICAL]
    assert told == [f"Event {bad} cannot be read and is passed over. {reason}"]
    assert (entry(1), examined(()).wrong) == (None, [])


@pytest.mark.parametrize(
    "columns", [{"name": "search.removed"}, {"at": 1, "name": "search.removed"}, {"subject": "x"}, {"case": "x"}]
)
def test_what_waits_and_says_something_else_than_its_columns_is_passed_over(columns: dict[str, Any]) -> None:
    first = removed()
    put({}, **columns)
    assert readers() == [[first]] * 7


def test_bytes_that_are_no_entry_are_passed_over_while_they_wait() -> None:
    first = removed()
    for body in (b"", b"\xff", b"[]", b"{", b"[" * 60_000):
        Event.objects.create(id=uuid.uuid4(), name="log.timestamped", at=NOW, by="p", body=body)
    assert readers() == [[first]] * 7


def test_following_goes_on_behind_as_many_as_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as unchecked:
        unchecked.setattr(sealing, "wrong_shape", lambda _: "")
        for _ in range(4):
            put({"fields": {}})
        sealed(0)
    last = removed()
    assert SealedEntry.objects.count() == 5
    assert [event.id for event in read.follow(0, limit=2)] == [last]
