"""How a target judges a parser: what is read is written the same, or it was refused with its own one error."""

import contextlib
from collections.abc import Callable
from typing import Any

from audit.log.errors import ParseError

Target = Callable[[bytes], None]


def written_again(again: Callable[[bytes], bytes]) -> Target:
    """Of a strict format: what is read is written the same."""

    def target(data: bytes) -> None:
        try:
            written = again(data)
        except ParseError:
            return
        assert written == data

    return target


def text_written_again(again: Callable[[str], str]) -> Target:
    """The same for what is text by the time that it is read."""

    def target(data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        try:
            written = again(text)
        except ParseError:
            return
        assert written == text

    return target


def read_or_refused(read: Callable[[bytes], Any], *refusals: type[Exception]) -> Target:
    """Of what is not written again: a value, or one of these errors."""

    def target(data: bytes) -> None:
        with contextlib.suppress(*refusals):
            read(data)

    return target
