"""Sealing: what waits becomes entries under a checkpoint, in one transaction or not at all."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, connections

from audit.log import merkle, sealing, tiles
from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.examination import examine
from audit.log.models import Event, QueueEntry, SealedEntry, StoredCheckpoint, Tile
from audit.log.sealing import SealingError, last_signed, seal_once
from audit.log.signing import SignerKey
from tests.audit.log.logged import appended, doctored, run_signer, sealed

NOW = 1_790_000_000_000


@pytest.fixture
def key() -> SignerKey:
    return run_signer()


def counts() -> dict[str, int]:
    tables: tuple[Any, ...] = (QueueEntry, SealedEntry, StoredCheckpoint)
    return {model.__name__: model.objects.count() for model in tables}


def last(key: SignerKey) -> VerifiedCheckpoint:
    found = last_signed(connection, [key.verifier()])
    assert found is not None
    return found


@pytest.mark.django_db
def test_queued_events_become_dense_entries_in_the_order_of_the_queue(key: SignerKey) -> None:
    ids = appended(3) + appended(2)
    assert seal_once(connection, key, NOW) == 5
    rows = SealedEntry.objects.order_by("index").values_list("index", "event_id", "leaf_hash", "sealed_at")
    bodies = dict(Event.objects.values_list("id", "body"))
    assert [(index, event, bytes(leaf), at) for index, event, leaf, at in rows] == [
        (number, event, merkle.leaf_hash(bytes(bodies[event])), NOW) for number, event in enumerate(ids)
    ]
    assert counts() == {"QueueEntry": 0, "SealedEntry": 5, "StoredCheckpoint": 1}
    leaves = [merkle.leaf_hash(bytes(bodies[event])) for event in ids]
    assert (last(key).size, last(key).root) == (5, merkle.root(leaves))


@pytest.mark.django_db
def test_nothing_is_signed_where_nothing_waits(key: SignerKey) -> None:
    assert seal_once(connection, key, NOW) == 0
    assert counts() == {"QueueEntry": 0, "SealedEntry": 0, "StoredCheckpoint": 0}


@pytest.mark.django_db
def test_log_that_grew_in_many_steps_is_the_tree_of_all_its_entries(key: SignerKey) -> None:
    for count in (1, 2, 253, 1, 255, 300):
        sealed(count)
    leaves = [bytes(leaf) for leaf in SealedEntry.objects.order_by("index").values_list("leaf_hash", flat=True)]
    assert (last(key).size, last(key).root) == (812, merkle.root(leaves))
    stored = {
        (level, index): bytes(hashes) for level, index, hashes in Tile.objects.values_list("level", "index", "hashes")
    }
    assert stored == tiles.grow(0, leaves, {})
    assert examine([key.verifier()]).ok


@pytest.mark.django_db
def test_more_than_a_batch_is_sealed_in_turns(key: SignerKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 4)
    appended(10)
    assert [seal_once(connection, key, NOW) for _ in range(4)] == [4, 4, 2, 0]
    assert last(key).size == 10


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("name", "person.left", "The columns name say something else than the bytes."),
        ("at", 1, "The columns at say something else than the bytes."),
        ("by", "another", "The columns by say something else than the bytes."),
        ("case", "another", "The columns case say something else than the bytes."),
        ("subject", "another", "The columns subject say something else than the bytes."),
        ("body", b'{"id": 1}', "The entry is not written in canonical form."),
        ("body", b"", "The entry is not JSON of strings, integers, lists and maps."),
    ],
)
def test_event_that_was_changed_in_the_queue_is_refused_and_the_others_are_sealed(
    key: SignerKey, caplog: pytest.LogCaptureFixture, column: str, value: object, reason: str
) -> None:
    first, second, third = appended(3)
    doctored(f'UPDATE audit_event SET "{column}" = %s WHERE id = %s', value, second)
    seq = QueueEntry.objects.get(event_id=second).seq
    with alarms_of(caplog), pytest.raises(SealingError) as caught:
        seal_once(connection, key, NOW)
    assert caught.value.refused == {seq: reason}
    assert [record.getMessage() for record in caplog.records if record.name == "breakglass.alarm"] == [
        f"1 queued events are not sealed; number {seq}: {reason}"
    ]
    assert list(SealedEntry.objects.order_by("index").values_list("event_id", flat=True)) == [first, third]
    assert list(QueueEntry.objects.values_list("event_id", flat=True)) == [second]
    assert seal_once(connection, key, NOW, skip=caught.value.refused) == 0


@pytest.mark.django_db
def test_queue_entry_without_an_event_is_refused_and_the_others_are_sealed(
    key: SignerKey, caplog: pytest.LogCaptureFixture
) -> None:
    stray = QueueEntry.objects.create(event_id=uuid.uuid4())
    (event,) = appended(1)
    with alarms_of(caplog), pytest.raises(SealingError) as caught:
        seal_once(connection, key, NOW)
    assert caught.value.refused == {stray.seq: f"There is no event {stray.event_id}."}
    assert caplog.messages[-1].endswith(f"number {stray.seq}: There is no event {stray.event_id}.")
    assert list(SealedEntry.objects.values_list("event_id", flat=True)) == [event]


@pytest.mark.django_db
def test_event_that_is_queued_again_is_refused_and_the_others_are_sealed(
    key: SignerKey, caplog: pytest.LogCaptureFixture
) -> None:
    (first,) = sealed(1)
    again = QueueEntry.objects.create(
        event_id=first
    )  # whoever appends may, and the unique index of the queue does not know of it
    (second,) = appended(1)
    with alarms_of(caplog), pytest.raises(SealingError) as caught:
        seal_once(connection, key, NOW)
    assert caught.value.refused == {again.seq: f"Event {first} is entry 0 already."}
    assert caplog.messages[-1].endswith(f"number {again.seq}: Event {first} is entry 0 already.")
    assert list(SealedEntry.objects.order_by("index").values_list("event_id", flat=True)) == [first, second]
    assert examine([key.verifier()]).ok


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE audit_tile SET hashes = hashes || hashes WHERE level = 0", "has another length"),
        (
            "UPDATE audit_tile SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) WHERE level = 0",
            "do not have the root",
        ),
        ("DELETE FROM audit_tile WHERE level = 0", "A tile of the stored tree is missing"),
        ("DELETE FROM audit_checkpoint", "sealed entries and the last checkpoint has 0"),
        (
            'DELETE FROM audit_sealed_entry WHERE "index" = 2',
            "There are 2 sealed entries and the last checkpoint has 3",
        ),
        ("UPDATE audit_checkpoint SET note = replace(note, 'test', 'text')", "not one of this log"),
        ("UPDATE audit_checkpoint SET note = 'x'", "not one of this log"),
    ],
)
def test_nothing_is_signed_over_a_stored_log_that_does_not_fit_its_checkpoint(
    key: SignerKey, statement: str, says: str
) -> None:
    sealed(3)
    appended(1)
    doctored(statement)
    before = counts()
    with pytest.raises(SealingError, match=says) as caught:
        seal_once(connection, key, NOW)
    assert caught.value.refused == {}
    assert counts() == before


@pytest.mark.django_db
def test_log_must_not_sign_what_is_inconsistent_with_a_checkpoint_it_signed(key: SignerKey) -> None:
    sealed(300)
    known = last(key)
    doctored("DELETE FROM audit_sealed_entry; DELETE FROM audit_tile; DELETE FROM audit_checkpoint")
    appended(1)
    with pytest.raises(SealingError, match="This log has signed 300 entries, and only 0 are stored"):
        seal_once(connection, key, NOW, known=known)
    sealed(399)
    appended(1)
    with pytest.raises(SealingError, match="not the one of which 300 entries were signed"):
        seal_once(connection, key, NOW, known=known)
    assert last(key).size == 400, "both logs are the log's own, so only memory tells them apart"


@pytest.mark.django_db
def test_known_checkpoint_that_the_log_contains_lets_it_grow(key: SignerKey) -> None:
    sealed(300)
    known = last(key)
    sealed(500)
    appended(1)
    assert seal_once(connection, key, NOW, known=known) == 1


@pytest.mark.django_db
def test_checkpoint_of_an_earlier_key_is_continued_when_that_key_is_trusted(
    key: SignerKey, stranger: SignerKey
) -> None:
    sealed(2)
    appended(1)
    new = SignerKey(key.name, stranger.private)
    with pytest.raises(SealingError, match="not one of this log"):
        seal_once(connection, new, NOW)
    assert seal_once(connection, new, NOW, trusted=[key.verifier()]) == 1
    assert examine([new.verifier(), key.verifier()]).ok


@pytest.mark.django_db
def test_a_key_signs_up_to_its_last_size_and_the_next_one_goes_on(key: SignerKey, stranger: SignerKey) -> None:
    new = SignerKey(key.name, stranger.private)
    keys = [replace(key.verifier(), last=3), replace(new.verifier(), first=3)]
    appended(2)
    with pytest.raises(SealingError, match="key is not valid for 1 entries"):
        seal_once(connection, new, NOW, trusted=keys)
    appended(3)
    assert seal_once(connection, key, NOW, trusted=keys) == 3
    with pytest.raises(SealingError, match="key is not valid for 4 entries"):
        seal_once(connection, key, NOW, trusted=keys)
    assert seal_once(connection, new, NOW, trusted=keys) == 2
    assert examine(keys).ok
    assert not examine([keys[0], replace(keys[1], first=6)]).ok


@pytest.mark.django_db(transaction=True)
def test_sealing_that_breaks_off_at_any_statement_leaves_the_log_as_it_was(key: SignerKey) -> None:
    sealed(255)
    broken = 0
    while True:
        appended(2)
        before = counts()
        try:
            with breaking_at(broken):
                seal_once(connection, key, NOW)
        except Broken:
            assert counts() == before
            assert examine([key.verifier()]).ok
            broken += 1
        else:
            break
    assert broken >= 10, "every statement was broken once"
    assert counts()["QueueEntry"] == 0
    assert examine([key.verifier()]).ok


@pytest.mark.django_db(transaction=True)
def test_four_sealers_at_once_give_every_event_one_index(key: SignerKey) -> None:
    appended(300)
    errors: list[Exception] = []

    def work() -> None:
        try:
            while seal_once(connections["default"], key, NOW):
                pass
        except Exception as error:  # noqa: BLE001 - whatever a thread meets is told below
            errors.append(error)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        appended(10)
    for thread in threads:
        thread.join()
    while seal_once(connection, key, NOW):
        pass
    assert errors == []
    assert list(SealedEntry.objects.order_by("index").values_list("index", flat=True)) == list(range(500))
    assert examine([key.verifier()]).ok


class Broken(Exception):
    """The statement was not sent."""


@contextmanager
def breaking_at(number: int) -> Iterator[None]:
    """Let ``number`` statements through and break at the next."""
    seen = 0

    def wrapper(execute: Any, *arguments: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen > number:
            raise Broken
        return execute(*arguments)

    with connection.execute_wrapper(wrapper):
        yield


@contextmanager
def alarms_of(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The alarm log, which goes its own way past the root logger."""
    logger = logging.getLogger("breakglass.alarm")
    logger.addHandler(caplog.handler)
    try:
        yield
    finally:
        logger.removeHandler(caplog.handler)
