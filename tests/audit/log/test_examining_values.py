"""A personal value that is gone: each entry that may say why, and none."""

import uuid

import pytest
from django.db import transaction

from audit.log.append import Entry, append_many, clock, now_ms
from audit.log.examination import examine
from audit.log.examining_values import Gone
from audit.log.report import Report
from tests.audit.log.logged import TEST, doctored, erase, run_signer, sealed

pytestmark = pytest.mark.django_db

OLD = 1_500_000_000_000


def examined(gone: Gone = Gone()) -> Report:  # noqa: B008  # frozen and empty
    return examine([run_signer().verifier()], gone=gone)


def found(gone: Gone = Gone()) -> tuple[int, int, list[str]]:  # noqa: B008  # the same
    """How many are erased, how many lost, and which are gone without a word."""
    report = examined(gone)
    assert report.ok == (report.personal_missing_count == 0)
    return report.personal_erased, report.personal_lost, report.personal_missing


def say(name: str, **fields: object) -> None:
    with transaction.atomic():
        append_many([Entry(name, TEST, fields)])


def remove(*events: uuid.UUID) -> None:
    doctored("DELETE FROM audit_personal_value WHERE event_id = ANY(%s)", list(events))


def test_what_was_erased_is_excused_by_its_field_alone() -> None:
    first, second, _ = sealed(3)
    erase(first)
    assert found() == (1, 0, [])  # the entry still waits to be sealed
    sealed(0)
    assert found() == (1, 0, [])
    remove(first, second)
    assert found() == (1, 0, ["entry 0, email", "entry 1, email", "entry 1, name"])


def test_what_had_expired_is_excused_for_those_events_alone() -> None:
    with clock(lambda: OLD):
        first, second = sealed(2)
    (young,) = sealed(1)
    remove(first, second, young)
    say("personal_values.expired", kind="signins", before=OLD + 1, event_ids=[str(first), str(young)])
    assert found() == (2, 0, ["entry 1, email", "entry 1, name", "entry 2, email", "entry 2, name"])


def test_what_nobody_could_have_let_go_yet_is_not_excused() -> None:
    (young,) = sealed(1)
    remove(young)
    say("personal_values.expired", kind="signins", before=now_ms() + 1, event_ids=[str(young)])
    assert found() == (0, 0, ["entry 0, email", "entry 0, name"])


def test_what_came_back_without_its_values_is_counted_as_lost() -> None:
    events = sealed(4)
    say("log.recovered", first=1, last=2, from_at=1, to_at=2)
    sealed(0)
    remove(*events[1:])
    assert found() == (0, 4, ["entry 3, email", "entry 3, name"])


def test_a_recovery_excuses_nothing_that_was_sealed_after_it() -> None:
    sealed(1)
    say("log.recovered", first=0, last=10**9, from_at=1, to_at=2)
    sealed(0)
    (late,) = sealed(1)
    remove(late)
    assert found() == (0, 0, ["entry 2, email", "entry 2, name"])


def test_a_range_that_was_signed_as_lost_excuses_nothing_for_its_indexes_were_given_to_others() -> None:
    (event,) = sealed(1)
    say(
        "log.range_lost", lost_id=uuid.uuid4(), from_at=1, to_at=2, first=0, last=0, checkpoint=None, acknowledged=[], reason="x",
        asked_by="a", approved_by="b",
    )  # fmt: skip
    remove(event)
    assert found() == (0, 0, ["entry 0, email", "entry 0, name"])


def test_entries_that_cannot_be_read_excuse_nothing_and_end_nothing() -> None:
    (event,) = sealed(1)
    erase(event, "email")
    say("personal_values.expired", kind="signins", before=1, event_ids=["nobody", 7])
    doctored("UPDATE audit_event SET body = '{}' WHERE name = 'personal_value.erased'")
    remove(event)
    assert found() == (0, 0, ["entry 0, email", "entry 0, name"])


def test_what_entries_elsewhere_say_excuses_too() -> None:
    first, second = sealed(2)
    remove(first, second)
    gone = Gone(erased=frozenset({(first, "name")}), expired={second: now_ms() + 1})
    assert found(gone) == (3, 0, ["entry 0, email"])
