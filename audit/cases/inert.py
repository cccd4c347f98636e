"""Text of others, shown as what it is: control characters and marks that turn the reading order are made visible."""

import re

# Unicode's bidirectional controls (UAX #9) and characters that take no room: they make a line read differently from what it says.
_HIDDEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
_HARMFUL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_HIDDEN}\u2028\u2029\ud800-\udfff]")


def inert(text: str) -> str:
    """Each such character as its number, ``[U+202E]``; line ends and tabs stay. The browser's escaping comes on top."""
    return _HARMFUL.sub(_number, text.replace("\r\n", "\n"))


def one_line(text: str, longest: int = 300) -> str:
    """As `inert`, in one line, cut where it is long."""
    line = inert(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _number(found: re.Match[str]) -> str:
    return f"[U+{ord(found[0]):04X}]"
