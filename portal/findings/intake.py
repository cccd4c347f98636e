"""Follows the sealed log and makes a finding of each entry that says that something is not as it should be.

Portal and audit learn from each other only so. The position moves in the transaction of the findings, and a finding is
unique on its event: run it twice, kill it anywhere, and each entry is told once.
"""

import logging
from collections.abc import Mapping

from django.db import transaction

from audit.log.append import LogUnavailable, process
from audit.log.read import LoggedEvent, follow, size
from portal.clock import now
from portal.findings.actions import raise_finding
from portal.findings.causes import CAUSES, Cause, Said, unreadable
from portal.findings.models import Finding
from portal.findings.states import CLOSED
from portal.grants.models import Grant
from portal.reconciliation.models import IntakePosition, Listing
from portal.systems.models import System

READER = "findings"
BATCH = 100  # entries in one transaction
INTAKE = process("intake")
logger = logging.getLogger("breakglass.intake")


def run(batch: int = BATCH) -> int:
    """Take in all that is sealed and not yet taken in; returns how many findings were raised."""
    raised = 0
    while True:
        done, more = _one_batch(batch)
        raised += done
        if not more:
            return raised


def _one_batch(batch: int) -> tuple[int, bool]:
    IntakePosition.objects.get_or_create(reader=READER)
    with transaction.atomic():
        position = IntakePosition.objects.select_for_update(skip_locked=True).filter(reader=READER).first()
        if position is None:  # another process is at it
            return 0, False
        sealed = size()  # read first: whatever the next line misses lies behind it
        entries = follow(position.next_index, CAUSES, batch)
        systems = {str(each.pk): each for each in System.objects.select_related("owner")}
        raised = sum(_take_in(entry, systems) for entry in entries)
        full = len(entries) == batch
        position.next_index = (entries[-1].index or 0) + 1 if full else max(position.next_index, sealed)
        position.save(update_fields=["next_index"])
    return raised, full


def _take_in(entry: LoggedEvent, systems: Mapping[str, System]) -> int:
    """One entry, in a savepoint: an entry that we cannot read becomes a finding of its own and holds up no other."""
    system = systems.get(_system_id(entry))
    try:
        with transaction.atomic():
            return sum(_raise(entry, cause, system) for cause in CAUSES[entry.name])
    except LogUnavailable:
        raise
    except Exception:
        logger.exception("entry %s (%s) could not be taken in", entry.index, entry.name)
        return _raise(entry, unreadable, system)


def _system_id(entry: LoggedEvent) -> str:
    """Named by the entry, or by the listing or the grant that it cites."""
    if "system_id" in entry.fields:
        return str(entry.fields["system_id"])
    for field, rows in (("listing_id", Listing.objects.all()), ("grant_id", Grant.objects.all())):
        if field in entry.fields:
            found = rows.filter(pk=entry.fields[field]).values_list("system_id").first()
            return str(found[0]) if found else ""
    return ""


def _raise(entry: LoggedEvent, cause: Cause, system: System | None) -> int:
    said = cause(entry, system)
    if said is None or Finding.objects.filter(source_event=said.source_event(entry)).exists():
        return 0
    if said.once and _open_alike(said):
        return 0
    raise_finding(
        by=INTAKE, kind=said.kind, title=said.title, about=said.about, details=said.details, case=entry.case,
        system=system, owner=system.owner if system else None, source_event=said.source_event(entry),
        source_index=entry.index, quietly=_told_just_now(said, system), test_id=said.test,
    )  # fmt: skip
    return 1


def _open_alike(said: Said) -> bool:
    return Finding.objects.filter(kind=said.kind, about=said.about).exclude(state=CLOSED).exists()


def _told_just_now(said: Said, system: System | None) -> bool:
    """A login that comes a thousand times makes a thousand findings and one mail in ten minutes."""
    since = now() - said.quiet_for
    return Finding.objects.filter(kind=said.kind, system=system, raised_at__gte=since).exists()
