"""What the web side believes: proofs under the public key, never a column."""

import threading
import time
import uuid
from typing import Any

import pytest
from django.db import connection

from audit.log import checkpoints
from audit.log.checkpoints import NotSealed
from audit.log.errors import NotVerified
from audit.log.keys import generate
from audit.log.models import Event, SealedEntry, Tile
from audit.log.proof import parse_proof, verify_proof, write_proof
from audit.log.sealing import seal_once
from tests.audit.log.logged import appended, doctored, run_signer, sealed


@pytest.mark.django_db
def test_nothing_is_proved_before_the_first_sealing() -> None:
    (event,) = appended(1)
    assert (checkpoints.latest(), checkpoints.inclusion(event)) == (None, None)


@pytest.mark.django_db
def test_latest_is_the_largest_checkpoint() -> None:
    sealed(3)
    sealed(2)
    found = checkpoints.latest()
    assert found is not None
    assert (found.size, found.origin) == (5, run_signer().name)


@pytest.mark.django_db
def test_sealed_events_are_proved_by_their_own_bytes_and_hand_out_a_file_that_verifies() -> None:
    events = sealed(1) + sealed(300)
    for index in (0, 1, 255, 256, 300):
        found = checkpoints.inclusion(events[index])
        assert found is not None
        body = bytes(Event.objects.get(pk=events[index]).body)
        assert (found.index, found.event_id, found.entry) == (index, str(events[index]), body)
        again = verify_proof(parse_proof(write_proof(found.proof())), body, [run_signer().verifier()])
        assert again.index == index


@pytest.mark.django_db
@pytest.mark.parametrize("count", [2, 700])
def test_inclusion_takes_two_queries_however_large_the_log(count: int, django_assert_num_queries: Any) -> None:
    event = sealed(count)[0]
    with django_assert_num_queries(2):
        assert checkpoints.inclusion(event)


@pytest.mark.django_db
def test_event_that_waits_or_is_unknown_is_not_included() -> None:
    sealed(1)
    (waiting,) = appended(1)
    assert [checkpoints.inclusion(event) for event in (waiting, uuid.uuid4())] == [None, None]


@pytest.mark.django_db
def test_row_that_says_sealed_proves_nothing() -> None:
    sealed(3)
    (event,) = appended(1)
    SealedEntry.objects.create(index=3, event_id=event, leaf_hash=bytes(32), sealed_at=0)
    with pytest.raises(NotVerified, match="cannot be proved"):
        checkpoints.inclusion(event)


@pytest.mark.django_db
def test_row_that_says_sealed_before_any_checkpoint_proves_nothing() -> None:
    (event,) = appended(1)
    SealedEntry.objects.create(index=0, event_id=event, leaf_hash=bytes(32), sealed_at=0)
    assert checkpoints.inclusion(event) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET body = overlay(body placing '\\x00' from 9) WHERE id = %s",
        "UPDATE audit_event SET body = (SELECT body FROM audit_event WHERE id <> %s ORDER BY id LIMIT 1)",
        'UPDATE audit_sealed_entry SET "index" = 9 WHERE event_id = %s',
        "UPDATE audit_tile SET hashes = set_byte(hashes, 39, get_byte(hashes, 39) # 1) WHERE level = 0 AND %s IS NOT NULL",
        "UPDATE audit_tile SET hashes = substr(hashes, 1, 64) WHERE level = 0 AND %s IS NOT NULL",
        "DELETE FROM audit_tile WHERE level = 0 AND %s IS NOT NULL",
        "UPDATE audit_checkpoint SET note = replace(note, E'\\n3\\n', E'\\n4\\n') WHERE %s IS NOT NULL",
        "UPDATE audit_checkpoint SET note = 'x' WHERE %s IS NOT NULL",
    ],
)
def test_stored_log_that_was_changed_proves_nothing(statement: str) -> None:
    event = sealed(3)[0]
    assert checkpoints.inclusion(event)
    doctored(statement.replace("%s IS", "%s::uuid IS"), event)
    with pytest.raises(NotVerified):
        checkpoints.inclusion(event)


@pytest.mark.django_db
def test_bytes_of_another_sealed_event_prove_nothing() -> None:
    first, second = sealed(2)
    body = Event.objects.values_list("body", flat=True).get(pk=second)
    doctored("UPDATE audit_event SET body = %s WHERE id = %s", bytes(body), first)
    doctored('UPDATE audit_sealed_entry SET "index" = 5 WHERE event_id = %s', second)
    doctored('UPDATE audit_sealed_entry SET "index" = 1 WHERE event_id = %s', first)
    with pytest.raises(NotVerified):
        checkpoints.inclusion(first)


@pytest.mark.django_db
def test_checkpoint_of_another_key_proves_nothing(settings: Any) -> None:
    event = sealed(1)[0]
    settings.PORTAL_LOG_PUBLIC_KEY = generate(run_signer().name)[1]
    for act in (checkpoints.latest, lambda: checkpoints.inclusion(event)):
        with pytest.raises(NotVerified):
            act()


@pytest.mark.django_db
def test_checkpoint_that_was_believed_is_refused_once_the_setting_says_otherwise(settings: Any) -> None:
    event = sealed(3)[0]
    assert checkpoints.inclusion(event)
    settings.PORTAL_LOG_PUBLIC_KEY += "@0-2"
    for act in (checkpoints.latest, lambda: checkpoints.inclusion(event)):
        with pytest.raises(NotVerified, match="not valid for that size"):
            act()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "log.example"])
def test_without_a_public_key_nothing_is_proved(settings: Any, text: str) -> None:
    sealed(1)
    settings.PORTAL_LOG_PUBLIC_KEY = text
    with pytest.raises(NotVerified, match="public key"):
        checkpoints.latest()


@pytest.mark.django_db
def test_waiting_ends_with_the_time_that_was_given() -> None:
    (event,) = appended(1)
    with pytest.raises(NotSealed, match=f"Event {event} was not sealed within 0.05 seconds"):
        checkpoints.wait_for_inclusion(event, 0.05, poll_ms=10)


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_when_the_sealer_has_come_by() -> None:
    (event,) = appended(1)
    release = threading.Event()

    def seal_later() -> None:
        release.wait()
        seal_once(connection, run_signer(), time.time_ns() // 1_000_000)
        connection.close()

    thread = threading.Thread(target=seal_later)
    thread.start()
    assert checkpoints.inclusion(event) is None
    release.set()
    assert checkpoints.wait_for_inclusion(event, 30, poll_ms=20).event_id == str(event)
    thread.join()


@pytest.mark.django_db
def test_tiles_that_grew_since_the_checkpoint_still_prove_it() -> None:
    event = sealed(3)[0]
    tile = Tile.objects.get(level=0, index=0)
    doctored("UPDATE audit_tile SET hashes = %s", bytes(tile.hashes) + bytes(32))
    assert checkpoints.inclusion(event)
