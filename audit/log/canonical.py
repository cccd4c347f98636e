"""The bytes of an entry: RFC 8785 JSON of strings, integers, lists and maps, and nothing else.

Two programs that agree on the values agree on the bytes, so a hash can be made again from an export.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import rfc8785

from audit.log.errors import EncodeError, EntryTooLarge, ParseError

MAX_BYTES = 65_535
MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32
# Where all keys are ASCII, the standard library writes the same bytes as RFC 8785, five times as fast: texts are escaped alike, and
# keys sort alike by code points and by UTF-16 units.
PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def encode(body: Mapping[str, Any]) -> bytes:
    """The canonical bytes of an entry.

    Args:
        body: Strings, integers within ±(2^53-1), lists, and maps with string keys, at most 32 deep.

    Raises:
        EncodeError: There is another value in it: a truth value, nothing, a fraction, half of a surrogate pair.
        EntryTooLarge: The bytes are more than 65,535.
    """
    values = dict(body)
    plain = _check_other(values, MAX_DEPTH)
    try:
        data = PLAIN.encode(values).encode() if plain else rfc8785.dumps(values)
    except rfc8785.CanonicalizationError as error:
        raise EncodeError(str(error)) from error
    except UnicodeEncodeError as error:
        raise EncodeError("A key or a text holds half of a surrogate pair.") from error
    if len(data) > MAX_BYTES:
        raise EntryTooLarge(f"The entry has {len(data)} bytes; at most {MAX_BYTES} can be kept.")
    return data


def parse_entry(data: bytes) -> dict[str, Any]:
    """Read the bytes of an entry; only bytes that `encode` would write are accepted.

    Raises:
        ParseError: They are anything else.
    """
    if len(data) > MAX_BYTES:
        raise ParseError(f"An entry has at most {MAX_BYTES} bytes, not {len(data)}.")
    try:
        body = READER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise ParseError("The entry is not JSON of strings, integers, lists and maps.") from error
    if not isinstance(body, dict):
        raise ParseError("An entry is a map.")
    try:
        again = encode(body)
    except EncodeError as error:
        raise ParseError(f"The entry holds what no entry holds. {error}") from error
    if again != data:
        raise ParseError("The entry is not written in canonical form.")
    return body


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not an integer")


READER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)


def _check(values: Iterable[object], depth: int) -> bool:
    """Refuse what is not of the log; whether all keys are ASCII. Texts and integers take no call, as most values are such."""
    plain = True
    for value in values:
        kind = type(value)
        if kind is str:
            continue
        if kind is int:
            _check_integer(value)  # type: ignore[arg-type]  # mypy does not narrow by `type(...) is`
        else:
            plain = _check_other(value, depth) and plain
    return plain


def _check_other(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return True
    if isinstance(value, int) and not isinstance(value, bool):
        return _check_integer(value)
    if not isinstance(value, dict | list | tuple):
        raise EncodeError(f"A value of type {type(value).__name__} cannot be kept.")
    if depth == 0:
        raise EncodeError(f"Lists and maps are nested more than {MAX_DEPTH} deep.")
    if not isinstance(value, dict):
        return _check(value, depth - 1)
    try:
        plain = "".join(value).isascii()
    except TypeError as error:
        raise EncodeError("A key of a map is a string.") from error
    return _check(value.values(), depth - 1) and plain


def _check_integer(value: int) -> bool:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise EncodeError("An integer is outside of ±(2^53-1).")
    return True
