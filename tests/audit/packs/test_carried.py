"""What a pack left open is judged again in the next one of the same systems, by the log alone."""

from typing import Any

import pytest

from audit.packs import evidence, paper, position
from audit.packs.carried import Earlier, last_before
from audit.packs.evidence import Evidence, Scope
from audit.packs.printing import filled
from tests.audit.facts import story
from tests.audit.facts.stream import HOUR, Stream, at
from tests.audit.packs import told
from tests.audit.packs.test_pack import ASKED

SYSTEMS = (told.ident("billing"),)
NEXT = Scope(at("10-01"), at("12-01"), SYSTEMS, ())


def _late_use(log: Stream) -> None:
    """Over on the last evening of September; its review was due three days later, and came ten days later."""
    start = at("09-30", "20:00")
    story.ask(log, "C9", start)
    story.approve(log, "C9", start + 60_000)
    story.open_it(log, "C9", start + 120_000)
    story.end_it(log, "C9", start + HOUR)


def _pack_before(systems: tuple[str, ...] = SYSTEMS) -> None:
    """A pack of the third quarter, made on the next day, as the log tells it."""
    size = position.newest().size
    hashes = ("log_root", "pdf_sha256", "unsigned_sha256", "facts_sha256", "catalogue_sha256")
    note: dict[str, Any] = dict.fromkeys(hashes, "aa")
    log, pack = told.Told(), told.ident(f"pack of {systems}")
    asked: dict[str, Any] = {"period_start": at("07-01"), "period_end": at("10-01"), "systems": list(systems), "frameworks": []}  # fmt: skip
    log.say("pack.requested", at("10-01", "08:00"), "kim", pack_id=pack, purpose="Yearly", **asked)
    log.say(
        "pack.made", at("10-01", "08:05"), "process:packs", pack_id=pack, log_size=size, position_at=at("10-01"), pages=1, bytes=1, populations=[],
        results={}, **note,
    )  # fmt: skip
    log.write()


def _reviewed_late() -> Evidence:
    log = told.Told()
    story.review(log, "C9", at("10-10"))
    log.write()
    return evidence.gathered(NEXT, position.newest(), lambda *_: None)


def _use() -> None:
    log = told.organisation()
    _late_use(log)
    log.write()


def _counts(found: Evidence, test: str) -> dict[str, int]:
    return dict(next(each.result.counts for each in found.tests if each.result.id == test))


@pytest.mark.django_db
def test_review_that_was_not_due_then_is_judged_in_the_next_pack() -> None:
    _use()
    _pack_before()
    found = _reviewed_late()
    assert found.carried is not None
    assert ("T-15", told.ident("G-C9")) in found.carried.rows
    assert _counts(found, "T-15") == {"deviation": 1}
    words = filled("pack.html", paper.context(found, ASKED, (), signed=True, demo=False))
    assert (
        f"open in the pack before, of 1 July 2026 up to 1 October 2026 at log position {found.carried.pack.size}"
        in words
    )


@pytest.mark.django_db
def test_pack_of_other_systems_carries_nothing() -> None:
    """The control of the test above: the use lies in neither period."""
    _use()
    _pack_before((*SYSTEMS, told.ident("ledger")))
    found = _reviewed_late()
    assert found.carried is None
    assert _counts(found, "T-15") == {}


@pytest.mark.parametrize(
    ("packs", "expected"),
    [
        ([], None),
        ([(0, 5, 7)], (0, 5, 7, 0)),
        ([(0, 11, 7)], None),  # it goes on into the period
        ([(0, 3, 7), (3, 6, 9), (6, 10, 12)], (6, 10, 12, 0)),
        ([(0, 3, 7), (6, 10, 12)], (6, 10, 12, 6)),  # nothing adjoins it
        ([(6, 10, 12), (6, 10, 15)], (6, 10, 15, 6)),  # made again later: what is known now
    ],
)
def test_pack_before_is_the_last_that_ends_in_time(
    packs: list[tuple[int, int, int]], expected: tuple[int, int, int, int] | None
) -> None:
    found = last_before([Earlier(start, end, size, start) for start, end, size in packs], 10)
    assert found == (Earlier(*expected) if expected else None)
