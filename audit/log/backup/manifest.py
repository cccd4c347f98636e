"""What a backup says of itself: a signed note, written last, and the list of its files as ``sha256sum`` writes it. No Django."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.log.checkpoint import parse_size
from audit.log.errors import ParseError
from audit.log.note import VerifierKey, parse_note, verify_note
from audit.log.signing import SignerKey, sign_note

KIND = "breakglass backup 1"
ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}", re.ASCII)
STAMP = "%Y%m%dT%H%M%SZ"
LINE = re.compile(r"([0-9a-f]{64})  ([!-~]+)", re.ASCII)
NAMES = ("id", "made", "size", "contents", "migrations")


@dataclass(frozen=True)
class Manifest:
    """One backup.

    Args:
        id: Its time and a random part; the folder of its own files is named by it.
        made_at: The moment of the database that it holds, ms since 1970 UTC.
        size: How many entries of the log it holds.
        contents: SHA-256 of the list of its files, hexadecimal.
        migrations: The last migration of each app, as ``audit=0012_cosignatures``.
    """

    id: str
    made_at: int
    size: int
    contents: str
    migrations: tuple[str, ...]


def new_id(made_at: int) -> str:
    """The name of a backup, which sorts by its time: after the seconds come the milliseconds and five random digits, all hexadecimal."""
    return f"{datetime.fromtimestamp(made_at // 1000, UTC):{STAMP}}-{made_at % 1000:03x}{secrets.token_hex(3)[1:]}"


def time_of(identity: str) -> int:
    """When a backup was made, by its name (ms, whole seconds).

    Raises:
        ParseError: It is no name of a backup.
    """
    found = ID.fullmatch(identity)
    try:
        if found:
            return int(datetime.strptime(found[1], STAMP).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        pass
    raise ParseError("A backup is named by its time and eight hexadecimal digits.")


def signed(manifest: Manifest, signer: SignerKey) -> bytes:
    """The note."""
    return sign_note(_text(manifest, signer.name), [signer])


def verified(data: bytes, keys: Sequence[VerifierKey]) -> Manifest:
    """The manifest in a note that one of the keys signed.

    Raises:
        ParseError: It is not a manifest.
        NotVerified: None of the keys signed it.
    """
    note = parse_note(data)
    key = verify_note(note, keys)[0]
    lines = note.text.removesuffix("\n").split("\n")
    values = [line.removeprefix(f"{name} ") for line, name in zip(lines[2:], NAMES, strict=False)]
    if len(values) != len(NAMES):
        raise ParseError("The manifest of a backup has seven lines.")
    identity, made, size, contents, migrations = values
    found = Manifest(identity, parse_size(made), parse_size(size), contents, tuple(migrations.split()))
    time_of(identity)
    if _text(found, key.name) != note.text:
        raise ParseError("The manifest of a backup is written otherwise.")
    return found


def _text(manifest: Manifest, name: str) -> str:
    values = (manifest.id, manifest.made_at, manifest.size, manifest.contents, " ".join(manifest.migrations))
    lines = [name, KIND, *(f"{each} {value}" for each, value in zip(NAMES, values, strict=True))]
    return "\n".join(lines) + "\n"


def write_contents(hashes: Mapping[str, str]) -> bytes:
    """The files of a backup by path, in the format of ``sha256sum``."""
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes)).encode()


def parse_contents(data: bytes) -> dict[str, str]:
    """SHA-256 of each file by its path.

    Raises:
        ParseError: `write_contents` would not have written it.
    """
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        match = LINE.fullmatch(line)
        if match is None or ".." in match[2].split("/") or match[2].startswith("/"):
            raise ParseError("A line of the list of a backup's files is a SHA-256 and a path.")
        found[match[2]] = match[1]
    if write_contents(found) != data:
        raise ParseError("The list of a backup's files is not sorted, or names one twice.")
    return found


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()
