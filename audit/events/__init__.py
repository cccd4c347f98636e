"""Every event that the log may hold, by name. Start reading here: one file for each family."""

from audit.events import (
    backups,
    eligibility,
    erasing,
    evidence,
    grants,
    judging,
    offline,
    people,
    policy,
    receivers,
    requests,
    rotas,
    sealed,
    sources,
    stops,
    systems,
)
from audit.events.spec import EventType, index

catalogue: dict[str, EventType] = index(
    module.EVENTS
    for module in (
        people,
        systems,
        eligibility,
        policy,
        requests,
        grants,
        sealed,
        offline,
        judging,
        sources,
        evidence,
        receivers,
        stops,
        rotas,
        erasing,
        backups,
    )
)

__all__ = ["catalogue"]
