"""The simulated target's log: strict lines, counted like a real one's."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.records import LossFound, SessionEnded
from audit.sources.simulated.sessions import Fold, Line, ParseError, parse_line


def line(**changes: Any) -> bytes:
    return json.dumps(
        {"session": "s-1", "line": 1, "marker": "bg_1", "kind": "connect", "at_ms": 5, **changes}
    ).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        line(line=0),
        line(kind="other"),
        line(kind="statement", **{"class": "reading"}),
        line(kind="statement", outcome="good"),
        line(line="1"),
    ],
)
def test_what_is_no_line_is_refused(raw: bytes) -> None:
    with pytest.raises(ParseError):
        parse_line(raw)


@given(st.binary())
def test_any_bytes_give_a_line_or_the_one_error(raw: bytes) -> None:
    with contextlib.suppress(ParseError):
        assert isinstance(parse_line(raw), Line)


@pytest.mark.parametrize("gone", [1, 2, 3, 4])
def test_each_line_that_is_gone_is_named_or_leaves_the_session_open(gone: int) -> None:
    kinds = {1: "connect", 2: "statement", 3: "statement", 4: "disconnect"}
    found = Fold().read(line(line=number, kind=kind) for number, kind in kinds.items() if number != gone)
    lost = [(each.from_number, each.to_number) for each in found if isinstance(each, LossFound)]
    ended = [(each.state, each.missing) for each in found if isinstance(each, SessionEnded)]
    assert (lost, ended) == (([(gone, gone)], [("gap", ((gone, gone),))]) if gone < 4 else ([], []))
