"""The one writer: the same rows whether one event is written or several, and one transaction with the change."""

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection, transaction

from audit.log.append import Actor, Entry, LogUnavailable, UndeclaredEvent, action, append, append_many, process
from audit.log.canonical import parse_entry
from audit.log.commitments import verify_commitment
from audit.log.heartbeats import beat
from audit.log.models import Event, Heartbeat, PersonalValue, QueueEntry

ADA = Actor(str(uuid.uuid4()), "Ada Lovelace", "totp", 1_780_000_000_000)
HOSTILE = "'; DROP TABLE audit_event; -- \\ %s %(x)s {} \x00 \u202e ü"


def _entry(by: Actor = ADA, comment: str | None = "No.") -> Entry:
    return Entry(
        "request.approved",
        by,
        {"approval_id": "a", "approvals": 1, "approvals_needed": 2, "comment": comment},
        "case",
        "request:1",
        5,
    )


def _stored(identity: uuid.UUID) -> tuple[Any, ...]:
    event = Event.objects.get(pk=identity)
    body = parse_entry(bytes(event.body))
    assert (body.pop("id"), str(event.pk)) == (str(identity), str(identity))
    values = {each.field: (bytes(each.salt), each.value) for each in PersonalValue.objects.filter(event_id=identity)}
    commitments = body.pop("personal")
    assert {
        field: verify_commitment(commitments[field], salt, field, value) for field, (salt, value) in values.items()
    } == dict.fromkeys(commitments, True)
    assert QueueEntry.objects.filter(event_id=identity).count() == 1
    return (
        body,
        (event.name, event.at, event.by, event.case, event.subject),
        {field: value for field, (_, value) in values.items()},
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("by", "comment", "personal"),
    [
        (ADA, "No.", {"by_name": "Ada Lovelace", "comment": "No."}),
        (ADA, None, {"by_name": "Ada Lovelace"}),
        (process("sweep"), None, {}),
        (ADA, HOSTILE, {"by_name": "Ada Lovelace", "comment": HOSTILE.replace("\x00", "\N{SYMBOL FOR NULL}")}),
    ],
)
def test_one_event_is_stored_as_several_are(by: Actor, comment: str | None, personal: dict[str, str]) -> None:
    alone = append_many([_entry(by, comment)])
    together = append_many([_entry(by, comment), _entry(by, comment)])
    one, *others = (_stored(identity) for identity in (*alone, *together))
    assert others == [one, one]
    assert one[2] == personal


@pytest.mark.django_db
def test_what_the_database_takes_in_no_text_has_a_symbol_in_its_place() -> None:
    """Personal or not: what somebody did with such a text is on record, and every entry can be read as JSON there."""
    said = {"shown": "a\0b", "before": {"\0k": ["\0", 1, "\\u0000"]}}
    (identity,) = append_many([Entry("retention.set", process("sweep"), {"terms": said})])
    assert _stored(identity)[0]["fields"] == {"terms": {"shown": "a␀b", "before": {"␀k": ["␀", 1, "\\u0000"]}}}


@pytest.mark.django_db
def test_bytes_are_the_canonical_ones() -> None:
    (identity,) = append_many([_entry(process("sweep"), None)])
    body = bytes(Event.objects.get(pk=identity).body)
    said = {
        "v": 1, "id": str(identity), "name": "request.approved", "at": 5, "by": "process:sweep", "case": "case", "subject": "request:1",
        "fields": {"approval_id": "a", "approvals": 1, "approvals_needed": 2}, "personal": {},
    }  # fmt: skip
    assert body == json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.django_db(transaction=True)
def test_event_goes_with_the_transaction_of_its_change() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of its change"):
        append_many([_entry()])
    with transaction.atomic():
        append_many([_entry()])
        transaction.set_rollback(True)
    assert (Event.objects.count(), QueueEntry.objects.count(), PersonalValue.objects.count()) == (0, 0, 0)


Said = tuple[str, dict[str, Any]]
SEEN: Said = ("request.seen", {"person_id": "p"})
REFUSED: Said = ("log.refused", {"from_at": 1, "to_at": 2, "count": 3})


@action(event="request.seen")
def _changes(*, by: Actor, said: Sequence[Said]) -> None:
    beat("changed")
    for name, fields in said:
        append(name, by=by, **fields)


@action(event=("request.seen", "log.refused"))
def _calls(*, by: Actor, said: Sequence[Said]) -> None:
    append("log.refused", by=by, **REFUSED[1])
    _changes(by=by, said=said)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [_changes, _calls])
@pytest.mark.parametrize("said", [[], [REFUSED], [SEEN, REFUSED]], ids=["none", "another", "one too many"])
def test_an_action_that_does_not_write_its_event_changes_nothing(act: Callable[..., None], said: list[Said]) -> None:
    with pytest.raises(UndeclaredEvent, match="_changes declares"):
        act(by=ADA, said=said)
    assert (Event.objects.count(), QueueEntry.objects.count(), Heartbeat.objects.count()) == (0, 0, 0)
    act(by=ADA, said=[SEEN])
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db
def test_error_of_the_database_is_told_as_the_log_that_cannot_be_written() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_queue ADD CONSTRAINT broken CHECK (seq < 0) NOT VALID")
    with pytest.raises(LogUnavailable), transaction.atomic():
        append("request.seen", by=ADA, person_id="p")
    assert Event.objects.count() == 0
