"""Bars as numbers: in the picture, as high as their values, and none for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.charts.drawing import FOOT, HEIGHT, LEFT, TOP, WIDTH, Series, bars

VALUES = st.one_of(st.none(), st.floats(0, 1e9, allow_nan=False))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=40), st.booleans())
def test_every_bar_lies_in_the_picture(rows: list[tuple[float | None, float | None]], stacked: bool) -> None:
    first, second = zip(*rows, strict=True)
    chart = bars(
        name="c",
        title="t",
        says="s",
        labels=["x"] * len(rows),
        stacked=stacked,
        series=[Series("a", "a", first), Series("b", "b", second)],
    )
    slack = 0.2
    for bar in chart.bars:
        assert LEFT - slack <= bar.x <= bar.x + bar.width <= WIDTH + slack
        assert TOP - slack <= bar.y <= bar.y + bar.height <= HEIGHT - FOOT + slack


@pytest.mark.parametrize(
    ("highest", "lines"),
    [(0, ["1", "2", "3", "4"]), (4, ["1", "2", "3", "4"]), (5, ["2", "4", "6", "8"]), (7, ["2", "4", "6", "8"]),
     (24, ["10", "20", "30", "40"]), (39, ["10", "20", "30", "40"]), (4000, ["1k", "2k", "3k", "4k"]),
     (4e9, ["1G", "2G", "3G", "4G"])],
)  # fmt: skip
def test_scale_ends_on_a_round_number(highest: float, lines: list[str]) -> None:
    chart = bars(name="c", title="t", says="s", labels=["x"], series=[Series("a", "a", [highest])])
    assert [line.text for line in chart.lines] == lines


def test_stack_stands_on_what_is_below() -> None:
    chart = bars(
        name="c",
        title="t",
        says="s",
        labels=["x"],
        stacked=True,
        series=[Series("a", "a", [2]), Series("b", "glass", [2])],
    )
    low, high = chart.bars
    assert (low.y, low.y + low.height, high.y, high.look) == (high.y + high.height, HEIGHT - FOOT, TOP, "glass")


def test_labels_that_have_no_room_are_left_out_but_never_the_last() -> None:
    chart = bars(
        name="c", title="t", says="s", labels=[str(number) for number in range(36)], series=[Series("a", "a", [1] * 36)]
    )
    assert [label.text for label in chart.labels] == [str(number) for number in range(2, 36, 3)]


def test_of_tens_the_small_stand_beside_the_huge_and_the_scale_is_said() -> None:
    chart = bars(
        name="c", title="t", says="s", labels=list("abcd"), tens=True, series=[Series("a", "a", [1, 10, 25_000, None])]
    )
    low, second, huge = chart.bars
    at = {line.text: line.at for line in chart.lines}
    assert list(at) == ["1", "10", "100", "1k", "10k", "100k"]
    assert (low.y, second.y) == (at["1"], at["10"])
    assert at["100k"] < huge.y < at["10k"]
    assert chart.note == "Each line is ten times the one below it."


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9, allow_nan=False)), min_size=1, max_size=12))
def test_every_bar_of_tens_lies_in_the_picture_and_a_greater_one_is_no_lower(values: list[float | None]) -> None:
    chart = bars(
        name="c", title="t", says="s", labels=["x"] * len(values), series=[Series("a", "a", values)], tens=True
    )
    counted = [value for value in values if value and value >= 1]
    assert len(chart.bars) == len(counted)
    assert all(TOP - 0.2 <= bar.y <= HEIGHT - FOOT for bar in chart.bars)
    ordered = sorted(zip(counted, chart.bars, strict=True), key=lambda pair: pair[0])
    heights = [bar.height for _, bar in ordered]
    assert heights == sorted(heights)


def test_bar_that_is_alone_stands_in_the_middle_and_fills_no_picture() -> None:
    (bar,) = bars(name="c", title="t", says="s", labels=["x"], stacked=True, series=[Series("a", "a", [1])]).bars
    assert (bar.width, bar.x + bar.width / 2) == (48, (LEFT + WIDTH) / 2)
