"""What others can write into the log and beside it, as functions over any bytes."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from audit.log import said, tiles
from audit.log.backup import age, manifest
from audit.log.checkpoint import log_key_text, parse_log_key
from audit.log.cosignature import parse_lines
from audit.log.errors import NotVerified, ParseError
from audit.log.forgetting import _read_lost
from audit.log.held_again import parsed as holds_of
from audit.log.logged import event_of
from audit.log.note import to_base64, write_note
from audit.log.proof import parse_proofs, write_proof
from audit.log.verify.progress import NotOurs, recall
from audit.log.witness.application import Witness
from audit.log.witness.listed import parse_witnesses
from audit.log.witness.requests import parse_request, write_request
from tests.fuzz.of_answers import LOG, WITNESS

_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-")
HERE = Path(_FOLDER.name)
IDENTITIES = age.parse_identities((Path(__file__).parent / "identity.age").read_text())
SAID: tuple[Callable[[bytes], object], ...] = (
    *said.READERS.values(),
    said.read_hold,
    said.read_lifted,
    partial(said.read_decision, place=0),
)


def request_again(data: bytes) -> bytes:
    """A request to a witness, written."""
    asked = parse_request(data)
    return write_request(asked.old, asked.path, write_note(asked.checkpoint.note))


def lines_again(data: bytes) -> bytes:
    """The lines of a witness, written."""
    return "".join(f"— {each.name} {to_base64(each.key_id + each.value)}\n" for each in parse_lines(data)).encode()


def log_key(data: bytes) -> None:
    """A setting, which a person types; that it is valid for every size may be left out."""
    try:
        text = data.decode()
        written = log_key_text(parse_log_key(text))
    except (UnicodeDecodeError, ParseError):
        return
    assert written == text.removesuffix("@0-")


def bundle(data: bytes) -> None:
    """As many entries as the first byte says."""
    count, rest = (data[0], data[1:]) if data else (0, data)
    try:
        entries = tiles.parse_bundle(rest, count)
    except ParseError:
        return
    assert (len(entries), tiles.encode_bundle(entries)) == (count, rest)


def witnesses(data: bytes) -> None:
    """A setting, which a person types."""
    try:
        found = parse_witnesses(data.decode())
    except (UnicodeDecodeError, ParseError):
        return
    again = "\n".join(
        f"{'required' if each.required else 'optional'} {each.key.text()} {each.address}" for each in found
    )
    assert parse_witnesses(again) == found


def proofs_again(data: bytes) -> bytes:
    """The proofs of a pack, written."""
    return b"".join(write_proof(each) for each in parse_proofs(data))


def tile_again(data: bytes) -> bytes:
    """A tile of as many hashes as it may have, written."""
    return b"".join(tiles.parse_tile(data, len(data) // tiles.HASH_BYTES))


def acted_on(data: bytes) -> None:
    """An entry on which programs act without asking anybody: each reader gives a value or refuses, and none reads what another does not."""
    for read in SAID:
        with contextlib.suppress(ParseError):
            read(data)
    holds_of([data])
    with contextlib.suppress(ParseError, NotVerified):
        _read_lost(data, [LOG.verifier()])


def event(data: bytes) -> None:
    """The bytes of an event, as every page reads them."""
    with contextlib.suppress(ParseError):
        event_of(data)


def memory(data: bytes) -> None:
    """The file beside the verifier, which whoever may write in that folder can write."""
    path = HERE / "memory"
    path.write_bytes(data)
    with contextlib.suppress(NotOurs):
        recall(path, [LOG.verifier()], 1_790_000_000)


def backup_file(data: bytes) -> None:
    """A file of a backup that somebody else wrote over."""
    with contextlib.suppress(age.NotOpened):
        age.decrypted(data, IDENTITIES)


def age_keys(data: bytes) -> None:
    """Settings and key files of age, which a person types."""
    for read in (age.parse_recipients, age.parse_identities):
        with contextlib.suppress(UnicodeDecodeError, ParseError):
            read(data.decode())


def backup_manifest(data: bytes) -> None:
    """What a backup says of itself; believed where the log's key signed it."""
    with contextlib.suppress(ParseError, NotVerified):
        manifest.verified(data, [LOG.verifier()])


def witness_desk(data: bytes) -> None:
    """A whole request to our witness: the first line is what its header says of the length."""
    length, _, body = data.partition(b"\n")
    told: list[str] = []
    witness = Witness(WITNESS, {LOG.name: [LOG.verifier()]}, HERE)
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/add-checkpoint", "CONTENT_LENGTH": length.decode("latin-1"),
        "wsgi.input": io.BytesIO(body),
    }  # fmt: skip
    witness(environ, lambda status, _headers: told.append(status))
    assert told[0][:3] in ("200", "400", "403", "404", "409", "422")
