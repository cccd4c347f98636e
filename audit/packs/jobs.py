"""Packs that were asked for are made: by a worker, or by a sweep when there is none. One process at a time for each pack.

What is due is in the database; a crash leaves it due, and the position of the log that was fixed at the beginning stays.
"""

import hashlib
import logging
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from audit.controls.model import CatalogueRefused
from audit.facts.fold import CannotFold
from audit.log.append import now_ms, process
from audit.log.read import of_subject
from audit.packs.actions import record_failure, record_pack
from audit.packs.evidence import Say, Scope, gathered
from audit.packs.keeping import keep, only_one
from audit.packs.models import Pack
from audit.packs.paper import Paper, Ready, Request, drawn, ready
from audit.packs.position import NoPosition, Position, at_size, newest
from audit.packs.render import RenderFailed, workplace
from audit.packs.signing import CannotSign, SigningKey, sign, signing_key

logger = logging.getLogger("breakglass.packs")
PORTAL = process("packs")
MOST_ATTEMPTS = 3
TELL_EVERY_S = 0.5
FAILURES = (RenderFailed, CannotSign, CannotFold, CatalogueRefused, NoPosition)


def run_due() -> int:
    """Make every pack that waits; returns how many were made."""
    waiting = Pack.objects.filter(made_at__isnull=True, failed_at__isnull=True).order_by("asked_at")
    return sum(make(pk) for pk in list(waiting.values_list("pk", flat=True)))


def make(pack_id: UUID) -> bool:
    """Make one pack, unless it is made, failed, or being made by another process."""
    with only_one(f"pack {pack_id}") as mine:
        pack = Pack.objects.filter(pk=pack_id, made_at__isnull=True, failed_at__isnull=True).first() if mine else None
        if pack is None:
            return False
        try:
            _begin(pack)
            _make(pack)
        except FAILURES as error:
            logger.error("pack %s could not be made: %s", pack_id, error)
            pack.file.unlink(missing_ok=True)  # of an attempt that broke off after it: nobody would ever remove it
            record_failure(by=PORTAL, pack=pack, code=getattr(error, "code", type(error).__name__), sentence=str(error))
            return False
    return True


def _begin(pack: Pack) -> None:
    """Fix the position, so that the same pack comes of it after a crash; what crashes again and again is given up."""
    if pack.attempts >= MOST_ATTEMPTS:
        raise RenderFailed(
            "given_up", f"The pack was begun {pack.attempts} times and never finished. Ask for it again."
        )
    pack.attempts += 1
    pack.begun_at = pack.begun_at or datetime.fromtimestamp(now_ms() / 1000, UTC)
    pack.log_size = pack.log_size or newest().size
    pack.save(update_fields=["attempts", "begun_at", "log_size"])


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
            "cases": laid.cases, "activities": laid.activities, "root": position.root, "at": position.at,
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


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
