"""Asking for a pack, what became of it, and taking it away. Each with its event; the file itself is made by ``jobs.py``."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from audit.controls.loading import load_catalogue
from audit.log.append import Actor, action, append, now_ms
from audit.packs.errors import NotAllowed, NotAsAsked, NotThere
from audit.packs.models import Dossier, Pack
from audit.packs.paper import Paper
from audit.packs.position import Position
from audit.packs.results import PrintedTest, populations
from audit.packs.rules import VIEW_CASE, in_role_and_scope, need_fresh, need_scope

# Links to packs that end, and profiles that redact for the reader, are not built; the event asks for two words, so it is told so.
NOT_REDACTED, NONE_REQUIRED = "not redacted", "none set"
GONE = {"erased": "values of somebody in it were erased", "cut": "the entries that it was made of were cut"}
LEAST_PURPOSE = 10  # characters
MOST_PURPOSE = 500


@action(event="pack.requested", refused="pack.act_refused")
def request_pack(
    *, by: Actor, start: int, end: int, systems: Sequence[str], frameworks: Sequence[str], purpose: str
) -> Pack:
    """Ask for a pack of a period, from ``start`` up to, not including, ``end`` (ms).

    Raises:
        NotAllowed, StepUpNeeded: the person is no auditor of all the systems, or has not confirmed.
        NotAsAsked: the period, the systems, the frameworks or the purpose are missing or wrong.
    """
    need_scope(by, systems)
    need_fresh(by)
    _check(start, end, systems, frameworks, purpose)
    pack = Pack.objects.create(
        asked_by=by.id, asked_at=_moment(now_ms()), period_start=_moment(start), period_end=_moment(end),
        systems=sorted(set(systems)), frameworks=[each for each in load_catalogue().frameworks if each in frameworks],
    )  # fmt: skip
    append(
        "pack.requested", by=by, subject=pack.log_subject, pack_id=pack.pk, period_start=start, period_end=end,
        systems=pack.systems, frameworks=pack.frameworks, purpose=purpose.strip(),
    )  # fmt: skip
    return pack


def _check(start: int, end: int, systems: Sequence[str], frameworks: Sequence[str], purpose: str) -> None:
    if start >= end or start > now_ms():
        raise NotAsAsked("The period must begin before it ends, and must have begun.", kind="period")
    if not systems:
        raise NotAsAsked("Choose at least one system.", kind="systems")
    if unknown := set(frameworks) - set(load_catalogue().frameworks):
        raise NotAsAsked(f"There is no framework {sorted(unknown)[0]} in the catalogue.", kind="frameworks")
    if not LEAST_PURPOSE <= len(purpose.strip()) <= MOST_PURPOSE:
        raise NotAsAsked("Say in a few words what the pack is for; it is printed on the cover.", kind="purpose")


@action(event="pack.made")
def record_pack(
    *, by: Actor, pack: Pack, pdf_sha256: str, unsigned_sha256: str, size: int, paper: Paper, position: Position,
    tests: Sequence[PrintedTest], catalogue_sha256: str, counts: dict[str, Any], signer: str,
) -> Pack:  # fmt: skip
    """The pack lies under its name."""
    outcome = {each.result.id: each.result.result for each in tests}
    pack.made_at, pack.sha256, pack.bytes = _moment(now_ms()), pdf_sha256, size
    pack.pages, pack.results, pack.counts, pack.signer, pack.trouble = paper.pages, outcome, counts, signer, ""
    pack.stage, pack.done, pack.total, pack.next_try_at = "Made", 1, 1, None
    pack.save()
    append(
        "pack.made", by=by, subject=pack.log_subject, pack_id=pack.pk, log_size=position.size, log_root=position.root,
        position_at=position.at, pdf_sha256=pdf_sha256, unsigned_sha256=unsigned_sha256,
        facts_sha256=paper.sha256("facts.sqlite"), catalogue_sha256=catalogue_sha256, pages=paper.pages, bytes=size,
        populations=populations(tests), results=outcome, signer=signer or None,
    )  # fmt: skip
    return pack


@action(event="pack.failed")
def record_failure(*, by: Actor, pack: Pack, code: str, sentence: str) -> Pack:
    """The pack could not be made; it can be asked for again."""
    pack.failed_at, pack.trouble, pack.next_try_at = _moment(now_ms()), sentence[:400], None
    pack.save(update_fields=["failed_at", "trouble", "next_try_at"])
    append("pack.failed", by=by, subject=pack.log_subject, pack_id=pack.pk, code=code, sentence=sentence[:400])
    return pack


@action(event="pack.put_off")
def put_off(*, by: Actor, pack: Pack, until: datetime, code: str, sentence: str) -> Pack:
    """The pack could not be made this time, and is tried again."""
    pack.next_try_at, pack.trouble = until, sentence[:400]
    pack.save(update_fields=["next_try_at", "trouble"])
    append("pack.put_off", by=by, subject=pack.log_subject, pack_id=pack.pk, code=code, sentence=sentence[:400])
    return pack


@action(event="pack.downloaded", refused="pack.act_refused")
def download_pack(*, by: Actor, pack: Pack, purpose: str) -> bytes:
    """Take a pack away; each time is on record.

    Raises:
        NotAllowed, StepUpNeeded: the person is no auditor of all its systems, or has not confirmed.
        NotThere: it is not made yet, or its file is not what was made.
    """
    need_scope(by, pack.systems, pack)
    need_fresh(by, pack)
    data = _file(pack)
    append(
        "pack.downloaded", by=by, subject=pack.log_subject, pack_id=pack.pk, person_id=by.id,
        in_role_and_scope=in_role_and_scope(by, pack.systems), purpose_given=bool(purpose.strip()),
        redaction_profile=NOT_REDACTED, required_profile=NONE_REQUIRED,
    )  # fmt: skip
    return data


@action(event="dossier.downloaded", refused="dossier.act_refused")
def download_dossier(*, by: Actor, dossier: Dossier, viewer: Any) -> bytes:
    """Take a dossier away; each time is on record.

    Raises:
        NotAllowed, StepUpNeeded: the person may not see the case, or has not confirmed.
        NotThere: it is not made yet, or its file is not what was made.
    """
    if str(viewer.pk) != by.id or not viewer.has_perm(VIEW_CASE, str(dossier.case)):
        raise NotAllowed("You cannot see this case.", about=dossier, kind="not in role and scope")
    need_fresh(by, dossier)
    data = _file(dossier)
    append(
        "dossier.downloaded",
        by=by,
        case=dossier.case,
        subject=dossier.log_subject,
        dossier_id=dossier.pk,
        person_id=by.id,
    )
    return data


def _file(row: Pack | Dossier) -> bytes:
    """The stored file, if it is still the one that was made."""
    if row.gone_at is not None:
        raise NotThere(
            f"Its file was removed: {GONE[row.gone_why]} on {row.gone_at:%-d %b %Y}. Make it again.",
            about=row,
            kind="removed",
        )
    try:
        data = row.file.read_bytes() if row.made_at else b""
    except OSError:
        data = b""
    if not data:
        raise NotThere("The file is not there. It may still be in the making.", about=row, kind="no file")
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise NotThere(
            "The stored file is not the one that was made. Nothing is handed out.", about=row, kind="changed"
        )
    return data


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
