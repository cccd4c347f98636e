"""The change of the log's key: the next one is announced while the old one signs, and the old one is closed where it signed last."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from audit.log.checkpoint import parse_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.models import StoredCheckpoint
from audit.log.note import VerifierKey, verify_note


def announced(keys: Sequence[VerifierKey], following: VerifierKey, size: int) -> tuple[VerifierKey, ...]:
    """The keys with the next one, valid from the present size on; the old one stays open until the sealer has changed."""
    return (*keys, replace(following, first=size))


def retired(keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys, with each open one closed at the last stored checkpoint that it signed, apart from that which signed last.

    A key that has signed nothing is the next one and stays as it is.
    """
    left = {key for key in keys if key.last is None}
    ends: dict[VerifierKey, int] = {}
    for size, signers in _signed(keys):
        for key in signers & left:
            ends[key] = size
        left -= signers
        if not left:
            break
    newest = max(ends.values(), default=0)
    return tuple(replace(key, last=ends[key]) if ends.get(key, newest) < newest else key for key in keys)


def _signed(keys: Sequence[VerifierKey]) -> Iterator[tuple[int, set[VerifierKey]]]:
    """The stored checkpoints from the last one back: their size and who signed them."""
    rows = StoredCheckpoint.objects.order_by("-size").values_list("size", "note")
    for size, text in rows.iterator(chunk_size=2000):
        try:
            yield size, set(verify_note(parse_checkpoint(text.encode()).note, keys))
        except (ParseError, NotVerified):
            continue
