"""Addresses, and what servers say, as they may be said, logged and stored. No Django.

Without the name and password that an operator may write into an address, and with nothing in it that a terminal would obey or a file of lines
would take for the end of one.
"""

import base64
import re
from urllib.parse import unquote, urlsplit, urlunsplit

# Up to the last @ before a blank: a password may hold an @, or a slash that nobody escaped.
_WHO = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,40}://)[^\s@/?#]*(?:@[^\s@/?#]*)*@|([A-Za-z][A-Za-z0-9+.-]{0,40}://)[^\s@:]*:[^\s@]*@"
)
_WORD = re.compile(r"([?&\s;](?:ssl)?(?:password|secret|token|api_?key|access_?key)=)[^\s&;]+", re.IGNORECASE)


# Unicode's bidirectional controls (UAX #9) and characters that take no room: they make a line read differently from what it says.
HIDDEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
_HARMFUL = re.compile(f"[\x00-\x1f\x7f-\x9f{HIDDEN}\u2028\u2029\ud800-\udfff]")


def spoken(text: str) -> str:
    """A text with every address in it as it may be said, in one line: no user info, no password or token behind the question mark.

    A control character is written as its number, ``[U+001B]``.
    """
    return harmless(_WORD.sub(r"\1…", re.sub(r"\S+", _without_who, text)))


def harmless(text: str) -> str:
    """A text that a terminal shows as it is, all else of it untouched."""
    return _HARMFUL.sub(number, text)


def number(found: re.Match[str]) -> str:
    """Of a character that is not shown as it is."""
    return f"[U+{ord(found[0]):04X}]"


def _without_who(word: re.Match[str]) -> str:
    """Looked at up to its last @ alone, so that no line of a server takes longer than its length: an expression holds the whole process."""
    head, at, rest = word[0].rpartition("@")
    return _WHO.sub(lambda found: f"{found[1] or found[2]}…@", head + at) + rest


def apart(address: str) -> tuple[str, dict[str, str]]:
    """An address (http or https) without its user info, and the header (RFC 7617) that says it to the server and to nobody else.

    Raises:
        ValueError: It is no address; what it says of it is fit to be said.
    """
    try:
        parts = urlsplit(address)
        name, password, _ = parts.username, parts.password, parts.port
    except ValueError:
        raise ValueError(f"{spoken(address)} is no address of a server.") from None
    if name is None:
        return address, {}
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    said = f"{unquote(name)}:{unquote(password or '')}".encode()
    return bare, {"Authorization": f"Basic {base64.b64encode(said).decode()}"}
