"""Entries on which programs act: one that says nothing is not sealed, and one that was sealed once ends neither sealing nor a way back."""

import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.db import connection

from audit.events.retention import DAY_MS, ENTRIES_DAYS
from audit.log import erased_again, sealing
from audit.log.append import Entry, clock
from audit.log.canonical import encode
from audit.log.cuts import begins_at, last_cut, minimum_index
from audit.log.erased_again import erase_since
from audit.log.models import Event, PersonalValue, QueueEntry
from audit.log.publishing import publish_once
from audit.log.read import size
from audit.log.said import LEAST_KEPT_MS
from audit.log.sealing import SealingError, seal_once
from audit.log.stores.directory import DirectoryStore
from tests.audit.log.backup.places import empty_database, place, working_in
from tests.audit.log.cut_log import cut_in, cut_rows, old_log, published, say_cut, written
from tests.audit.log.logged import TEST, doctored, run_signer, sealed

pytestmark = pytest.mark.django_db(transaction=True)
NOW = int(time.time() * 1000)
CUT = {
    "minimum_index": 256,
    "from_index": 0,
    "from_at": 1,
    "to_at": 2,
    "keep_until": 3,
    "asked_by": "a",
    "approved_by": "b",
}
ERASED = {"erasure_id": "e", "person_id": str(uuid.uuid4()), "basis": "asked", "asked_by": "a", "approved_by": "b"}
EXPIRED = {"kind": "signins", "before": NOW - 400 * DAY_MS, "event_ids": [str(uuid.uuid4())]}
SENSELESS: list[tuple[str, object]] = [
    ("log.cut", CUT | {"minimum_index": "x"}),
    ("log.cut", CUT | {"minimum_index": 255}),
    ("log.cut", CUT | {"to_at": NOW}),
    ("log.cut", CUT | {"approved_by": "a"}),
    ("log.cut", "256"),
    ("personal_value.erased", {"event_id": "x", "field": "name"}),
    ("personal_value.erased", {"event_id": str(uuid.uuid4()), "field": ["name"]}),
    ("personal_values.expired", EXPIRED | {"before": NOW - 399 * DAY_MS}),
    ("personal_values.expired", EXPIRED | {"event_ids": ["x"]}),
    ("erasure.done", ERASED | {"person_id": "x"}),
    ("erasure.done", ERASED | {"approved_by": "a"}),
    ("erasure.confirmed", ERASED | {"asked_by": ERASED["person_id"]}),
]


def slipped_in(name: str, fields: object) -> None:
    """What whoever may write the two tables can write."""
    event = uuid.uuid4()
    body = encode({"id": str(event), "at": NOW, "by": "p", "name": name, "fields": fields, "personal": {}})
    Event.objects.create(id=event, name=name, at=NOW, by="p", case="", subject="", body=body)
    QueueEntry.objects.create(event_id=event)


def test_the_least_that_a_cut_promises_is_that_of_the_settings() -> None:
    assert LEAST_KEPT_MS == ENTRIES_DAYS * DAY_MS


@pytest.mark.parametrize(("name", "fields"), SENSELESS)
def test_what_says_nothing_sensible_is_not_sealed_and_the_others_are(
    name: str, fields: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "wrong_shape", lambda _: "")
    slipped_in(name, fields)
    with pytest.raises(SealingError, match="not what was appended") as caught:
        sealed(2)
    assert (len(caught.value.refused), size()) == (1, 2)
    assert seal_once(connection, run_signer(), NOW, skip=caught.value.refused) == 0


def test_what_was_sealed_once_ends_neither_publishing_nor_the_ways_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as unchecked:
        unchecked.setattr(sealing, "READERS", {})
        unchecked.setattr(sealing, "reason_against", lambda *_: "")
        unchecked.setattr(sealing, "wrong_shape", lambda _: "")
        for each in SENSELESS:
            slipped_in(*each)
        sealed(1)
    assert (minimum_index(), begins_at(), last_cut()) == (0, 0, None)
    assert cut_in(published(tmp_path / "log")) == 0
    with connection.cursor() as cursor:
        assert erase_since(cursor, 0) == 0
    backups = place(tmp_path)
    backups.backup()
    with monkeypatch.context() as unchecked:
        unchecked.setattr(sealing, "READERS", {})
        unchecked.setattr(sealing, "reason_against", lambda *_: "")
        unchecked.setattr(sealing, "wrong_shape", lambda _: "")
        for each in SENSELESS:
            slipped_in(*each)
        sealed(1)
    store = DirectoryStore(tmp_path / "later")
    publish_once(connection, store, [run_signer().verifier()])
    with empty_database() as empty, working_in(empty):
        found = backups.restore(store)
        assert (found.report.ok, found.missing.count, found.missing.erasures, found.missing.people) == (
            True,
            len(SENSELESS) + 1,
            set(),
            {},
        )


def test_a_person_is_erased_again_only_where_two_had_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Mapping[str, int]] = []

    def clear(people: Mapping[str, int]) -> int:
        told.append(people)
        return 0

    monkeypatch.setattr(erased_again, "clear_rows", clear)
    other = ERASED | {"erasure_id": "of nobody"}
    done = {"values": 0, "rows": {}}
    written(Entry("erasure.confirmed", TEST, dict(ERASED)), Entry("erasure.done", TEST, other | done))
    with connection.cursor() as cursor:
        erase_since(cursor, 0)
        written(Entry("erasure.done", TEST, ERASED | done))
        erase_since(cursor, 2)
    assert [list(people) for people in told] == [[], [ERASED["person_id"]]]


def test_minimum_index_must_be_zero_without_a_cut() -> None:
    sealed(300)
    assert (begins_at(), minimum_index()) == (0, 0)


def test_a_cut_that_is_only_said_moves_no_beginning() -> None:
    old_log()
    say_cut(256)
    cut_rows(minimum=256)
    assert begins_at() == 256
    say_cut(512)
    assert (begins_at(), minimum_index()) == (256, 512)
    cut_rows()
    assert begins_at() == 512
    doctored("DELETE FROM audit_sealed_entry WHERE index = 513")
    assert begins_at() == 512


def test_values_are_erased_again_as_their_events_say() -> None:
    (event,) = sealed(1)
    written(Entry("personal_value.erased", TEST, {"event_id": str(event), "field": "name", "basis": "asked"}))
    with connection.cursor() as cursor:
        assert (erase_since(cursor, 2), erase_since(cursor, 1)) == (0, 1)
    assert list(PersonalValue.objects.filter(event_id=event).values_list("field", flat=True)) == ["email"]


def test_values_expire_again_as_their_events_say_but_none_that_was_written_later() -> None:
    with clock(lambda: NOW - 401 * DAY_MS):
        (old,) = sealed(1)
    (young,) = sealed(1)
    said = EXPIRED | {"event_ids": [str(old), str(young)]}
    written(Entry("personal_values.expired", TEST, said))
    with connection.cursor() as cursor:
        assert (erase_since(cursor, 3), erase_since(cursor, 2)) == (0, 2)
    assert set(PersonalValue.objects.values_list("event_id", flat=True)) == {young}
