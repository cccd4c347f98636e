"""Hands for grants' processes: a system that hangs keeps few of them, nothing is begun twice, errors free their lane."""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from portal.grants.lanes import FOR_ONE, Lanes, Work, wait_for

HANGING, OTHER = (uuid.uuid4(), "end"), (uuid.uuid4(), "end")


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def nothing() -> None:
    pass


def test_system_that_hangs_leaves_hands_for_others(gate: threading.Event) -> None:
    lanes, seen = Lanes(), Counter[str]()

    def hang(_: uuid.UUID) -> None:
        seen["begun"] += 1
        gate.wait(20)

    stuck = lanes.begin([Work(uuid.uuid4(), HANGING, hang) for _ in range(100)], nothing)
    others = lanes.begin([Work(uuid.uuid4(), OTHER, lambda _: seen.update(["done"])) for _ in range(30)], nothing)
    wait_for(others, 10)
    assert (seen["done"], len(stuck), seen["begun"] <= FOR_ONE) == (30, FOR_ONE, True)
    assert [future.done() for future in stuck] == [False] * FOR_ONE


def test_systems_that_hang_leave_half_of_the_hands_for_those_that_have_none(gate: threading.Event) -> None:
    lanes, seen = Lanes(count=8), Counter[str]()
    begun = []
    for _ in range(4):
        kind = (uuid.uuid4(), "end")
        begun.append(
            len(lanes.begin([Work(uuid.uuid4(), kind, lambda _: bool(gate.wait(20))) for _ in range(9)], nothing))
        )
    works = [Work(uuid.uuid4(), OTHER, lambda _: seen.update(["done"])) for _ in range(9)]
    wait_for(lanes.begin(works, nothing), 10)
    assert (begun, seen["done"]) == ([4, 1, 1, 1], 9)


def test_nothing_is_taken_up_without_a_free_hand(gate: threading.Event) -> None:
    lanes, one, other = Lanes(count=1), uuid.uuid4(), uuid.uuid4()
    first = lanes.begin([Work(one, HANGING, lambda _: bool(gate.wait(20)))], nothing)
    assert lanes.begin([Work(other, OTHER, lambda _: None)], nothing) == []
    assert lanes.going == {one}
    gate.set()
    wait_for(first, 10)
    assert len(lanes.begin([Work(other, OTHER, lambda _: None)], nothing)) == 1


def test_grant_at_work_is_not_begun_twice(gate: threading.Event) -> None:
    lanes, grant = Lanes(), uuid.uuid4()
    begun = Counter[uuid.UUID]()

    def run(pk: uuid.UUID) -> None:
        begun[pk] += 1
        gate.wait(20)

    first = lanes.begin([Work(grant, OTHER, run)], nothing)
    assert lanes.begin([Work(grant, OTHER, run)], nothing) == []
    gate.set()
    wait_for(first, 10)
    wait_for(lanes.begin([Work(grant, OTHER, run)], nothing), 10)
    assert begun == {grant: 2}


def test_error_frees_the_lane_and_what_was_in_it() -> None:
    lanes, closed = Lanes(), Counter[str]()

    def fail(_: uuid.UUID) -> None:
        raise ValueError

    works = [Work(uuid.uuid4(), OTHER, fail) for _ in range(20)]
    wait_for(lanes.begin(works, lambda: closed.update(["closed"])), 10)
    assert (lanes.going, +lanes.busy, closed["closed"]) == (set(), Counter(), FOR_ONE)
