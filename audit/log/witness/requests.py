"""The body of a request for a cosignature: ``old`` size, proof, checkpoint (C2SP tlog-witness, add-checkpoint)."""

from dataclasses import dataclass

from audit.log.checkpoint import SignedCheckpoint, parse_checkpoint, parse_hash, parse_size
from audit.log.errors import ParseError
from audit.log.note import to_base64

MAX_PATH = 63
MAX_BYTES = 65_536  # 64 lines of proof and a note of a few signatures are far below


@dataclass(frozen=True)
class Request:
    """What is asked: to cosign the checkpoint, which the path proves to have grown from ``old`` entries. Not believed yet."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: SignedCheckpoint


def write_request(old: int, path: tuple[bytes, ...], note: bytes) -> bytes:
    """The bytes of a request."""
    lines = [f"old {old}", *(to_base64(each) for each in path)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note


def parse_request(data: bytes) -> Request:
    """Read a request without believing it.

    Raises:
        ParseError: The bytes are none.
    """
    if len(data) > MAX_BYTES:
        raise ParseError(f"A request has at most {MAX_BYTES} bytes.")
    head, blank, rest = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ParseError("The lines before the checkpoint are ASCII.") from error
    if not blank or not first.startswith("old "):
        raise ParseError("A request begins with the old size and has an empty line before its checkpoint.")
    if len(lines) > MAX_PATH:
        raise ParseError(f"A proof has at most {MAX_PATH} hashes.")
    return Request(
        parse_size(first.removeprefix("old ")), tuple(parse_hash(line) for line in lines), parse_checkpoint(rest)
    )
