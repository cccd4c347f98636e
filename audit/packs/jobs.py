"""Packs that were asked for are made: by a worker, or by a sweep when there is none. One process at a time for each pack.

What is due is in the database; a crash leaves it due, and the position of the log that was fixed at the beginning stays.
"""

import hashlib
import logging
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from audit.controls.model import CatalogueRefused
from audit.facts.fold import CannotFold
from audit.log.append import now_ms, process
from audit.log.read import of_subject
from audit.packs.actions import put_off, record_failure, record_pack
from audit.packs.evidence import Say, Scope, gathered
from audit.packs.keeping import forget, keep, only_one
from audit.packs.models import Pack
from audit.packs.paper import Paper, Ready, Request, drawn, ready
from audit.packs.position import NoPosition, Position, at_size, newest
from audit.packs.render import RenderFailed, disk_trouble, workplace
from audit.packs.signing import CannotSign, SigningKey, sign, signing_key

logger = logging.getLogger("breakglass.packs")
PORTAL = process("packs")
MOST_ATTEMPTS = 5
PAUSES_S = (30, 120, 600, 3600)
MAY_PASS = ("disk", "failed")  # codes of drawing; a limit that was reached is reached again
TELL_EVERY_S = 0.5
LASTING = (RenderFailed, CannotSign, CannotFold, CatalogueRefused, NoPosition)


def run_due() -> int:
    """Make every pack that waits; returns how many were made. One that cannot be made holds up no other."""
    return sum(make(pk) for pk in list(_due().order_by("asked_at").values_list("pk", flat=True)))


def _due() -> QuerySet[Pack]:
    rested = Q(next_try_at__isnull=True) | Q(next_try_at__lte=_now())
    return Pack.objects.filter(rested, made_at__isnull=True, failed_at__isnull=True)


def make(pack_id: UUID) -> bool:
    """Make one pack, unless it is made, failed, put off, or being made by another process."""
    with only_one(f"pack {pack_id}") as mine:
        pack = _due().filter(pk=pack_id).first() if mine else None
        if pack is None:
            return False
        try:
            _begin(pack)
            _make(pack)
        except Exception as error:  # noqa: BLE001 - whatever one pack brings up, it is recorded and the others are made
            _not_made(pack, error)
            return False
    return True


def _not_made(pack: Pack, error: Exception) -> None:
    """Given up, or put off where another try may help."""
    pack.refresh_from_db()  # what a making that failed had begun to write is no part of it
    known = disk_trouble(error) if isinstance(error, OSError) else error
    foreseen = isinstance(known, LASTING)
    logger.error("pack %s could not be made: %s", pack.pk, known, exc_info=None if foreseen else error)
    passing = pack.attempts < MOST_ATTEMPTS and (not foreseen or _may_pass(known))
    try:
        forget(pack.file)  # of an attempt that broke off after it: nobody would ever remove it
    except OSError as still:
        known, foreseen, passing = disk_trouble(still), True, True
    # The text of an error that nobody foresaw may repeat what somebody typed: it stays out of what is never erased.
    sentence = str(known) if foreseen else f"{type(known).__name__}: the portal's own log says where."
    said = {"code": getattr(known, "code", type(known).__name__), "sentence": sentence}
    if passing:
        pause = PAUSES_S[min(pack.attempts, len(PAUSES_S)) - 1]
        put_off(by=PORTAL, pack=pack, until=_now() + timedelta(seconds=pause), **said)
    else:
        record_failure(by=PORTAL, pack=pack, **said)


def _may_pass(error: Exception) -> bool:
    """A disk that fails, also under the signing key or in a library that says something else of it; a key that is not there is a setting."""
    cause = error.__cause__
    return (isinstance(error, RenderFailed) and error.code in MAY_PASS) or (
        isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    )


def _begin(pack: Pack) -> None:
    """Fix the position, so that the same pack comes of it after a crash; what crashes again and again is given up."""
    if pack.attempts >= MOST_ATTEMPTS:
        raise RenderFailed(
            "given_up", f"The pack was begun {pack.attempts} times and never finished. Ask for it again."
        )
    pack.attempts += 1
    pack.begun_at = pack.begun_at or _now()
    pack.save(update_fields=["attempts", "begun_at"])
    pack.log_size = pack.log_size or newest().size
    pack.save(update_fields=["log_size"])


def _make(pack: Pack) -> None:
    position, key = at_size(pack.log_size or 0), signing_key()
    say = Progress(pack)
    with workplace() as folder:
        laid = _laid(pack, position, folder, say, signed=key is not None)
        say("The PDF is drawn", 0, 0)
        _keep(pack, laid, drawn(laid), position, key)


def _laid(pack: Pack, position: Position, folder: Path, say: Say, *, signed: bool) -> Ready:
    """Everything is gathered, and gone from memory before it is drawn."""
    evidence = gathered(scope_of(pack), position, say)
    with closing(evidence.db):
        return ready(evidence, request_of(pack), folder, signed=signed, demo=settings.PORTAL_DEMO)


def _keep(pack: Pack, laid: Ready, paper: Paper, position: Position, key: SigningKey | None) -> None:
    pdf = sign(paper.pdf, key) if key else paper.pdf
    keep(pack.file, pdf)
    record_pack(
        by=PORTAL, pack=pack, pdf_sha256=hashlib.sha256(pdf).hexdigest(),
        unsigned_sha256=hashlib.sha256(paper.pdf).hexdigest(), size=len(pdf), paper=paper, position=position,
        tests=laid.tests, catalogue_sha256=laid.catalogue_sha256, signer=key.name if key else "",
        counts={
            "cases": laid.cases, "activities": laid.activities, "unproved": laid.unproved, "root": position.root, "at": position.at,
            "fingerprint": key.fingerprint if key else "", "files": [vars(each) for each in paper.files],
        },
    )  # fmt: skip


def scope_of(pack: Pack) -> Scope:
    """What was asked for."""
    return Scope(_ms(pack.period_start), _ms(pack.period_end), tuple(pack.systems), tuple(pack.frameworks))


def request_of(pack: Pack) -> Request:
    """Who asked and why; the words of the purpose lie beside the log, where erasure reaches them."""
    asked = of_subject(pack.log_subject, ("pack.requested",), 1)
    purpose = asked[0].says("purpose") if asked else ""
    return Request(str(pack.pk), str(pack.asked_by), _ms(pack.asked_at), purpose)


class Progress:
    """Tells the pack's row how far the work is, at most twice a second."""

    def __init__(self, pack: Pack) -> None:
        """Begin with nothing told."""
        self._pk, self._stage, self._told_at = pack.pk, "", float("-inf")

    def __call__(self, stage: str, done: int, total: int) -> None:
        """So much of so much is done; a total of 0 is not known."""
        if stage == self._stage and done != total and time.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._stage, self._told_at = stage, time.monotonic()
        Pack.objects.filter(pk=self._pk).update(stage=stage, done=done, total=total)


def _now() -> datetime:
    return datetime.fromtimestamp(now_ms() / 1000, UTC)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
