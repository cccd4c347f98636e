"""A ``log.cut`` is sealed only where the sealed log bears it out; each lie is named in an alarm, and what stands around it is sealed."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from audit.events.retention import DAY_MS, ENTRIES_DAYS
from audit.log import sealing
from audit.log.append import Actor, Entry, append_many
from audit.log.cuts import minimum_index
from audit.log.judging_cuts import reason_against
from audit.log.models import QueueEntry
from audit.log.read import named, size
from audit.log.sealing import SealingError, seal_once
from tests.audit.log.cut_log import (
    ASKED,
    CASE,
    OLD,
    decided,
    hold,
    lifted,
    old_log,
    report,
    say_cut,
    the_cut,
    view,
    written,
)
from tests.audit.log.logged import TEST, run_signer, sealed
from tests.audit.log.test_shape import put
from tests.servers import superuser_url

pytestmark = pytest.mark.django_db
HELD = "log.cut: Entry 2, which it cuts, is under a legal hold."
NOBODY = "log.cut: No two people decided, in sealed entries of their own, to cut before entry 512."
SIZE = 602
Said = Callable[[], Sequence[Entry]]


def declined() -> Entry:
    return Entry("cut.declined", ASKED, {"cut_id": "of 512", "minimum_index": 512, "asked_by": "a"})


def span_is(from_at: int, to_at: int) -> str:
    return f"log.cut: It says of what it cuts other times ({from_at} to {to_at}) than the entries do ({OLD} to {OLD})."


LIES: dict[str, tuple[Said, str]] = {
    "nobody decided": (lambda: [the_cut()], NOBODY),
    "one proposed": (lambda: [decided()[0], the_cut()], NOBODY),
    "one approved": (lambda: [decided()[1], the_cut()], NOBODY),
    "one did both": (lambda: [decided()[0], decided(by=ASKED)[1], the_cut()], NOBODY),
    "a process approved": (lambda: [decided()[0], decided(by=TEST)[1], the_cut(approved_by=TEST.id)], NOBODY),
    "a third approved": (lambda: [decided()[0], decided(by=Actor("c"))[1], the_cut()], NOBODY),
    "another size was decided": (lambda: [*decided(256), the_cut(cut_id="of 256")], NOBODY),
    "another cut was decided": (lambda: [*decided(), the_cut(cut_id="d")], NOBODY),
    "approved before it was proposed": (lambda: [*reversed(decided()), the_cut()], NOBODY),
    "declined since, and that is not sealed yet": (
        lambda: [*decided(), the_cut(), declined()],
        "log.cut: It was declined.",
    ),
    "more than there is": (
        lambda: [*decided(1024), the_cut(1024, to_at=OLD)],
        "log.cut: It cuts before entry 1024, and the log has 604.",
    ),
    "from elsewhere": (
        lambda: [*decided(), the_cut(from_index=256)],
        "log.cut: It cuts from entry 256, and the log begins at 0.",
    ),
    "written earlier": (lambda: [*decided(), the_cut(from_at=OLD - 1, to_at=OLD - 1)], span_is(OLD - 1, OLD - 1)),
    "promised for longer": (
        lambda: [*decided(), the_cut(keep_until=OLD + 9000 * DAY_MS)],
        "log.cut: It cuts what had not been kept for its time.",
    ),
    "a case is held": (lambda: [*decided(), hold(case=CASE), the_cut()], HELD),
    "a person is held": (
        lambda: [*decided(), hold(person="p"), the_cut()],
        "log.cut: Entry 0, which it cuts, is under a legal hold.",
    ),
    "one alone lifted it": (lambda: [*decided(), hold(case=CASE), lifted(by="a"), the_cut()], HELD),
}


def refused(caplog: Any) -> list[str]:
    """What the sealer says of each that it leaves; all else that waits is sealed."""
    with pytest.raises(SealingError) as caught:
        sealed(0)
    said = [each.message for each in caplog.records if each.name == "breakglass.alarm"]
    assert (len(said), len(caught.value.refused)) == (1, QueueEntry.objects.count())
    assert seal_once(connection, run_signer(), time.time_ns() // 1_000_000, skip=caught.value.refused) == 0
    return [each.partition(": ")[2] for each in said]


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_cut_is_refused_in_words_and_what_stands_around_it_is_sealed(lie: str, caplog: Any) -> None:
    said, why = LIES[lie]
    old_log()
    with transaction.atomic():
        around = len(append_many([*said(), view()])) - 1
    assert refused(caplog) == [why]
    assert (size(), minimum_index(), named(["log.cut"])[0].index) == (SIZE + around, 0, None)


def test_what_is_young_or_kept_for_longer_here_is_not_cut(settings: Any, caplog: Any) -> None:
    old_log()
    settings.PORTAL_RETENTION = {**settings.PORTAL_RETENTION, "entries": 3100}
    with transaction.atomic():
        append_many([*decided(), the_cut()])
    until = datetime.fromtimestamp(OLD // 1000, UTC) + timedelta(days=3100)
    assert refused(caplog) == [f"log.cut: It cuts what must be kept until {until:%-d %b %Y}."]
    settings.PORTAL_RETENTION = {**settings.PORTAL_RETENTION, "entries": ENTRIES_DAYS}
    sealed(0)
    assert (minimum_index(), QueueEntry.objects.count()) == (512, 0)


def test_a_cut_is_said_once_and_the_next_begins_where_it_ended(caplog: Any) -> None:
    old_log()
    say_cut(256)
    with transaction.atomic():
        append_many([*decided(512), the_cut(256), the_cut(512)])
    with pytest.raises(SealingError) as caught:
        sealed(0)
    assert list(caught.value.refused.values()) == [
        "log.cut: It cuts from entry 256 to 256, which are no whole bundles."
    ]
    assert (rounds(1, skip=caught.value.refused), minimum_index()) == ([1], 512)


def rounds(count: int, skip: Iterable[int] = ()) -> list[int]:
    """How many entries the log has gained after each of so many rounds of the sealer, which passes over what it refused."""
    before, gained, refused = size(), list[int](), set(skip)
    for _ in range(count):
        try:
            seal_once(connection, run_signer(), time.time_ns() // 1_000_000, skip=sorted(refused))
        except SealingError as error:
            refused |= set(error.refused)
        gained.append(size() - before)
    return gained


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of the log, as others see it, whenever a cut is judged."""
    found: list[int] = []

    def judging(cursor: Any, data: bytes, now: int) -> str:
        with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as other:
            found.extend(row[0] for row in other.execute("SELECT coalesce(max(size), 0) FROM audit_checkpoint"))
        return reason_against(cursor, data, now)

    monkeypatch.setattr(sealing, "reason_against", judging)
    return found


@pytest.mark.parametrize("first", [True, False], ids=["declined before", "declined since"])
def test_a_declined_cut_is_told_once_and_waits_no_more(first: bool, caplog: Any) -> None:
    """The check of the log knows that it is no entry, and why; one that nobody declined is missed there."""
    old_log()
    with transaction.atomic():
        append_many([*decided(), *[declined()] * first, the_cut(), *[declined()] * (not first)])
    assert rounds(2) == [3, 3]
    assert QueueEntry.objects.count() == (
        0 if first else 1
    )  # refused while its decline waited too: looked at again later
    assert (rounds(1), QueueEntry.objects.count(), minimum_index()) == ([0], 0, 0)
    told = [each.message.partition(": ")[2] for each in caplog.records if each.name == "breakglass.alarm"]
    assert told == ["log.cut: It was declined."] * (1 if first else 2)
    assert (named(["log.cut"])[0].index, report().astray) == (None, 0)
    with transaction.atomic():
        append_many([the_cut(512, cut_id="another")])
    QueueEntry.objects.all().delete()
    assert report().astray == 1


@pytest.mark.django_db(transaction=True)
def test_a_crowd_of_lying_cuts_is_judged_one_in_each_round_and_holds_up_nothing(judged: list[int]) -> None:
    old_log()
    with transaction.atomic():
        append_many([each for _ in range(50) for each in (the_cut(), view())])
    assert (rounds(10), len(judged)) == ([50] * 10, 10)
    with transaction.atomic():
        append_many([view()])
    assert (rounds(1), len(judged)) == ([1], 11)
    assert (rounds(60), len(judged)) == ([0] * 60, 61)


@pytest.mark.django_db(transaction=True)
def test_a_crowd_of_lying_cuts_larger_than_a_transaction_holds_up_nothing(
    judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    old_log()
    monkeypatch.setattr(sealing, "BATCH", 20)
    with transaction.atomic():
        append_many([*(the_cut() for _ in range(50)), *(view() for _ in range(30))])
    assert (rounds(3), len(judged)) == ([20, 30, 30], 3)


@pytest.mark.django_db(transaction=True)
def test_a_cut_is_judged_when_all_that_waits_before_it_is_sealed_for_good(
    judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    old_log()
    monkeypatch.setattr(sealing, "BATCH", 20)
    with transaction.atomic():
        append_many([*(view() for _ in range(30)), *decided(), the_cut(), hold(person="p")])
    assert (rounds(3), judged, minimum_index()) == ([20, 34, 34], [SIZE + 32], 512)
    assert [each.index for each in named(["log.cut", "hold.set"])] == [SIZE + 32, SIZE + 33]


def test_a_hold_that_two_lifted_or_that_comes_later_stands_in_no_ones_way(monkeypatch: pytest.MonkeyPatch) -> None:
    old_log()
    with monkeypatch.context() as unchecked:
        unchecked.setattr(sealing, "holds_nul", lambda _: False)
        put({"name": "hold.set", "fields": {"hold_id": "n", "person_id": "\0"}, "personal": {"reason": ""}})
        written(hold(case=CASE), lifted())
    written(*decided(), the_cut(), hold(person="p"))
    assert (minimum_index(), QueueEntry.objects.count()) == (512, 0)
