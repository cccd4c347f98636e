"""The log against its witnesses: the kept lines under the keys of the settings, and what each witness saw last against what is stored.

The database says of a line who is said to have written it. By whom that is believed the settings say: whoever may change rows would change the key with
the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from audit.log import tiles
from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.cosignature import CosignerKey, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.note import VerifierKey, parse_note, write_note
from audit.log.ranges import StoredNote
from audit.log.report import Report
from audit.log.witness.asking import Shown, ask_all
from audit.log.witness.listed import known_keys, parse_witnesses

CHUNK = 2000


@dataclass(frozen=True)
class Witnesses:
    """The keys by which kept lines are judged, and what the witnesses showed; ``unlisted``: why the setting could not be read."""

    keys: Sequence[CosignerKey] = ()
    shown: Sequence[Shown] = ()
    unlisted: str = ""


NOBODY = Witnesses()


def asked(setting: str, keys: Sequence[VerifierKey]) -> Witnesses:
    """The witnesses of a setting, each asked what it has cosigned last.

    Raises:
        ParseError: The setting cannot be read.
    """
    return Witnesses(known_keys(setting), ask_all(parse_witnesses(setting), keys))


def asked_or_why(setting: str, keys: Sequence[VerifierKey]) -> Witnesses:
    """The same; where the setting cannot be read, nobody and why."""
    try:
        return asked(setting, keys)
    except ParseError as error:
        return Witnesses(unlisted=f"PORTAL_LOG_WITNESSES cannot be read. {error}")


def examine_lines(report: Report, keys: Sequence[CosignerKey]) -> None:
    """Each kept line of a witness. One that bears the name of a listed witness and another key is wrong, and so is one beside which another time
    stands than it says; of other names nothing is known here."""
    of_text, names = {key.text(): key for key in keys}, {key.name for key in keys}
    note = Subquery(StoredCheckpoint.objects.filter(size=OuterRef("size")).values("note")[:1])
    columns = ("size", "witness", "line", "signed_at", "text")
    rows = Cosignature.objects.annotate(text=note).order_by("size").values_list(*columns)
    for size, witness, line, at, text in rows.iterator(chunk_size=CHUNK):
        key, name = of_text.get(witness), witness.split("+")[0]
        if key is None and name not in names:
            report.cosignatures_unlisted += 1
        elif key is None or cosigned_at(key, text or "", line) != at:
            report.wrong_cosignatures.append(f"{size} by {name}")


def is_line_of(key: CosignerKey, note: str, line: str) -> bool:
    """Whether this witness signed the line, over the text of this note."""
    return cosigned_at(key, note, line) is not None


def cosigned_at(key: CosignerKey, note: str, line: str) -> int | None:
    """When (s) this witness signed the line, over the text of this note; nothing where it did not."""
    try:
        found = verify_cosignatures(parse_note(f"{note}{line}\n".encode()), [key])
    except (ParseError, NotVerified):
        return None
    return found[0].at if found else None


def examine_shown(report: Report, witnesses: Witnesses, fetch: tiles.Fetch) -> list[StoredNote]:
    """What each witness saw last against the stored log; what the stored log does not contain of it, to be located.

    Who could not be looked at is named, which is no damage.
    """
    stored = StoredCheckpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    report.unseen += [witnesses.unlisted] if witnesses.unlisted else []
    lacking = []
    for each in witnesses.shown:
        name, head = each.by.name, each.head
        if head is None:
            (report.unseen if each.silent else report.unshown).append(f"{name}: {each.why}")
        elif head.size <= stored and _has_root(head, fetch):
            report.witnessed.append(f"{head.size} by {name}")
        else:
            report.beyond.append(_beyond(name, head.size, stored))
            lacking.append(StoredNote(head.size, write_note(head.signed.note), 0))
    return lacking


def _beyond(name: str, seen: int, stored: int) -> str:
    if seen > stored:
        return (
            f"{name} has cosigned {seen} entries, and {stored} are stored: entries {stored} to {seen - 1} are missing."
        )
    return f"{name} has cosigned another tree of the entries 0 to {seen - 1} than the stored one."


def _has_root(head: VerifiedCheckpoint, fetch: tiles.Fetch) -> bool:
    try:
        return tiles.tree_root(head.size, fetch) == head.root
    except (ParseError, LookupError):
        return False
