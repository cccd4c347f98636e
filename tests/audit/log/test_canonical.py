"""The bytes of an entry: one way to write each value, and no other bytes are read."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from audit.log.canonical import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, encode, parse_entry
from audit.log.errors import EncodeError, EntryTooLarge, ParseError
from tests.audit.log.strategies import bodies


@given(bodies)
def test_entry_read_again_is_the_value_written(body: dict[str, Any]) -> None:
    assert parse_entry(encode(body)) == body


@given(bodies)
def test_keys_are_sorted_by_utf16_units(body: dict[str, Any]) -> None:
    keys = list(json.loads(encode(body)))
    assert keys == sorted(body, key=lambda key: key.encode("utf-16-be"))


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"[" * 60_000)
@example(b'{"a":' * 10_000)
@example(b'{"a":' + b"9" * 5_000 + b"}")
def test_any_bytes_are_an_entry_or_a_parse_error(data: bytes) -> None:
    try:
        body = parse_entry(data)
    except ParseError:
        return
    assert encode(body) == data


PLAIN_KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
TEXTS = st.text(max_size=30)
ASCII_BODIES = st.dictionaries(
    PLAIN_KEYS,
    st.recursive(
        TEXTS | st.integers(-MAX_INTEGER, MAX_INTEGER),
        lambda inner: st.lists(inner) | st.dictionaries(PLAIN_KEYS, inner),
    ),
)


@given(ASCII_BODIES)
@example({chr(number): chr(number) for number in range(160)})
@example({"a": "\u2028\u2029\ufeff\ufffe\U0001f600\u202e</script>"})
def test_bytes_are_those_of_an_implementation_of_rfc_8785(body: dict[str, Any]) -> None:
    assert encode(body) == rfc8785.dumps(body)


def test_encode_writes_the_known_bytes() -> None:
    body = {"name": "request.approved", "at": 1790000000000, "fields": {"ö": "\n\u2028", "a": [-1, "\x7f"]}, "v": 1}
    written = '{"at":1790000000000,"fields":{"a":[-1,"\x7f"],"ö":"\\n\u2028"},"name":"request.approved","v":1}'
    assert encode(body) == written.encode()


def test_encode_writes_the_sorting_example_of_rfc_8785() -> None:
    keys = ["€", "\r", "\ufb33", "1", "😀", "\x80", "ö"]
    assert list(json.loads(encode(dict.fromkeys(keys, 1)))) == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        "\ud800",
        b"bytes",
        {1: "a"},
        {None: "a"},
        {"\udfff": 1},
        {"a"},
        [1, [2, [True]]],
        {"a": {"b": None}},
        object(),
    ],
    ids=lambda value: "object" if type(value) is object else repr(value),
)
def test_encode_refuses_a_value_that_is_not_of_the_log(value: object) -> None:
    assert encode({"kept": "a"}) == b'{"kept":"a"}'
    with pytest.raises(EncodeError):
        encode({"kept": "a", "value": value})


def test_encode_keeps_the_largest_integers() -> None:
    assert encode({"a": [MAX_INTEGER, -MAX_INTEGER]}) == b'{"a":[9007199254740991,-9007199254740991]}'


def test_encode_refuses_one_byte_too_many() -> None:
    largest = {"a": "x" * (MAX_BYTES - len(b'{"a":""}'))}
    assert len(encode(largest)) == MAX_BYTES
    with pytest.raises(EntryTooLarge):
        encode({"a": largest["a"] + "x"})


def test_nesting_ends_at_the_bound() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert parse_entry(encode({"a": value[0]})) == {"a": value[0]}
    with pytest.raises(EncodeError):
        encode({"a": value})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1",
        b"[]",
        b'"a"',
        b'{"a":1} ',
        b' {"a":1}',
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":01}',
        b'{"a":true}',
        b'{"a":null}',
        b'{"a":NaN}',
        b'{"a":9007199254740992}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\u000A"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"' + b"x" * MAX_BYTES + b'"}',
    ],
    ids=lambda data: repr(data[:24]),
)
def test_parse_entry_refuses_another_way_of_writing(data: bytes) -> None:
    with pytest.raises(ParseError):
        parse_entry(data)
