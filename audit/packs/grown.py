"""The proof that the log only grew since the pack before; whoever keeps that pack sees with it that nothing was taken out between the two."""

from dataclasses import dataclass

from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.checkpoints import consistency, public_keys
from audit.log.errors import NotVerified, ParseError
from audit.log.models import StoredCheckpoint
from audit.log.note import write_note
from audit.log.read import recent
from audit.log.witness.requests import write_request
from audit.packs.position import Position
from audit.packs.render import Attachment

NAME, BEFORE = "log-grown.txt", "checkpoint-before.txt"


@dataclass(frozen=True)
class Grown:
    """The proof and the earlier checkpoint as files, of how many entries that is, and whether it stood in a pack.

    ``size`` is nothing where there is no earlier checkpoint; ``trouble`` says why it could not be proved.
    """

    files: tuple[Attachment, ...] = ()
    size: int | None = None
    of_pack: bool = False
    trouble: str = ""


def since_before(position: Position) -> Grown:
    """From the checkpoint of the newest pack that the log tells of up to the position; without one from the first that is kept."""
    size = _of_pack(position)
    note = _note(size) if size is not None else None
    of_pack = note is not None
    if note is None:
        size, note = _first(position)
    if size is None or note is None:
        return Grown()
    try:
        before = verify_checkpoint(parse_checkpoint(note.encode()), public_keys())
        files = _files(before, position.checkpoint())
    except (NotVerified, ParseError) as error:
        return Grown(size=size, of_pack=of_pack, trouble=str(error))
    return Grown(files, size, of_pack)


def _of_pack(position: Position) -> int | None:
    sizes = (int(event.fields["log_size"]) for event in recent(["pack.made"], position.size))
    return next((size for size in sizes if 0 < size < position.size), None)


def _note(size: int) -> str | None:
    return StoredCheckpoint.objects.filter(size=size).values_list("note", flat=True).first()


def _first(position: Position) -> tuple[int | None, str | None]:
    kept = StoredCheckpoint.objects.filter(size__gt=0, size__lt=position.size).order_by("size")
    return kept.values_list("size", "note").first() or (None, None)


def _files(before: VerifiedCheckpoint, after: VerifiedCheckpoint) -> tuple[Attachment, ...]:
    proof = consistency(before.size, after)
    return (
        Attachment(BEFORE, write_note(before.signed.note), "text/plain", "An earlier checkpoint of the same log (C2SP)", "Source"),
        Attachment(
            NAME, write_request(before.size, proof.path, write_note(after.signed.note)), "text/plain",
            "Proof that the log of checkpoint.txt begins with that of checkpoint-before.txt (C2SP tlog-witness)", "Source",
        ),
    )  # fmt: skip
