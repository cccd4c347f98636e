"""The parts that keep the log, and since when each is behind: by the stored log, the settings and what the sealer says of itself.

Of what cannot be known now nothing is said: while the sealer gives no sign of life, that alone is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from audit.log.errors import ParseError
from audit.log.heartbeats import last_beat
from audit.log.models import Cosignature, Heartbeat
from audit.log.read import SKEW_MS, LoggedEvent, last_named, position, signed_after
from audit.log.witness.listed import Listed, parse_witnesses

SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
SILENT_MS = 15 * SECOND_MS  # the sealer says every two seconds that it lives
WAITS_MS = 30 * SECOND_MS  # an event, to be sealed
BEHIND_MS = 30 * SECOND_MS  # what is published, or cosigned by a required witness
OPTIONAL_MS = HOUR_MS  # what a witness has cosigned that is not required
STAMP_MS = 2 * HOUR_MS  # one is due in each hour
CHECK_MS = 26 * HOUR_MS  # one a day, and the time that it takes
SOON_MS, LATER_MS = MINUTE_MS, 15 * MINUTE_MS  # so long each look must have found it behind
SEALING, PUBLICATION, TIMESTAMPS, CHECK = "sealing", "publication", "timestamps", "check"
SEALER_TO_DO = "See on the status page what the sealer says, and in its output."


@dataclass(frozen=True)
class Part:
    """One part.

    ``since``: from when on it is behind (ms), nothing where it is on time; ``steady_ms``: so long it must be found behind before it is late.
    """

    what: str
    since: int | None
    steady_ms: int
    sentence: str
    to_do: str


def parts(at: int) -> Iterator[Part]:
    """Every part of which something is known at this time (ms)."""
    sealer = last_beat("sealer")
    silent = sealer is None or at - _ms(sealer) > SILENT_MS
    yield _sealing(sealer, at)
    if not silent and sealer is not None and settings.PORTAL_LOG_STORE:
        yield _publication(sealer, at)
    if not silent:
        yield from (_witness(each, at) for each in _listed())
    yield from (part for part in (_timestamps(at), _check(at)) if part is not None)


def _sealing(sealer: Heartbeat | None, at: int) -> Part:
    """Late where an event waits, or where the sealer has said nothing since it said something last."""
    waits = position().waiting_since
    known = (waits, WAITS_MS), (_ms(sealer) if sealer else None, SILENT_MS)
    late = [since for since, longest in known if since is not None and at - since > longest]
    sentence = "Events wait to be sealed, or the sealer gives no sign of life; openings go by their policy."
    return Part(SEALING, min(late, default=None), SOON_MS, sentence, SEALER_TO_DO)


def _publication(sealer: Heartbeat, at: int) -> Part:
    published = sealer.detail.get("published")
    since = _signed_after(published if isinstance(published, int) else 0, at - BEHIND_MS)
    sentence = "What is sealed is not published; others see an older log."
    return Part(PUBLICATION, since, SOON_MS, sentence, "See on the status page what the sealer says of the store.")


def _witness(listed: Listed, at: int) -> Part:
    rows = Cosignature.objects.filter(witness=listed.key.text(), size__lte=position().size)  # one beyond is of no entry
    newest = rows.order_by("-size").values_list("size", flat=True).first()
    since = _signed_after(newest or 0, at - (BEHIND_MS if listed.required else OPTIONAL_MS))
    demanded = " Systems whose policy demands it open nothing." if listed.required else ""
    sentence = f"The witness {listed.key.name} does not cosign the log.{demanded}"
    return Part(
        f"witness {listed.key.name}",
        since,
        SOON_MS,
        sentence,
        "Ask whoever runs it; the status page has what it answers.",
    )


def _timestamps(at: int) -> Part | None:
    if not settings.PORTAL_TIMESTAMP_URL:
        return None
    last = _last("log.timestamped", at)
    begun = last.at if last is not None else signed_after(0)
    since = begun if begun is not None and at - begun > STAMP_MS else None
    sentence = "The log is not timestamped for over two hours."
    return Part(TIMESTAMPS, since, LATER_MS, sentence, "See on the status page what the authority answers.")


def _check(at: int) -> Part | None:
    """Behind where a day's check was left out, or could not look at what is published."""
    last = _last("log.checked", at)
    begun = last.at if last is not None else signed_after(0)
    overdue = begun is not None and at - begun > CHECK_MS
    if last is not None and last.fields.get("unreachable") and not overdue:
        sentence = "The daily check of the log could not look at what is published."
        to_do = "See that PORTAL_LOG_STORE can be read; from an hour after that check on it is made again once it can."
        return Part(CHECK, last.at, 0, sentence, to_do)
    to_do = "See on the status page whether worker and beat, or watch, run."
    return Part(CHECK, begun if overdue else None, LATER_MS, "The log was not checked for over a day.", to_do)


def _last(name: str, at: int) -> LoggedEvent | None:
    """The last such entry; one that says that it was written in the future counts for nothing."""
    return next(iter(last_named([name], until=at + SKEW_MS)), None)


def _signed_after(size: int, until: int) -> int | None:
    """When the first checkpoint of more entries was signed (ms); nothing where that was later than ``until``, or there is none."""
    first = signed_after(size)
    return first if first is not None and first <= until else None


def _listed() -> tuple[Listed, ...]:
    try:
        return parse_witnesses(settings.PORTAL_LOG_WITNESSES)
    except ParseError:  # audit.log.anchors says so
        return ()


def _ms(sealer: Heartbeat) -> int:
    return int(sealer.at.timestamp() * 1000)
