"""Makes text of others harmless where it leaves the portal: one line, no control characters, no hidden direction."""

import re

LONGEST = 4_000  # characters of one fact
# Unicode's bidirectional controls (UAX #9): they can make a line read differently from what it says.
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BREAKS = re.compile("[\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029]+")
_HARMFUL = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x9f{BIDI}\ud800-\udfff\ufff9-\ufffb]")


def one_line(text: str, longest: int = LONGEST) -> str:
    """Line breaks become `` / ``, control and direction characters a replacement character, the rest is cut."""
    line = _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", _BREAKS.sub(" / ", text.strip())).replace("\t", " ").strip()
    return line if len(line) <= longest else line[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def unlinked(line: str) -> str:
    """Addresses in it are no longer links in a mail reader; the only link of a mail is the portal's."""
    return line.replace("://", "[:]//")
