"""A personnel list as bytes: read whole, or refused with each line and its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clock import moment
from portal.personnel.reading import LARGEST, BrokenList, Line, parse_list

HEAD = "email,name,unit,manager,left_on,moved_on\n"
UNSEEN = "Line 2: name holds line breaks, control characters or marks that turn the reading order around."

BROKEN = {
    "no head": ("", "Line 1: the head must name the columns email and name; email and name is missing."),
    "no mail column": ("name,unit\nAnn,Ops\n", "Line 1: the head must name the columns email and name; email is missing."),
    "a column twice": ("email,name,email\na@x.y,Ann,b@x.y\n", "Line 1: the column email stands there twice."),
    "nobody": (HEAD, "Line 1: nobody is on this list."),
    "too few cells": ("email,name\na@x.y\n", "Line 2: it has 1 cells, and the head has 2."),
    "no mail address": ("email,name\nann,Ann\n", "Line 2: email is no mail address."),
    "no name": ("email,name\na@x.y,\n", "Line 2: name is empty."),
    "one address twice": ("email,name\na@x.y,Ann\nA@X.Y,Ann\n", "Line 3: the mail address stands in line 2 too."),
    "no day": (HEAD + "a@x.y,Ann,Ops,,2026-02-30,\n", "Line 2: left_on is no day such as 2026-11-30."),
    "a day of another form": (HEAD + "a@x.y,Ann,Ops,,,20261130\n", "Line 2: moved_on is no day such as 2026-11-30."),
    "manager without address": (HEAD + "a@x.y,Ann,Ops,Bob,,\n", "Line 2: manager is no mail address."),
    "a control character": ("email,name\na@x.y,A\x07nn\n", UNSEEN),
    "a name turned around": ("email,name\na@x.y,A\u202enn\n", UNSEEN),
    "a name over two lines": ('email,name\n"a@x.y","A\nnn"\n', UNSEEN),
    "far too long": ("email,name\na@x.y," + "A" * 121 + "\n", "Line 2: name is longer than 120 characters."),
    "an open quotation mark": ('email,name\na@x.y,Ann\n"b@x.y,Ben\n', "Line 3: a quotation mark or a cell has no end, or stands in the wrong place."),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_list_says_which_line_and_why(name: str) -> None:
    content, says = BROKEN[name]
    with pytest.raises(BrokenList) as broken:
        parse_list(content.encode())
    assert broken.value.sentences == [says]


def test_bytes_that_are_no_text_are_named_by_their_line() -> None:
    with pytest.raises(BrokenList, match="Line 2: this is not UTF-8"):
        parse_list(b"email,name\na@x.y,Andr\xe9\n")
    with pytest.raises(BrokenList, match="Line 1: the file is larger than 8 megabytes"):
        parse_list(b"x" * (LARGEST + 1))


def test_every_fault_is_told_up_to_twenty() -> None:
    with pytest.raises(BrokenList) as broken:
        parse_list(("email,name\n" + "nobody,\n" * 25).encode())
    assert len(broken.value.faults) == 20
    assert broken.value.sentences[-1] == "5 more lines have faults."


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_comma_semicolon_and_tab_are_read_alike(delimiter: str, ends: str, mark: str) -> None:
    rows = (("EMail", "cost", "NAME", "left_on"), ("Ann@X.Y", "7", "Ann", "2026-11-30"), ("", "", "", ""))
    read = parse_list((mark + ends.join(delimiter.join(row) for row in rows)).encode())
    assert dict(read.lines) == {"ann@x.y": Line(2, "ann@x.y", "Ann", left_at=moment(1_796_083_200_000))}
    assert (read.left_out, sorted(read.columns)) == (("cost",), ["email", "left_on", "name"])


def test_text_that_looks_like_a_formula_stays_text() -> None:
    read = parse_list(b'email,name\na@x.y,"=HYPERLINK(""https://evil.example"")"\n')
    assert read.lines["a@x.y"].name == '=HYPERLINK("https://evil.example")'


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: ("email,name\n" + text).encode("utf-8", "replace"))
)
def test_any_bytes_are_a_list_or_broken(content: bytes) -> None:
    try:
        read = parse_list(content)
    except BrokenList as broken:
        kept: object = broken.sentences
    else:
        kept = read.lines
    assert kept
