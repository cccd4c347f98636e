"""Files whose making began before somebody in them was erased, or of entries that were cut since: they go, and their rows and hashes stay.

Due is what the log says (``erasure.done``, ``cut.done``): each file that is there still and holds the person, or is of what is gone. A pack
names everybody whom the log knew at its position, so all that were made since it knew the person go; a dossier, where the person had part in
its case. Each can be made again from the log, and then says what was erased.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Coalesce

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.read import LoggedEvent, each_named
from audit.packs.models import Dossier, Pack

alarms = logging.getLogger("breakglass.alarm")
REMOVER = process("eraser")
KNOWN_SINCE = """
SELECT min(s."index") FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.subject = %s
"""
CASES = """
SELECT DISTINCT e."case" FROM audit_event e WHERE e."case" = ANY(%s) AND (e."by" = %s OR position(convert_to(%s, 'UTF8') IN e.body) > 0)
"""


class GoneAlready(Exception):
    """Somebody else has removed the file meanwhile."""


def run_due() -> int:
    """Remove what is due; how many files."""
    packs, dossiers = _there(Pack), _there(Dossier)
    begun = [at for rows in (packs, dossiers) if (at := rows.aggregate(at=Min("read_since"))["at"]) is not None]
    if not begun:
        return 0
    since = int(min(begun).timestamp() * 1000)
    return sum(_remove(event, packs, dossiers) for event in list(each_named(["erasure.done", "cut.done"], since)))


def _there(model: Any) -> QuerySet[Any]:
    """Files that are there, and since when the log was read for each: what was erased while it was made may be in it."""
    since = Coalesce("begun_at", "made_at")
    made: QuerySet[Any] = model.objects.filter(made_at__isnull=False, gone_at=None).annotate(read_since=since)
    return made


def _remove(event: LoggedEvent, packs: QuerySet[Pack], dossiers: QuerySet[Dossier]) -> int:
    before = Q(read_since__lte=datetime.fromtimestamp(event.at / 1000, UTC))
    if event.name == "erasure.done":
        why, chosen = "erased", _holding(event.fields["person_id"], packs.filter(before), dossiers.filter(before))
    else:
        gone = before & Q(log_size__lte=event.fields["minimum_index"])
        why, chosen = "cut", [*packs.filter(gone), *dossiers.filter(gone)]
    return sum(_tried(row, why, str(event.id)) for row in chosen)


def _tried(row: Pack | Dossier, why: str, event_id: str) -> bool:
    """Whether it was removed; one that cannot be holds up no other, and is tried again."""
    try:
        remove(by=REMOVER, row=row, why=why, event_id=event_id)
    except GoneAlready:
        return False
    except OSError as error:
        alarms.error("%s must go and cannot be removed: %s", row.log_subject, error.strerror)
        return False
    return True


def _holding(person: str, packs: QuerySet[Pack], dossiers: QuerySet[Dossier]) -> list[Pack | Dossier]:
    """Those that hold somebody."""
    if not packs.exists() and not dossiers.exists():
        return []
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_SINCE, [f"person:{person}"])
        since = cursor.fetchone()[0]
        cursor.execute(CASES, [[str(each) for each in dossiers.values_list("case", flat=True)], person, person])
        cases = [row[0] for row in cursor.fetchall()]
    known = packs if since is None else packs.filter(log_size__gt=since)
    return [*known, *dossiers.filter(case__in=cases)]


@action(event=("pack.removed", "dossier.removed"))
def remove(*, by: Actor, row: Pack | Dossier, why: str, event_id: str) -> None:
    """The file first: what breaks off is done again, and a row never says that a file is gone which is there.

    Raises:
        GoneAlready: Somebody else was quicker.
        OSError: The file cannot be removed.
    """
    if type(row)._default_manager.select_for_update().get(pk=row.pk).gone_at is not None:
        raise GoneAlready
    row.file.unlink(missing_ok=True)
    row.gone_at, row.gone_why = datetime.fromtimestamp(now_ms() / 1000, UTC), why
    row.save(update_fields=["gone_at", "gone_why"])
    said = {"pdf_sha256": row.sha256, "why": why, "event_id": event_id}
    if isinstance(row, Pack):
        append("pack.removed", by=by, subject=row.log_subject, pack_id=row.pk, **said)
    else:
        append("dossier.removed", by=by, case=row.case, subject=row.log_subject, dossier_id=row.pk, **said)
