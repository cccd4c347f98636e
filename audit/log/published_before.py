"""How much of the log was published before, by what was said of it: what others have seen does not become less."""

from audit.log.heartbeats import last_beat
from audit.log.read import last_named

LOOKED_BACK = 400  # checks, over a year of them: one that found less is no reason to expect less


def published_before() -> int:
    """The most entries that an earlier check saw published, or of which the sealer says so; 0 where nothing ever was."""
    checks = [each.fields.get("published") or 0 for each in last_named(["log.checked"], LOOKED_BACK)]
    sealer = last_beat("sealer")
    said = sealer.detail.get("published") if sealer is not None else None
    return max([*checks, said if isinstance(said, int) else 0])
