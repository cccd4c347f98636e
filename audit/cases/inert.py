"""Text of others, shown as what it is: control characters and marks that turn the reading order are made visible."""

import re

from audit.log.addresses import HIDDEN, number

_HARMFUL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{HIDDEN}\u2028\u2029\ud800-\udfff]")


def inert(text: str) -> str:
    """Each such character as its number, ``[U+202E]``; line ends and tabs stay. The browser's escaping comes on top."""
    return _HARMFUL.sub(number, text.replace("\r\n", "\n"))


def one_line(text: str, longest: int = 300) -> str:
    """As `inert`, in one line, cut where it is long."""
    line = inert(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"
