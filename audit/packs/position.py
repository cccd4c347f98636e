"""The position of the log that a pack or dossier speaks of: a checkpoint that the log's key signed, checked again each time."""

from dataclasses import dataclass, field

from django.conf import settings

from audit.log.checkpoint import VerifiedCheckpoint, log_key_text, parse_checkpoint, verify_checkpoint
from audit.log.checkpoints import latest, public_keys
from audit.log.cuts import begins_at
from audit.log.errors import NotVerified, ParseError
from audit.log.examining_witnesses import is_line_of
from audit.log.models import Cosignature, SealedEntry, StoredCheckpoint, Timestamp
from audit.log.witness.listed import known_keys
from audit.packs.render import Attachment


class NoPosition(RuntimeError):
    """There is no signed checkpoint to stand on; the text is a sentence for people."""


@dataclass(frozen=True)
class Stamp:
    """The newest timestamp (RFC 3161) over a checkpoint up to a position: its answer and the note that it is over; ``at`` in ms."""

    size: int
    at: int
    authority: str
    answer: bytes = field(repr=False)
    note: str = field(repr=False)


@dataclass(frozen=True)
class Position:
    """A verified checkpoint; ``at`` is the time of its last entry, milliseconds since 1970 UTC; ``witnesses`` cosigned it."""

    size: int
    root: str
    origin: str
    note: str
    at: int
    keys: tuple[str, ...]
    witnesses: tuple[str, ...] = ()
    stamp: Stamp | None = None

    def checkpoint(self) -> VerifiedCheckpoint:
        """The same, checked again, with the lines of its witnesses.

        Raises:
            NotVerified: No key of the log signed it.
        """
        return verify_checkpoint(parse_checkpoint(self.note.encode()), public_keys())


def newest() -> Position:
    """The latest checkpoint.

    Raises:
        NoPosition: nothing is sealed yet, or the checkpoint does not verify.
    """
    try:
        found = latest()
    except NotVerified as error:
        raise NoPosition(str(error)) from error
    if found is None or found.size == 0:
        raise NoPosition("Nothing in the log is sealed yet, so there is nothing to show.")
    return _position(found)


def at_size(size: int) -> Position:
    """The checkpoint of that size.

    Raises:
        NoPosition: there is none, or it does not verify.
    """
    note = StoredCheckpoint.objects.filter(size=size).values_list("note", flat=True).first()
    if note is None:
        raise NoPosition(f"The log has no checkpoint at position {size}.")
    try:
        return _position(verify_checkpoint(parse_checkpoint(note.encode()), public_keys()))
    except (ParseError, NotVerified) as error:
        raise NoPosition(f"The checkpoint at position {size} does not verify. {error}") from error


def _position(found: VerifiedCheckpoint) -> Position:
    if found.size <= begins_at():
        raise NoPosition(f"What the log held up to position {found.size} was cut under retention.")
    note = StoredCheckpoint.objects.values_list("note", flat=True).get(size=found.size)
    cosigned = _cosigned(found.size, note)
    note += "".join(f"{line}\n" for _, line in cosigned)
    at = SealedEntry.objects.values_list("event__at", flat=True).get(index=found.size - 1)
    keys = tuple(log_key_text(key) for key in public_keys())
    witnesses = tuple(key for key, _ in cosigned)
    return Position(found.size, found.root.hex(), found.origin, note, at, keys, witnesses, _stamp(found.size))


def _cosigned(size: int, note: str) -> list[tuple[str, str]]:
    """Keys and lines of the witnesses that the settings list, retired ones too. A row says of itself whose it is: others are left out."""
    try:
        keys = {key.text(): key for key in known_keys(settings.PORTAL_LOG_WITNESSES)}
    except ParseError as error:
        raise NoPosition(f"PORTAL_LOG_WITNESSES cannot be read. {error}") from error
    rows = Cosignature.objects.filter(size=size, witness__in=keys).order_by("witness").values_list("witness", "line")
    return [(witness, line) for witness, line in rows if is_line_of(keys[witness], note, line)]


def _stamp(size: int) -> Stamp | None:
    found = Timestamp.objects.filter(size__lte=size).order_by("-size").first()
    if found is None or found.size is None:
        return None
    note = StoredCheckpoint.objects.values_list("note", flat=True).get(size=found.size)
    return Stamp(found.size, found.at, found.authority, bytes(found.answer), note)


def as_files(position: Position) -> list[Attachment]:
    """The checkpoint's signed note, cosigned where it was witnessed, and the public keys, as files beside the evidence."""
    return [
        Attachment(
            "checkpoint.txt", position.note.encode(), "text/plain", "Signed note of the log's size and root (C2SP)", "Source"
        ),
        Attachment(
            "log-public-keys.txt", "".join(f"{key}\n" for key in position.keys).encode(), "text/plain",
            "Public keys of the log, as C2SP's signed notes write them", "Supplement",
        ),
        *_witness_keys(position),
        *_stamped(position.stamp),
    ]  # fmt: skip


def _witness_keys(position: Position) -> list[Attachment]:
    if not position.witnesses:
        return []
    keys = "".join(f"{key}\n" for key in position.witnesses).encode()
    about = "Public keys of the witnesses whose lines the checkpoint carries"
    return [Attachment("witness-public-keys.txt", keys, "text/plain", about, "Supplement")]


def _stamped(stamp: Stamp | None) -> list[Attachment]:
    if stamp is None:
        return []
    over, about = (
        "timestamped-checkpoint.txt",
        "Answer of the timestamp authority over timestamped-checkpoint.txt (RFC 3161)",
    )
    return [
        Attachment("timestamp.tsr", stamp.answer, "application/timestamp-reply", about, "Source"),
        Attachment(
            over,
            stamp.note.encode(),
            "text/plain",
            "The checkpoint that the authority put a time under (C2SP)",
            "Source",
        ),
    ]
