"""The attestations of the demo's past: sealed accounts each month, the lists and roles of all systems once in the quarter.

Through the real actions, line by line, at a pace at which somebody can read.
"""

from dataclasses import dataclass
from datetime import datetime

from portal.campaigns import actions as campaigns
from portal.campaigns import starting
from portal.campaigns.models import Campaign, Item
from portal.campaigns.states import OPEN
from portal.campaigns.weighing import HIGH
from portal.demo.clock import at
from portal.demo.organisation import Organisation
from portal.demo.stage import Stage

FIRST = "PostgreSQL primary, billing"
EACH_LINE_MS = 20_000
KEPT = "{}: used or on call this quarter; still in the team that runs the system."
SHORTER, ENDS_AT = "{}: the wiki moves at the end of the year.", at("2026-12-31 00:00")


@dataclass(frozen=True)
class Round:
    """What is due then is listed, seen, decided and closed."""

    listed_at: datetime
    shown_at: datetime
    decided_at: datetime
    closed_at: datetime


def _round(listed: str, seen: str, closed: str) -> Round:
    return Round(at(f"{listed} 00:00"), at(f"{seen} 09:57"), at(f"{seen} 10:00"), at(f"{closed} 00:00"))


ROUNDS = (
    _round("2026-07-15", "2026-07-17", "2026-07-23"),
    _round("2026-08-15", "2026-08-17", "2026-08-21"),
    _round("2026-09-10", "2026-09-12", "2026-09-18"),  # all systems; the third of the sealed accounts among them
)


def list_rights(stage: Stage, which: Round) -> None:
    """The attestations that are due begin, each with the list of its system as it stands."""
    for system in stage.organisation.systems.values():
        stage.move(system, which.listed_at)
    stage.run("campaigns", "outbox")
    for system in stage.organisation.systems.values():
        stage.release(system)


def decide_lines(stage: Stage, which: Round) -> None:
    """Each line stands before whom it was put to, its evidence is looked at, and it is decided with a reason."""
    people = {person.pk: key for key, person in stage.organisation.people.items()}
    begun = _in_order(stage.organisation, which)
    for campaign in begun:
        for reviewer in sorted({people[item.reviewer_id] for item in campaign.items.all() if item.reviewer_id}):
            stage.organisation.clock.set(which.shown_at)
            campaigns.show(by=stage.organisation.by(reviewer), campaign=campaign)
    stage.organisation.clock.set(which.decided_at)
    for campaign in begun:
        for item in campaign.items.filter(reviewer__isnull=False).order_by("label"):
            _decide(stage.organisation, item, people[item.reviewer_id] if item.reviewer_id else "")
    stage.run("campaigns", "outbox")


def _decide(organisation: Organisation, item: Item, key: str) -> None:
    """Kept as it is; Emil's line of the wiki is made shorter."""
    if item.facts.get("risk") == HIGH:
        campaigns.open_evidence(by=organisation.by(key), item=item)
    if item.campaign.system_id == organisation.systems["wiki"].pk and item.subject_kind == "eligibility":
        ends_at = organisation.clock.told(ENDS_AT)
        campaigns.modify(by=organisation.by(key), item=item, to_at=ends_at, reason=SHORTER.format(item.label))
    else:
        campaigns.keep(by=organisation.by(key), item=item, reason=KEPT.format(item.label))
    organisation.clock.at += EACH_LINE_MS


def _in_order(organisation: Organisation, which: Round) -> list[Campaign]:
    """Those of the round that are open; of billing first."""
    since = organisation.clock.told(which.listed_at)
    still_open = Campaign.objects.filter(state=OPEN, snapshot_at__gte=since).select_related("system")
    return sorted(still_open, key=lambda each: (each.system is None, each.name != FIRST, each.name, each.kind))


def close(stage: Stage, which: Round) -> None:
    """With the catalogue's statement; then the next ones are owed."""
    stage.organisation.clock.set(which.closed_at)
    for campaign in _in_order(stage.organisation, which):
        campaigns.close(by=stage.organisation.by("mo" if campaign.system_id else "quinn"), campaign=campaign)
    stage.run("campaigns", "outbox")


def leave_one_open(organisation: Organisation, slug: str) -> Campaign:
    """At the demo's present an administrator begins one before its time, so that owners always find lines to decide."""
    return starting.run_now(by=organisation.by("pia"), system=organisation.systems[slug])
