"""Figures on how lines were judged: each on its threshold and beyond, from plain rows."""

from dataclasses import replace

import pytest

from portal.campaigns.figures import limits
from portal.campaigns.signals import Judged, Sitting, seconds_each, sittings

LIMITS = limits()
KEPT = Judged("mo", 0, 0, kept=True, reason="", risk="plain", opened=False)


def rows(count: int, each_s: float, **changes: object) -> list[Judged]:
    """So many lines, all on the screen at 0, decided one after another."""
    made = replace(KEPT, **changes)  # type: ignore[arg-type]  # fields of the row
    return [replace(made, decided_at=int((number + 1) * each_s * 1000)) for number in range(count)]


def beyond(found: list[Judged]) -> set[str]:
    (one,) = sittings(found, LIMITS, "high")
    return {figure.name for figure in one.figures if figure.beyond}


SPEED = {"Time for each line, median", "Kept"}
SAME, OPENED, SHORT, MIXED = (
    "Lines with the same words", "Evidence of high risk never opened", "Shortest time for a line of high risk", "Lines of mixed risk kept together",
)  # fmt: skip


def test_limits_are_the_catalogues() -> None:
    assert (LIMITS.stamp_min_items, LIMITS.stamp_keep_rate, LIMITS.stamp_seconds, LIMITS.stamp_same_comment) == (
        10,
        0.95,
        5,
        5,
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (rows(10, 4.9), SPEED),
        (rows(10, 5), set()),
        (rows(9, 1), set()),
        (rows(9, 1) + rows(1, 1, kept=False), set()),
        (rows(4, 9, reason="ok"), set()),
        (rows(5, 9, reason="ok"), {SAME}),
        (rows(5, 9), set()),
        (rows(1, 60, risk="high"), {OPENED}),
        (rows(1, 60, risk="high", opened=True), set()),
        (rows(1, 4, risk="high", opened=True), {SHORT}),
        ([*rows(1, 60, bulk="b"), *rows(1, 60, bulk="b", risk="raised")], {MIXED}),
        (rows(3, 60, bulk="b"), set()),
        (rows(12, 1.6, risk="high", reason="ok"), {*SPEED, SAME, OPENED, SHORT}),
    ],
)
def test_figure_lies_beyond_what_it_is_held_against(found: list[Judged], said: set[str]) -> None:
    assert beyond(found) == said


def test_lines_kept_together_take_the_time_of_one() -> None:
    together = [replace(KEPT, decided_at=20_000, bulk="b") for _ in range(40)]
    assert sorted(seconds_each(together).values()) == [0.0] * 39 + [20.0]
    assert beyond(together) == SPEED


def test_each_judge_has_a_sitting_and_those_with_signals_stand_first() -> None:
    calm, fast = rows(12, 60), rows(12, 1, judge="kim")
    found: list[Sitting] = sittings([*calm, *fast], LIMITS, "high")
    assert [(each.judge, each.signals > 0) for each in found] == [("kim", True), ("mo", False)]
    assert sittings([], LIMITS, "high") == []
