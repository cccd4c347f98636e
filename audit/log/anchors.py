"""What witnesses have cosigned is put on record, so that packs can show it from the log alone: once in each hour (UTC) for each witness.

The record is itself an entry, which is cosigned in its turn; so it is made by the hour, and not for each cosignature.
"""

import logging

from django.conf import settings

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.cosignature import CosignerKey, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.note import parse_note
from audit.log.read import SKEW_MS, last_named_of
from audit.log.witness.listed import parse_witnesses

log = logging.getLogger("breakglass.anchors")
HOUR_MS = 60 * 60 * 1000
ANCHORS = process("anchors")
WITNESSED, LOST = SAID = ("log.witnessed", "log.not_witnessed")


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
        record_witnessed(by=ANCHORS, witness=witness, size=newest[0], at=newest[1], ok=_verifies(witness, newest[0]))
        return 1
    since = newest[1] if newest else None
    silent = since is None or now - since > HOUR_MS
    if silent and (last is None or last.name != LOST):
        record_lost(by=ANCHORS, witness=witness, last_at=since)
        return 1
    return 0


def _is_new(newest: tuple[int, int], size: int, at: int, now: int) -> bool:
    """Whether this hour has none on record yet, and there is a later one to record."""
    return newest[0] != size and (at > now + SKEW_MS or at // HOUR_MS < now // HOUR_MS)


def _newest(witness: CosignerKey) -> tuple[int, int] | None:
    """Size and time (ms) of its last cosignature."""
    row = Cosignature.objects.filter(witness=witness.text()).order_by("-size").values_list("size", "signed_at").first()
    return (row[0], row[1] * 1000) if row else None


def _verifies(witness: CosignerKey, size: int) -> bool:
    line = Cosignature.objects.filter(witness=witness.text(), size=size).values_list("line", flat=True).first()
    note = StoredCheckpoint.objects.filter(size=size).values_list("note", flat=True).first()
    try:
        return bool(verify_cosignatures(parse_note(f"{note or ''}{line or ''}\n".encode()), [witness]))
    except (ParseError, NotVerified):
        return False


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
