"""One row's trouble does not stop the others."""

import logging

import pytest

from portal.errors import WrongState
from portal.sweeping import attempt, done, true_of


def refuse(*, row: int) -> None:
    raise WrongState(f"Row {row} is done.", about=None)


def stumble(*, row: int) -> None:
    raise ZeroDivisionError(str(row))


def nothing(row: int) -> None:
    """Gives nothing, and is done."""


def test_what_goes_through_counts_and_gives_what_it_gives() -> None:
    assert (attempt("rows", abs, -3), attempt("rows", nothing, 1), done("rows", nothing, 1)) == (
        (True, 3),
        (True, None),
        1,
    )


@pytest.mark.parametrize(
    ("act", "level", "says"),
    [(refuse, logging.INFO, "rows: Row 7 is done."), (stumble, logging.ERROR, "rows: broken off, tried again")],
)
def test_refusals_and_trouble_are_told_and_count_as_nothing(
    caplog: pytest.LogCaptureFixture, act: object, level: int, says: str
) -> None:
    caplog.set_level(logging.INFO, "breakglass.sweep")
    assert callable(act)
    assert (attempt("rows", act, row=7), done("rows", act, row=7)) == ((False, None), 0)
    assert {(each.levelno, each.message) for each in caplog.records} == {(level, says)}


def test_what_cannot_be_found_out_is_not_so() -> None:
    assert [true_of("rows", ask, 0) for ask in (str, bool, (1).__floordiv__, abs)] == [True, False, False, False]
    with pytest.raises(ZeroDivisionError):
        (1).__floordiv__(0)
