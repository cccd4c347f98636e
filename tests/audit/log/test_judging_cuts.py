"""A ``log.cut`` is sealed only where the sealed log bears it out; each lie is named in an alarm, and what stands around it is sealed."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection, transaction

from audit.events.retention import DAY_MS, ENTRIES_DAYS
from audit.log.append import Actor, Entry, append_many
from audit.log.cuts import minimum_index
from audit.log.models import QueueEntry
from audit.log.read import named, size
from audit.log.sealing import SealingError, seal_once
from tests.audit.log.cut_log import ASKED, CASE, OLD, decided, hold, lifted, old_log, say_cut, the_cut, view, written
from tests.audit.log.logged import TEST, run_signer, sealed

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
    "declined": (lambda: [*decided(), declined(), the_cut()], "log.cut: It was declined."),
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
    assert refused(caplog) == [f"log.cut: It cuts what must be kept until {OLD + 3100 * DAY_MS}."]
    settings.PORTAL_RETENTION = {**settings.PORTAL_RETENTION, "entries": ENTRIES_DAYS}
    sealed(0)
    assert (minimum_index(), QueueEntry.objects.count()) == (512, 0)


def test_a_cut_is_said_once_and_the_next_begins_where_it_ended(caplog: Any) -> None:
    old_log()
    say_cut(256)
    with transaction.atomic():
        append_many([*decided(512), the_cut(256), the_cut(512)])
    assert refused(caplog) == ["log.cut: It cuts from entry 256 to 256, which are no whole bundles."]
    assert minimum_index() == 512


def test_a_hold_that_two_lifted_or_that_comes_later_stands_in_no_ones_way() -> None:
    old_log()
    written(hold(case=CASE), lifted(), Entry("hold.set", TEST, {"hold_id": "n", "reason": "r", "person_id": "\0"}))
    written(*decided(), the_cut(), hold(person="p"))
    assert (minimum_index(), QueueEntry.objects.count()) == (512, 0)
