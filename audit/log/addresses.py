"""Addresses as they may be said, logged and stored: without the name and password that an operator may write into one. No Django."""

import base64
import re
from urllib.parse import unquote, urlsplit, urlunsplit

# Up to the last @ before a blank: a password may hold an @, or a slash that nobody escaped.
_WHO = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,40}://)[^\s@/?#]*(?:@[^\s@/?#]*)*@|([A-Za-z][A-Za-z0-9+.-]{0,40}://)[^\s@:]*:[^\s@]*@"
)
_WORD = re.compile(r"([?&\s;](?:ssl)?(?:password|secret|token|api_?key|access_?key)=)[^\s&;]+", re.IGNORECASE)


def spoken(text: str) -> str:
    """A text with every address in it as it may be said: no user info, no password or token behind the question mark."""
    return _WORD.sub(r"\1…", re.sub(r"\S+", _without_who, text))


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
