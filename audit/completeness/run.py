"""Judging what is due, as often as anybody likes: a verdict is written once, and again only when it has changed."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from audit.completeness.collecting import collect
from audit.completeness.evidence import Verdict, Window
from audit.completeness.judging import judge
from audit.completeness.windows import DAY, day_windows, events_between, grant_windows, scheme_of
from audit.log.append import Entry, append_many, process
from audit.log.locks import until_commit
from audit.log.logged import COLUMNS, events_of
from audit.log.models import Event
from audit.sources.declared import Source, declared

RECENT = 3 * DAY
"""Milliseconds. Older windows are looked at again only when something was found missing in them."""
MOST_DAYS = 40 * DAY
SETTLED = frozenset({"complete", "reconciled", "gap", "not covered"})
UNSETTLING = ("source.loss_found", "source.settings_changed", "session.unmatched", "session.started", "session.ended")
COMPLETENESS = process("completeness")
LOCK = 0x627265616B  # one judge at a time, so that no verdict is written twice
RANGES, WORDS = 100, 500


@dataclass(frozen=True)
class Last:
    """The verdict that stands."""

    verdict: str
    reasons: list[str]
    ranges: list[str]
    at: int


def judge_due(now: int) -> int:
    """Judge every window that is due at ``now`` (ms); how many verdicts were written.

    Raises:
        LogUnavailable: the log cannot be written; what was judged before stays.
    """
    sources = declared()
    since = min([now - RECENT, *_noticed_late(now)])
    due = grant_windows(sources, since, now)
    due += [(source, window) for source in sources for window in day_windows(source, max(since, now - MOST_DAYS), now)]
    last, newest = _last_verdicts(since), _newest_evidence(now)
    written = 0
    for source, window in due:
        standing = last.get(window.id)
        if standing and standing.verdict in SETTLED and _unsettled_at(window, newest) < standing.at:
            continue
        written += _judge_one(source, window, now)
    return written


def _noticed_late(now: int) -> list[int]:
    """Times in which something is missing that was noticed of late."""
    return [event.fields["from_at"] for event in events_between(("source.loss_found",), now - RECENT, now)]


def _last_verdicts(since: int) -> dict[str, Last]:
    judged = events_between(("completeness.judged",), since, 2**62)
    return {event.fields["window_id"]: _last(event.fields, event.at) for event in judged}


def _last(fields: dict[str, Any], at: int) -> Last:
    return Last(fields["verdict"], fields.get("reasons", []), fields.get("ranges", []), at)


def _newest_evidence(now: int) -> dict[str, int]:
    """When something was last written that may change a verdict, by source and by grant.

    Sessions change the verdict of their own grant alone; everything else may change any verdict of its source.
    """
    newest: dict[str, int] = {}
    for event in events_between(UNSETTLING, now - RECENT, 2**62):
        of_grant = event.name in ("session.started", "session.ended")
        key = event.fields.get("grant_id", "") if of_grant else event.fields["source_id"]
        newest[key] = event.at
    return newest


def _unsettled_at(window: Window, newest: dict[str, int]) -> int:
    return max(newest.get(window.source_id, -1), newest.get(window.grant_id, -1) if window.grant_id else -1)


@transaction.atomic
def _judge_one(source: Source, window: Window, now: int) -> int:
    """One verdict, unless the same one stands."""
    until_commit(LOCK)
    scheme = scheme_of(source)
    verdict = judge(window, scheme, collect(window, source.subject, scheme), now)
    standing = _standing(window)
    ranges, reasons = list(verdict.ranges[:RANGES]), [reason[:WORDS] for reason in verdict.reasons[:RANGES]]
    if standing and (standing.verdict, standing.ranges, standing.reasons) == (verdict.kind, ranges, reasons):
        return 0
    append_many(_entries(window, verdict, reasons, ranges))
    return 1


def _subject(window: Window) -> str:
    return f"grant:{window.grant_id}" if window.grant_id else f"source:{window.source_id}"


def _standing(window: Window) -> Last | None:
    rows = Event.objects.filter(subject=_subject(window), name="completeness.judged", at__gte=window.from_at).order_by(
        "-at"
    )
    events = events_of(rows.values_list(*COLUMNS).iterator(chunk_size=20))
    return next((_last(event.fields, event.at) for event in events if event.fields["window_id"] == window.id), None)


def _entries(window: Window, verdict: Verdict, reasons: list[str], ranges: list[str]) -> list[Entry]:
    fields: dict[str, Any] = {
        "window_id": window.id, "source_id": window.source_id, "system_id": window.system_id, "kind": window.kind,
        "grant_id": window.grant_id or None, "from_at": window.from_at, "to_at": window.to_at, "verdict": verdict.kind,
        "reasons": reasons or None, "ranges": ranges or None,
    }  # fmt: skip
    names = ("completeness.judged", "completeness.gap_found") if verdict.kind == "gap" else ("completeness.judged",)
    return [Entry(name, COMPLETENESS, fields, window.case, _subject(window)) for name in names]
