"""The verdict in words."""

import json
from datetime import UTC, datetime, timedelta

from audit.log.cosignature import Cosigned
from audit.log.note import to_base64
from audit.log.said import Cut
from audit.log.verify.damage import Kind, Verdict

MOST_NAMED = 50
TAKE_ANEW = (
    "Was this copied while the log grew? Then take the copy anew: the checkpoint first, its tiles after it, and those once more; or give the address "
    "of the log. What is missing then as well was taken away."
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sentences(verdict: Verdict) -> list[str]:
    """For people."""
    named = [each.sentence() for each in verdict.damages[:MOST_NAMED]]
    more = len(verdict.damages) - len(named)
    if more:
        named.append(f"{more} more {_damages(more)}.")
    if _lacks_its_end(verdict):
        named.append(TAKE_ANEW)
    about = f"{verdict.origin}: {verdict.size} entries, root {to_base64(verdict.root)}." if verdict.origin else ""
    since = (
        f" from entry {verdict.whole_from} on; those before it were removed by a signed cut"
        if verdict.whole_from
        else ""
    )
    answer = (
        f"WHOLE{since}." if verdict.whole else f"NOT WHOLE: {len(verdict.damages)} {_damages(len(verdict.damages))}."
    )
    further = (*map(_of_cosigned, verdict.cosigned), *map(_of_cut, verdict.cuts))
    return [line for line in (*named, about, _of_resumed(verdict), *further, answer) if line]


def _lacks_its_end(verdict: Verdict) -> bool:
    """Whether a partial tile or bundle is missing. A copy that is torn and a log of which somebody took the end are then the same files."""
    missing = (Kind.TILE_MISSING, Kind.BUNDLE_MISSING)
    return any(each.kind in missing and ".p/" in each.path for each in verdict.damages)


def _damages(count: int) -> str:
    return "damage" if count == 1 else "damages"


def _of_resumed(verdict: Verdict) -> str:
    if not verdict.resumed:
        return ""
    return f"{verdict.resumed} of them were read by a run that began on {_time(verdict.resumed_since * 1000)} and broke off; the others now."


def _of_cosigned(line: Cosigned) -> str:
    return f"Cosigned by {line.by.name} on {_time(line.at * 1000)}."


def _of_cut(cut: Cut) -> str:
    return (
        f"Entry {cut.place}, of {_time(cut.at)}, cut entries {cut.from_index} to {cut.minimum - 1}, of {_time(cut.from_at)} to {_time(cut.to_at)}: "
        f"asked for by {cut.asked_by!r}, approved by {cut.approved_by!r}."
    )


def _time(at: int) -> str:
    try:
        return f"{EPOCH + timedelta(milliseconds=at):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return f"{at} ms"


def as_json(verdict: Verdict) -> str:
    """For machines."""
    said = {
        "whole": verdict.whole, "origin": verdict.origin, "size": verdict.size, "root": to_base64(verdict.root),
        "whole_from": verdict.whole_from, "cuts": [vars(each) for each in verdict.cuts], "checked": verdict.checked,
        "cosigned": [{"by": each.by.text(), "at": each.at} for each in verdict.cosigned], "resumed": verdict.resumed, "resumed_since": verdict.resumed_since,
        "damages": [
            {"kind": each.kind, "first": each.first, "last": each.last, "path": each.path, "why": each.why}
            for each in verdict.damages
        ],
    }  # fmt: skip
    return json.dumps(said, indent=1)
