"""Nobody judges what concerns them, whoever can judge is found, and the work is shared evenly: over random organisations."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.campaigns.assigning import assign, concerned

PEOPLE = tuple("abcdefgh")


@dataclass(frozen=True)
class House:
    """Who reports to whom, who attests in which rank, and the rights: holder, who proposed it, who approved it."""

    manager: dict[str, str]
    ranks: tuple[tuple[str, ...], ...]
    rights: tuple[tuple[str, str, str], ...]
    busy: dict[str, int]

    def lines(self) -> dict[str, frozenset[str]]:
        return {
            f"{number:02d}": concerned(holder, hands, (each for each, boss in self.manager.items() if boss == holder))
            for number, (holder, *hands) in enumerate(self.rights)
        }


def houses(most: int = 12, ranks: int = 3, people: tuple[str, ...] = PEOPLE) -> st.SearchStrategy[House]:
    somebody = st.sampled_from(people)
    return st.builds(
        House,
        manager=st.dictionaries(somebody, somebody, max_size=6).map(lambda found: {a: b for a, b in found.items() if a != b}),
        ranks=st.lists(st.lists(somebody, max_size=4).map(tuple), max_size=ranks).map(tuple),
        rights=st.lists(st.tuples(somebody, somebody, somebody), max_size=most).map(tuple),
        busy=st.dictionaries(somebody, st.integers(0, 4), max_size=4),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(houses())
def test_no_line_goes_to_who_is_concerned(house: House) -> None:
    """Said anew, from the organisation and not from what the assigner was told."""
    for key, judge in assign(house.lines(), house.ranks, house.busy).items():
        holder, proposed, approved = house.rights[int(key)]
        assert judge not in (holder, proposed, approved)
        assert judge is None or house.manager.get(judge) != holder
        assert judge is None or any(judge in rank for rank in house.ranks)


@settings(max_examples=300, deadline=None)
@given(houses())
def test_judge_is_found_wherever_there_is_one_and_in_the_first_rank_that_has_one(house: House) -> None:
    lines, ranks = house.lines(), house.ranks
    for key, judge in assign(lines, ranks, house.busy).items():
        free = [[each for each in rank if each not in lines[key]] for rank in ranks]
        first = next((each for each in free if each), None)
        assert (judge is None) == (first is None)
        assert first is None or judge in first


def all_ways(lines: dict[str, frozenset[str]], rank: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield from product(*([each for each in dict.fromkeys(rank) if each not in out] for out in lines.values()))


@settings(max_examples=150, deadline=None)
@given(houses(most=6, ranks=1, people=PEOPLE[:5]))
def test_no_other_way_is_more_even(house: House) -> None:
    """Held against every possible way. The sum of squares is least exactly where the loads are as even as can be."""
    rank = house.ranks[0] if house.ranks else ()
    lines = {key: out for key, out in house.lines().items() if set(rank) - out}

    def unevenness(judges: Iterator[str | None] | tuple[str | None, ...]) -> int:
        loads = Counter({each: house.busy.get(each, 0) for each in dict.fromkeys(rank)})
        loads.update(each for each in judges if each)
        return sum(load * load for load in loads.values())

    found = unevenness(tuple(assign(lines, [rank], house.busy).values()))
    assert found == min(unevenness(way) for way in all_ways(lines, rank))


@given(houses(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_in_which_lines_come_changes_nothing(house: House, chance: object) -> None:
    lines = list(house.lines().items())
    chance.shuffle(lines)  # type: ignore[attr-defined]  # random.Random, which the stubs call object
    assert assign(dict(lines), house.ranks, house.busy) == assign(house.lines(), house.ranks, house.busy)


@pytest.mark.parametrize(
    ("lines", "ranks", "judges"),
    [
        ({"1": "", "2": ""}, ["ab", "c"], ["a", "b"]),
        ({"1": "a", "2": ""}, ["a", "b"], ["b", "a"]),
        ({"1": "ab"}, ["ab"], [None]),
        ({"1": "a", "2": "b"}, ["ab", "c"], ["b", "a"]),
        ({"1": "", "2": "", "3": "b", "4": "b"}, ["ab"], ["b", "b", "a", "a"]),
        ({}, ["ab"], []),
        ({"1": ""}, [], [None]),
    ],
)
def test_small_houses(lines: dict[str, str], ranks: list[str], judges: list[str | None]) -> None:
    asked = {key: frozenset(out) for key, out in lines.items()}
    assert list(assign(asked, [tuple(rank) for rank in ranks]).values()) == judges
