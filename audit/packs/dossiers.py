"""The paper that writes itself: a dossier after each end and after each review, made from the sealed log.

Due is what the log says and no row has: nothing is lost while the portal is down, and two processes never make the same. One whose file went
because somebody in it was erased is made again, of what is left.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from audit.cases.case import Case
from audit.cases.done import PENDING
from audit.log.append import Actor, action, append, now_ms, process
from audit.log.read import of_subject
from audit.packs import verdicts
from audit.packs.dossier_paper import NoSuchCase, made
from audit.packs.keeping import keep, only_one
from audit.packs.models import Dossier
from audit.packs.position import NoPosition, Position, newest
from audit.packs.reading import people_in
from audit.packs.render import RenderFailed, disk_trouble
from audit.packs.signing import CannotSign, sign, signing_key

logger = logging.getLogger("breakglass.dossiers")
PORTAL = process("dossiers")
OCCASIONS = {"grant.ended": "ended", "review.submitted": "reviewed", "review.second_submitted": "reviewed"}
WAIT_FOR_VERDICT_MS = 35_000  # after the read-back; then the dossier says that it is pending
LOOK_BACK_MS = 7 * 86_400_000  # older uses have their page; nobody is sent mail about them
PAUSES_S = (30, 120, 600, 3600)
SAYS_WHY = (RenderFailed, NoPosition, CannotSign, NoSuchCase)  # their texts are ours, for people
MOST_AT_ONCE = 20
DUE = """
SELECT e.id, e.name, e.at, e."case", e.subject FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
LEFT JOIN audit_dossier d ON d.event_id = e.id AND d.gone_at IS NULL
WHERE e.id IN (
  SELECT id FROM audit_event WHERE name = ANY(%s) AND at > %s UNION ALL SELECT event_id FROM audit_dossier WHERE gone_why = 'erased'
) AND e."case" <> '' AND (d.id IS NULL OR (d.made_at IS NULL AND d.next_try_at <= %s))
ORDER BY s.index LIMIT %s
"""
JUDGED = """
SELECT 1 FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE e."case" = %s AND e.name = 'completeness.judged' AND convert_from(e.body, 'UTF8')::jsonb -> 'fields' ->> 'verdict' <> %s LIMIT 1
"""


@dataclass(frozen=True)
class Due:
    """A dossier that is to be made: the entry that says so, its time (ms), its case."""

    event_id: UUID
    occasion: str
    at: int
    case: str


def make_due() -> int:
    """Make every dossier that is due; returns how many were made. Harmless when run twice, or by two at once."""
    return sum(_make(each) for each in _due() if not _waits(each))


def _due() -> list[Due]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, [list(OCCASIONS), now_ms() - LOOK_BACK_MS, _now(), MOST_AT_ONCE])
        return [Due(row[0], OCCASIONS[row[1]], row[2], row[3]) for row in cursor.fetchall()]


def _waits(due: Due) -> bool:
    """Whether it is worth waiting for the verdict."""
    if due.occasion != "ended" or now_ms() - due.at > WAIT_FOR_VERDICT_MS:
        return False
    with connection.cursor() as cursor:
        cursor.execute(JUDGED, [due.case, PENDING])
        return cursor.fetchone() is None


def _make(due: Due) -> int:
    with only_one(f"dossier {due.event_id}") as mine:
        if not mine or Dossier.objects.filter(event_id=due.event_id, made_at__isnull=False, gone_at=None).exists():
            return 0
        dossier = _row(due)
        try:
            _draw_and_keep(dossier)
        except Exception as error:  # noqa: BLE001 - whatever one case brings up, it is put off and the others are made
            _put_off(dossier, error)
            return 0
    return 1


def _row(due: Due) -> Dossier:
    made_of = {"case": due.case, "occasion": due.occasion, "next_try_at": _now()}
    return Dossier.objects.get_or_create(event_id=due.event_id, gone_at=None, defaults=made_of)[0]


def _draw_and_keep(dossier: Dossier) -> None:
    dossier.begun_at = _now()  # before anything is read: what is erased from now on may be in it
    key, position = signing_key(), newest()
    paper = made(str(dossier.case), dossier.occasion, position, signed=key is not None, demo=settings.PORTAL_DEMO)
    pdf = sign(paper.pdf, key) if key else paper.pdf
    keep(dossier.file, pdf)
    record(by=PORTAL, dossier=dossier, pdf=pdf, case=paper.case, position=position)


@action(event="dossier.made")
def record(*, by: Actor, dossier: Dossier, pdf: bytes, case: Case, position: Position) -> Dossier:
    """The dossier lies under its name; those whom it concerns are named, so that they can be sent it. Of one that is made again they have heard."""
    again = Dossier.objects.filter(event_id=dossier.event_id, gone_at__isnull=False).exists()
    dossier.sha256, dossier.bytes, dossier.log_size = hashlib.sha256(pdf).hexdigest(), len(pdf), position.size
    dossier.verdict, dossier.trouble = verdicts.line(case), ""
    dossier.grant_id = UUID(case.grant.id) if case.grant else None
    dossier.people = people_in(position.size, str(dossier.case))
    dossier.made_at, dossier.next_try_at = _now(), None
    dossier.save()
    append(
        "dossier.made", by=by, case=dossier.case, subject=dossier.log_subject, dossier_id=dossier.pk,
        grant_id=dossier.grant_id, occasion=dossier.occasion, log_size=position.size, log_root=position.root,
        pdf_sha256=dossier.sha256, bytes=dossier.bytes, verdict=dossier.verdict[:2000], recipients=[] if again else recipients(case),
    )  # fmt: skip
    return dossier


@action(event="dossier.failed")
def record_failure(*, by: Actor, dossier: Dossier, code: str, sentence: str) -> None:
    """It could not be made and is tried again."""
    dossier.trouble = sentence
    dossier.save(update_fields=["trouble"])
    append(
        "dossier.failed", by=by, case=dossier.case, subject=dossier.log_subject, occasion=dossier.occasion, code=code,
        sentence=sentence,
    )  # fmt: skip


def _put_off(dossier: Dossier, error: Exception) -> None:
    """Try again later, whatever the log says to it; the log hears of it once."""
    error = disk_trouble(error) if isinstance(error, OSError) else error
    foreseen = isinstance(error, SAYS_WHY)
    dossier.refresh_from_db()  # what a making that failed had begun to write is no part of it
    dossier.next_try_at = _now() + timedelta(seconds=PAUSES_S[min(dossier.attempts, len(PAUSES_S) - 1)])
    dossier.attempts += 1
    dossier.save(update_fields=["next_try_at", "attempts"])
    logger.error(
        "the dossier of case %s could not be made and is tried again: %s", dossier.case, error, exc_info=not foreseen
    )
    if not dossier.trouble:
        # The text of an error that nobody foresaw may repeat what somebody typed: it stays out of what is never erased.
        sentence = str(error)[:400] if foreseen else f"{type(error).__name__}: the portal's own log says where."
        code = error.code if isinstance(error, RenderFailed) else "failed"
        record_failure(by=PORTAL, dossier=dossier, code=code, sentence=sentence)


def recipients(case: Case) -> list[str]:
    """Responder, who reviews (the pool, until somebody took it), and the owner of the system."""
    people = [case.asked.by] if case.asked else []
    if case.review is not None:
        people += [case.review.reviewer] if case.review.reviewer else list(case.review.pool)
    return list(dict.fromkeys(each for each in (*people, *_owner(case)) if each))


def _owner(case: Case) -> Iterable[str]:
    """As the log last said."""
    if case.asked is None:
        return ()
    described = of_subject(f"system:{case.asked.system_id}", ("system.registered", "system.changed"))
    return (described[-1].fields["owner_id"],) if described else ()


def _now() -> datetime:
    return datetime.fromtimestamp(now_ms() / 1000, UTC)
