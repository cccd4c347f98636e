"""The witnesses that this log is shown to, each required or optional."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from audit.log.cosignature import CosignerKey, parse_cosigner_key
from audit.log.errors import ParseError

REQUIRED, OPTIONAL = "required", "optional"


@dataclass(frozen=True)
class Listed:
    """One witness: its key, where it is asked, and whether a checkpoint without it counts as witnessed."""

    key: CosignerKey
    address: str
    required: bool


def parse_witnesses(text: str) -> tuple[Listed, ...]:
    """Read a setting: one witness a line (or between semicolons), ``required KEY ADDRESS`` or ``optional KEY ADDRESS``.

    Raises:
        ParseError: A line is anything else, or a witness stands there twice.
    """
    lines = [line.split() for line in text.replace(";", "\n").split("\n") if line.strip()]
    found = tuple(_parse(words) for words in lines)
    if len({each.key.name for each in found}) != len(found) or len({each.key.public for each in found}) != len(found):
        raise ParseError("A witness is listed twice.")
    return found


def _parse(words: Sequence[str]) -> Listed:
    if len(words) != 3 or words[0] not in (REQUIRED, OPTIONAL):
        raise ParseError("A witness is listed as: required or optional, its key, its address.")
    try:
        parts = urlsplit(words[2])
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if not whole:
        raise ParseError("The address of a witness begins with http:// or https://, and its port is a number.")
    return Listed(parse_cosigner_key(words[1]), words[2], words[0] == REQUIRED)
