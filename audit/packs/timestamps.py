"""One timestamp over the bytes of each pack, where an authority is set (RFC 3161)."""

import hashlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.conf import settings

from audit.log.append import Actor, action, append, now_ms
from audit.log.locks import Lock, alone
from audit.log.models import Timestamp
from audit.log.timestamps.client import NotStamped, ask
from audit.log.timestamps.taking import CLOCK, roots, row, token_sha256
from audit.log.timestamps.tokens import VerifiedTimestamp
from audit.packs.models import Pack

LOOK_BACK = timedelta(days=7)


def run_due() -> int:
    """Take one for each pack of the last week that has none; how many were taken. After a failure the rest is left for the next time."""
    if not settings.PORTAL_TIMESTAMP_URL:
        return 0
    with alone(Lock.PACK_TIMESTAMP) as mine:
        return _take_all() if mine else 0


def of_pack(pack: Pack) -> Timestamp | None:
    """The one over its bytes."""
    return Timestamp.objects.filter(about=pack.log_subject).first()


def _due() -> list[Pack]:
    made = Pack.objects.filter(made_at__gt=datetime.fromtimestamp(now_ms() / 1000, UTC) - LOOK_BACK).order_by("made_at")
    have = set(Timestamp.objects.filter(about__in=[each.log_subject for each in made]).values_list("about", flat=True))
    return [each for each in made if each.log_subject not in have]


def _take_all() -> int:
    taken = 0
    with suppress(NotStamped):  # the log's own timestamps tell that the authority fails
        for pack in _due():
            taken += _take(pack)
    return taken


def _take(pack: Pack) -> bool:
    try:
        data = pack.file.read_bytes()
    except OSError:
        return False
    if hashlib.sha256(data).hexdigest() != pack.sha256:
        return False  # who wants to take it away is told so
    answer, found = ask(settings.PORTAL_TIMESTAMP_URL, data, roots())
    keep(by=CLOCK, pack=pack, answer=answer, found=found)
    return True


@action(event="pack.timestamped")
def keep(*, by: Actor, pack: Pack, answer: bytes, found: VerifiedTimestamp) -> None:
    """The pack was there at that time."""
    stored = row(pack.log_subject, answer, found)
    append(
        "pack.timestamped", by=by, subject=pack.log_subject, pack_id=pack.pk, sha256=found.sha256.hex(),
        token_sha256=token_sha256(answer), at=stored.at, authority=stored.authority,
    )  # fmt: skip
