"""The bytes of an entry: one way to write each value, and no other bytes are read."""

import json
import math
import struct
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from audit.log.canonical import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, encode, parse_entry
from audit.log.errors import EncodeError, EntryTooLarge, ParseError
from tests.audit.log.strategies import bodies

VECTORS = json.loads((Path(__file__).parent / "vectors" / "rfc8785.json").read_text())["vectors"]


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


EDGES = '\ud7ff\ue000\uf8ff\ufb33\ufffd\uffff\U00010000\U0001f600\U0010ffff\x7f\x80\xe9\u20ac\u2028aZ"\\\n'
"""Around the surrogates: by code points U+E000 to U+FFFF come before the astral planes, by UTF-16 units after them."""
EDGE_KEYS = st.text(st.sampled_from(EDGES), max_size=3)
EDGE_BODIES = st.dictionaries(
    EDGE_KEYS,
    st.recursive(
        st.text(st.sampled_from(EDGES) | st.characters(exclude_categories=["Cs"]), max_size=4) | st.integers(-MAX_INTEGER, MAX_INTEGER),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(EDGE_KEYS | st.sampled_from("abc"), inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)  # fmt: skip
ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def written(value: Any) -> str:
    """Sections 3.2.2 and 3.2.3 word for word: slow, plain, and no code of ours."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{written(key)}:{written(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(ESCAPES.get(each) or (f"\\u{ord(each):04x}" if each < " " else each) for each in value) + '"'


@given(EDGE_BODIES)
@example({"\uffff": 1, "\U00010000": {"\ue000": 2, "\U0010ffff": 3, "a": 4}})
@example({"a": [{"\ufb33": 1, "\U0001f600": 2}, {"b": 3}], "b": {"c": 4}})
def test_bytes_with_keys_around_the_surrogates_are_those_of_rfc_8785(body: dict[str, Any]) -> None:
    assert encode(body) == rfc8785.dumps(body)
    assert encode(body) == written(body).encode()


@given(st.integers(-MAX_INTEGER, MAX_INTEGER))
@example(0)
@example(MAX_INTEGER)
@example(-MAX_INTEGER)
def test_integers_are_written_as_rfc_8785_writes_numbers(number: int) -> None:
    assert encode({"a": number}) == rfc8785.dumps({"a": float(number)})


PLAIN_KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
TEXTS = st.text(max_size=30)
ASCII_BODIES = st.dictionaries(
    PLAIN_KEYS,
    st.recursive(
        TEXTS | st.integers(-MAX_INTEGER, MAX_INTEGER),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN_KEYS, inner, max_size=4),
        max_leaves=20,
    ),
    max_size=6,
)


@given(ASCII_BODIES)
@example({chr(number): chr(number) for number in range(160)})
@example({"a": "\u2028\u2029\ufeff\ufffe\U0001f600\u202e</script>"})
def test_bytes_are_those_of_an_implementation_of_rfc_8785(body: dict[str, Any]) -> None:
    assert encode(body) == rfc8785.dumps(body)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors_of_rfc_8785_are_written_and_those_with_other_values_refused(vector: dict[str, str]) -> None:
    """Of `values` and `arrays` what an entry may hold; fractions, truth values and nothing are refused, as is 56.0 for 56."""
    given, wanted = json.loads(vector["input"]), json.loads(vector["output"])
    whole = vector["name"] in ("french", "unicode", "weird")
    with nullcontext() if whole else pytest.raises(EncodeError):
        assert encode({"kept": given}) == f'{{"kept":{vector["output"]}}}'.encode()
    in_its_order = json.dumps(_of_the_log(wanted), ensure_ascii=False, separators=(",", ":"))
    assert encode({"kept": _of_the_log(given)}) == f'{{"kept":{in_its_order}}}'.encode()
    assert parse_entry(f'{{"kept":{in_its_order}}}'.encode())["kept"] == _of_the_log(wanted)


def _of_the_log(value: Any) -> Any:
    """Without what no entry holds, in the order in which it stands there."""
    if isinstance(value, dict):
        return {key: _of_the_log(each) for key, each in value.items() if _holds(each)}
    if isinstance(value, list):
        return [_of_the_log(each) for each in value if _holds(each)]
    return int(value) if isinstance(value, float) else value


def _holds(value: Any) -> bool:
    return not (value is None or isinstance(value, bool) or (isinstance(value, float) and value != 56))


# The samples of appendix B, as the bits of a double: no fraction is of the log, however whole it is.
DOUBLES = [
    "0000000000000000", "8000000000000000", "0000000000000001", "8000000000000001", "7fefffffffffffff", "ffefffffffffffff",
    "4340000000000000", "c340000000000000", "4430000000000000", "7fffffffffffffff", "7ff0000000000000", "44b52d02c7e14af5",
    "44b52d02c7e14af6", "44b52d02c7e14af7", "444b1ae4d6e2ef4e", "444b1ae4d6e2ef4f", "444b1ae4d6e2ef50", "3eb0c6f7a0b5ed8c",
    "3eb0c6f7a0b5ed8d", "41b3de4355555553", "41b3de4355555554", "41b3de4355555555", "41b3de4355555556", "41b3de4355555557",
    "becbf647612f3696", "43143ff3c1cb0959",
]  # fmt: skip


@pytest.mark.parametrize("bits", DOUBLES)
def test_numbers_of_rfc_8785_that_are_fractions_are_refused(bits: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    with pytest.raises(EncodeError):
        encode({"a": number})
    if math.isfinite(number) and number:
        with pytest.raises(ParseError):
            parse_entry(rfc8785.dumps({"a": number}))


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
