"""What the pages of the log show: how far it is sealed, its newest entries, one entry with its bytes and its proof."""

from dataclasses import dataclass

from audit.log import checkpoints
from audit.log.commitments import verify_commitment
from audit.log.cuts import minimum_index
from audit.log.errors import NotVerified, ParseError
from audit.log.logged import event_of
from audit.log.models import PersonalValue, QueueEntry, SealedEntry, StoredCheckpoint
from audit.log.note import to_base64, write_note
from audit.log.proof import VerifiedInclusion, with_entry, write_proof
from audit.log.read import LoggedEvent, between, count_between, dated, newest_of_case, recent, size
from audit.log.witness.requests import write_request

ON_A_PAGE = 50
# What comes by itself all day long; where something is amiss, an entry of another name says so.
ROUTINE = ("source.heartbeat_sent", "source.heartbeat_seen", "completeness.judged", "log.checked", "log.timestamped")
LOOKED_THROUGH = 20_000
"""Places of the log in which one page without routine looks for its entries."""


@dataclass(frozen=True)
class Sealing:
    """How far the log is sealed. ``trouble`` says why its last checkpoint is not believed."""

    size: int
    waiting: int
    checkpoint_size: int | None = None
    signed_at: int | None = None
    root: str = ""
    origin: str = ""
    trouble: str = ""


def sealing() -> Sealing:
    """Counts, and the last checkpoint as the public key proves it. Four statements."""
    entries, waiting = size(), QueueEntry.objects.count()
    try:
        latest = checkpoints.latest()
    except NotVerified as error:
        return Sealing(entries, waiting, trouble=str(error))
    if latest is None:
        return Sealing(entries, waiting)
    signed_at = StoredCheckpoint.objects.filter(size=latest.size).values_list("signed_at", flat=True).first()
    return Sealing(entries, waiting, latest.size, signed_at, to_base64(latest.root), latest.origin)


def checkpoint_file() -> bytes | None:
    """The last checkpoint as a signed note (C2SP tlog-checkpoint); nothing where nothing was sealed yet.

    Raises:
        NotVerified: it is not signed by a key of the log.
    """
    latest = checkpoints.latest()
    return write_note(latest.signed.note) if latest else None


def growth_file(old: int) -> bytes | None:
    """The last checkpoint behind the proof that it contains one of ``old`` entries, as C2SP tlog-witness writes them; nothing where it does not.

    Raises:
        NotVerified: it cannot be proved.
    """
    found = checkpoints.growth(old)
    if found is None:
        return None
    proof, last = found
    return write_request(old, proof.path, write_note(last.signed.note))


@dataclass(frozen=True)
class Newest:
    """Entries, newest first; the index below which the next page begins; and how many routine ones among these are left out."""

    events: list[LoggedEvent]
    following: int | None
    left_out: int = 0


def newest(name: str, case: str, before: int | None) -> Newest:
    """All of them, of one name, or of one case."""
    names = [name] if name else []
    wanted = newest_of_case(case, names, before, ON_A_PAGE + 1) if case else recent(names, before, ON_A_PAGE + 1)
    shown = wanted[:ON_A_PAGE]
    return Newest(shown, shown[-1].index if len(wanted) > len(shown) else None)


def newest_but_routine(before: int | None) -> Newest:
    """Without what comes by itself. However much of that there is, a page looks through so many places and no more."""
    top = min(size(), before) if before is not None else size()
    bottom = max(0, top - LOOKED_THROUGH)
    wanted = between(bottom, top, ROUTINE, ON_A_PAGE + 1)
    shown = wanted[:ON_A_PAGE]
    if len(wanted) > len(shown):
        bottom = shown[-1].index or 0
    return Newest(shown, bottom or None, count_between(bottom, top, ROUTINE))


@dataclass(frozen=True)
class Personal:
    """One personal field: what stands in the bytes, and the value beside it while it is there."""

    name: str
    commitment: str
    value: str | None
    fits: bool


@dataclass(frozen=True)
class Entry:
    """One sealed entry."""

    event: LoggedEvent
    body: bytes
    sealed_at: int
    leaf_hash: str
    personal: tuple[Personal, ...]


def entry(index: int) -> Entry | None:
    """An entry by its index; nothing where it is none that can be read. Two statements."""
    row = SealedEntry.objects.filter(pk=index).select_related("event").first()
    if row is None:
        return None
    body = bytes(row.event.body)
    try:
        event = event_of(body, index)
    except ParseError:
        return None
    kept = {each.field: (bytes(each.salt), each.value) for each in PersonalValue.objects.filter(event_id=event.id)}
    personal = tuple(
        _personal(name, commitment, kept.get(name)) for name, commitment in sorted(event.commitments.items())
    )
    values = {name: value for name, (_, value) in kept.items()}
    (event,) = dated([event_of(body, index, values)])
    return Entry(event, body, row.sealed_at, to_base64(bytes(row.leaf_hash)), personal)


def _personal(name: str, commitment: str, kept: tuple[bytes, str] | None) -> Personal:
    if kept is None:
        return Personal(name, commitment, None, False)
    salt, value = kept
    return Personal(name, commitment, value, verify_commitment(commitment, salt, name, value))


def is_cut(index: int) -> bool:
    """Whether the entry was cut; some before the log's beginning stay."""
    return index < minimum_index() and not SealedEntry.objects.filter(pk=index).exists()


@dataclass(frozen=True)
class Proof:
    """The inclusion of an entry, proved a moment ago; or why it cannot be."""

    found: VerifiedInclusion | None
    trouble: str = ""

    @property
    def path(self) -> list[str]:
        """Its hashes, from the leaf up, in base64."""
        return [to_base64(each) for each in self.found.path] if self.found else []

    @property
    def root(self) -> str:
        """The root that they lead to."""
        return to_base64(self.found.checkpoint.root) if self.found else ""


def proof_of(event: LoggedEvent) -> Proof:
    """Prove that the entry is in the log, with the public key alone."""
    try:
        return Proof(checkpoints.inclusion(event.id))
    except NotVerified as error:
        return Proof(None, str(error))


def proof_file(event: LoggedEvent) -> bytes | None:
    """A ``.tlog-proof`` file (C2SP tlog-proof) that carries the entry; nothing while the entry is not under a checkpoint.

    Raises:
        NotVerified: it cannot be proved.
    """
    found = checkpoints.inclusion(event.id)
    return write_proof(with_entry(found)) if found else None
