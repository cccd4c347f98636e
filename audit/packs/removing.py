"""Files whose making began before somebody in them was erased, or of entries that were cut since: they go, and their rows and hashes stay.

Due is what the log says (``erasure.done``, ``cut.done``): each file that is there still and holds the person, or is of what is gone. A pack
names everybody whom the log knew at its position, so all that were made since it knew the person go; a dossier, where the person had part in
its case. Each can be made again from the log, and then says what was erased.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
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
SELECT substr(e.subject, 8), min(s."index") FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.subject = ANY(%s) GROUP BY 1
"""
File = Pack | Dossier


class GoneAlready(Exception):
    """Somebody else has removed the file meanwhile."""


def run_due() -> int:
    """Remove what is due; how many files."""
    packs, dossiers = _there(Pack), _there(Dossier)
    begun = [at for rows in (packs, dossiers) if (at := rows.aggregate(at=Min("read_since"))["at"]) is not None]
    if not begun:
        return 0
    since = int(min(begun).timestamp() * 1000)
    events = list(each_named(["erasure.done", "cut.done"], since))
    return sum(_tried(row, why, str(event.id)) for row, why, event in _due(events, packs, dossiers)) if events else 0


def _there(model: Any) -> QuerySet[Any]:
    """Files that are there, and since when the log was read for each: what was erased while it was made may be in it."""
    since = Coalesce("begun_at", "made_at")
    made: QuerySet[Any] = model.objects.filter(made_at__isnull=False, gone_at=None).annotate(read_since=since)
    return made


def _due(
    events: Sequence[LoggedEvent], packs: QuerySet[Pack], dossiers: QuerySet[Dossier]
) -> Iterator[tuple[File, str, LoggedEvent]]:
    """Each file that must go, with the first event that says so. As many questions however many there are of either."""
    people = sorted({event.fields["person_id"] for event in events if event.name == "erasure.done"})
    minimum = max((event.fields["minimum_index"] for event in events if event.name == "cut.done"), default=0)
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_SINCE, [[f"person:{each}" for each in people]])
        known = dict(cursor.fetchall())
    before = Q(read_since__lte=_moment(max(event.at for event in events)))
    about = dossiers.filter(before, Q(people__has_any_keys=people) | Q(log_size__lte=minimum))
    files: list[File] = [*packs.filter(before), *about]
    for row in files:
        if (event := next((each for each in events if _is_why(each, row, known)), None)) is not None:
            yield row, "erased" if event.name == "erasure.done" else "cut", event


def _is_why(event: LoggedEvent, row: Any, known: Mapping[str, int]) -> bool:
    """Whether the file was begun before that, and holds whom it erased or is of what it cut. A pack names whom the log knew at its position."""
    if row.read_since > _moment(event.at):
        return False
    if event.name == "cut.done":
        return bool(row.log_size <= event.fields["minimum_index"])
    person = event.fields["person_id"]
    return person in row.people if isinstance(row, Dossier) else row.log_size > known.get(person, -1)


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _tried(row: File, why: str, event_id: str) -> bool:
    """Whether it was removed; one that cannot be holds up no other, and is tried again."""
    try:
        remove(by=REMOVER, row=row, why=why, event_id=event_id)
    except GoneAlready:
        return False
    except OSError as error:
        alarms.error("%s must go and cannot be removed: %s", row.log_subject, error.strerror)
        return False
    return True


@action(event=("pack.removed", "dossier.removed"))
def remove(*, by: Actor, row: File, why: str, event_id: str) -> None:
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
