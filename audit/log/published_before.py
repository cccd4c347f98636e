"""How much of the log was published before, by what was said of it: what others have seen does not become less."""

from collections.abc import Iterator

from audit.log.heartbeats import last_beat
from audit.log.read import last_named, size

LOOKED_BACK = 400  # checks, over a year of them: one that found less is no reason to expect less


def published_before() -> int:
    """The most entries that an earlier check saw published, or of which the sealer says so; 0 where nothing ever was."""
    return max([0, *_said()])


def _said() -> Iterator[int]:
    """Nothing is published that is not sealed: who says more could not have seen it, and would have every later log called damaged."""
    stored = size()
    for each in last_named(["log.checked"], LOOKED_BACK):
        published = each.fields.get("published") or 0
        if published <= (stored if each.index is None else each.index):
            yield published
    sealer = last_beat("sealer")
    said = sealer.detail.get("published") if sealer is not None else None
    if isinstance(said, int) and said <= stored:
        yield said
