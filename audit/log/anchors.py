"""What witnesses have cosigned is put on record, so that packs can show it from the log alone: once in each hour (UTC) for each witness.

The record is itself an entry, which is cosigned in its turn; so it is made by the hour, and not for each cosignature.
"""

import logging
from dataclasses import dataclass

from django.conf import settings

from audit.events.spec import EARLIEST, LATEST
from audit.log.append import Actor, action, append, now_ms, process
from audit.log.cosignature import CosignerKey
from audit.log.errors import ParseError
from audit.log.examining_witnesses import cosigned_at
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.read import SKEW_MS, last_named_of, position
from audit.log.witness.listed import parse_witnesses

log = logging.getLogger("breakglass.anchors")
HOUR_MS = 60 * 60 * 1000
ANCHORS = process("anchors")
WITNESSED, LOST = SAID = ("log.witnessed", "log.not_witnessed")


@dataclass(frozen=True)
class Newest:
    """The size and the time (ms) of a witness's last cosignature: that which it signed, where its line verifies (``ok``), else that of its row."""

    size: int
    at: int
    ok: bool


def run_due() -> int:
    """Record what is new of each witness; how many entries were written."""
    try:
        listed = parse_witnesses(settings.PORTAL_LOG_WITNESSES)
    except ParseError as error:
        log.error("PORTAL_LOG_WITNESSES cannot be read, so nothing is recorded of witnesses: %s", error)
        return 0
    return sum(_record(each.key) for each in listed)


def _record(witness: CosignerKey) -> int:
    newest, now = _newest(witness), now_ms()
    last, anchored = last_named_of(_subject(witness), SAID), last_named_of(_subject(witness), [WITNESSED])
    if newest is not None and (
        anchored is None or _is_new(newest, anchored.fields["size"], anchored.fields["at"], now)
    ):
        record_witnessed(by=ANCHORS, witness=witness, size=newest.size, at=newest.at, ok=newest.ok)
        return 1
    since = newest.at if newest and (newest.ok or newest.at <= now + SKEW_MS) else None
    silent = since is None or now - since > HOUR_MS
    if silent and (last is None or last.name != LOST):
        record_lost(by=ANCHORS, witness=witness, last_at=since)
        return 1
    return 0


def _is_new(newest: Newest, size: int, at: int, now: int) -> bool:
    """Whether this hour has none on record yet, and there is a later one to record."""
    return newest.size != size and (at > now + SKEW_MS or at // HOUR_MS < now // HOUR_MS)


def _newest(witness: CosignerKey) -> Newest | None:
    """Its last line under a checkpoint that is stored. A row beyond those would be the last for ever."""
    rows = Cosignature.objects.filter(witness=witness.text(), size__lte=position().size).order_by("-size")
    row = rows.values_list("size", "line", "signed_at").first()
    if row is None:
        return None
    size, line, said = row
    note = StoredCheckpoint.objects.filter(size=size).values_list("note", flat=True).first()
    at = cosigned_at(witness, note or "", line)
    if at is None:  # what its row says may be in no year that an entry can name
        return Newest(size, min(max(said * 1000, EARLIEST), LATEST), ok=False)
    return Newest(size, at * 1000, ok=True)


def _subject(witness: CosignerKey) -> str:
    return f"witness:{witness.key_id.hex()}"


@action(event="log.witnessed")
def record_witnessed(*, by: Actor, witness: CosignerKey, size: int, at: int, ok: bool) -> None:
    """A witness has cosigned a checkpoint of this size at that time (ms); ``ok``: its line verifies."""
    append("log.witnessed", by=by, subject=_subject(witness), witness=witness.name, size=size, at=at, ok=ok)


@action(event="log.not_witnessed")
def record_lost(*, by: Actor, witness: CosignerKey, last_at: int | None) -> None:
    """A witness that is listed has cosigned nothing for an hour."""
    append("log.not_witnessed", by=by, subject=_subject(witness), witness=witness.name, last_at=last_at)
