"""Every kept timestamp, held against what it was given for, against what the log says of it, and against the trusted certificates."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography import x509
from django.db.models import OuterRef, Subquery

from audit.log.cuts import minimum_index
from audit.log.errors import NotVerified, ParseError
from audit.log.models import StoredCheckpoint, Timestamp
from audit.log.read import each_named
from audit.log.timestamps.tokens import MAX_AUTHORITY, verify_timestamp


@dataclass
class Stamps:
    """How many verify, how many cannot be verified since no certificates are set, and what is wrong.

    ``seen``: the size of each checkpoint, and the time (ms), of which a token that verifies speaks.
    """

    verified: int = 0
    unverified: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: list[tuple[int, int]] = field(default_factory=list)


def examined(roots: tuple[x509.Certificate, ...]) -> Stamps:
    """Look at each."""
    found, said, cut_to = Stamps(), dict(_said()), minimum_index()
    note = Subquery(StoredCheckpoint.objects.filter(size=OuterRef("size")).values("note")[:1])
    for stamp in Timestamp.objects.annotate(note=note).order_by("about").iterator():
        record = said.pop(stamp.about, None)
        if record is None and (stamp.size or 0) < cut_to:
            record = hashlib.sha256(stamp.answer).hexdigest()  # what the log said of it was cut
        trouble = _trouble(stamp, stamp.note, record)
        at = None
        if roots and not trouble:
            at, trouble = _verified(stamp, roots)
        if at is not None and stamp.size is not None:
            found.seen.append((stamp.size, at))
        if trouble:
            found.wrong.append(f"{stamp.about}: {trouble}")
        elif at is None:
            found.unverified += 1
        else:
            found.verified += 1
    found.wrong += [f"{about}: it is missing" for about in said]
    return found


def _said() -> Iterator[tuple[str, str]]:
    """What was stamped, and the hash of the answer, as the log says."""
    for event in each_named(["log.timestamped", "pack.timestamped"]):
        given = event.fields
        about = f"checkpoint:{given['size']}" if event.name == "log.timestamped" else f"pack:{given['pack_id']}"
        yield about, given["token_sha256"]


def _verified(stamp: Timestamp, roots: tuple[x509.Certificate, ...]) -> tuple[int | None, str]:
    """The time (ms) of its token, whatever its row says, and what is wrong; pages and packs show what the row says."""
    try:
        token = verify_timestamp(bytes(stamp.answer), bytes(stamp.sha256), roots)
    except (ParseError, NotVerified) as error:
        return None, str(error)
    if (token.at, token.authority[:MAX_AUTHORITY]) != (stamp.at, stamp.authority):
        return token.at, "its row names another time or authority than its token"
    return token.at, ""


def _trouble(stamp: Timestamp, note: str | None, said: str | None) -> str:
    if said != hashlib.sha256(stamp.answer).hexdigest():
        return "it is not the one that the log speaks of"
    if stamp.size is not None and hashlib.sha256((note or "").encode()).digest() != bytes(stamp.sha256):
        return "it is not one over the checkpoint of that size"
    return ""
