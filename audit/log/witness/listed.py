"""The witnesses that this log is shown to, each required or optional."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from audit.log.cosignature import CosignerKey, parse_cosigner_key
from audit.log.errors import ParseError

REQUIRED, OPTIONAL, RETIRED = "required", "optional", "retired"


@dataclass(frozen=True)
class Listed:
    """One witness: its key, where it is asked, and whether a checkpoint without it counts as witnessed."""

    key: CosignerKey
    address: str
    required: bool


def parse_witnesses(text: str) -> tuple[Listed, ...]:
    """Read a setting: one witness a line (or between semicolons), ``required KEY ADDRESS`` or ``optional KEY ADDRESS``.

    ``retired KEY`` lists a key that is asked no more, so that its kept lines can be judged; `known_keys` has these as well.

    Raises:
        ParseError: A line is anything else, or a witness stands there twice.
    """
    return tuple(each for each in _parse_all(text) if isinstance(each, Listed))


def known_keys(text: str) -> tuple[CosignerKey, ...]:
    """The keys of all witnesses that the setting lists, those that are asked no more among them.

    Raises:
        ParseError: See `parse_witnesses`.
    """
    return tuple(each.key if isinstance(each, Listed) else each for each in _parse_all(text))


def _parse_all(text: str) -> tuple[Listed | CosignerKey, ...]:
    lines = [line.split() for line in text.replace(";", "\n").split("\n") if line.strip()]
    found = tuple(_parse(words) for words in lines)
    names = [each.key.name for each in found if isinstance(each, Listed)]  # a new key may have the name of the old one
    keys = [(each.key if isinstance(each, Listed) else each).public for each in found]
    if len(set(names)) != len(names) or len(set(keys)) != len(keys):
        raise ParseError("A witness is listed twice.")
    return found


def _parse(words: Sequence[str]) -> Listed | CosignerKey:
    if len(words) == 2 and words[0] == RETIRED:
        return parse_cosigner_key(words[1])
    if len(words) != 3 or words[0] not in (REQUIRED, OPTIONAL):
        raise ParseError("A witness is listed as: required or optional, its key, its address; or as: retired, its key.")
    try:
        parts = urlsplit(words[2])
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if not whole:
        raise ParseError("The address of a witness begins with http:// or https://, and its port is a number.")
    return Listed(parse_cosigner_key(words[1]), words[2], words[0] == REQUIRED)
