"""Begins a campaign: the target is listed first, outside of any transaction, then the list is taken."""

import logging
from datetime import timedelta

from audit.log.append import Actor, process
from portal.access_requests.rules import allows
from portal.campaigns.beginning import is_open, start
from portal.campaigns.duties import set_duty
from portal.campaigns.lapsing import still_owed
from portal.campaigns.lists import ELIGIBILITIES, LISTS
from portal.campaigns.models import Campaign, Duty
from portal.campaigns.rules import is_attested, may_start
from portal.campaigns.states import OPEN
from portal.clock import now
from portal.connectors.base import ConnectorError
from portal.errors import ChangedMeanwhile, Refused
from portal.grants.targets import connector_of
from portal.people.strength import is_fresh
from portal.reconciliation.listings import NotListed, take
from portal.reconciliation.models import Listing
from portal.sealed.queries import systems_with_accounts
from portal.systems.models import System

logger = logging.getLogger("breakglass.campaigns")
SWEEP = process("sweep")
PATIENCE = timedelta(days=7)  # before the duty is due; then the list alone is attested, without the target


def run(duty: Duty) -> Campaign | None:
    """Begin what is due. While the target does not answer, it is tried again; in the last week it begins without."""
    try:
        listing = listed(SWEEP, duty.subject_kind, duty.system)
    except NotListed as refusal:
        if now() < duty.due_at - PATIENCE:
            logger.warning("campaign of %s waits: %s", duty.name, refusal.sentence)
            return None
        listing = None
    return start(by=SWEEP, duty=duty, listing=listing)


def run_now(*, by: Actor, system: System | None, kind: str = ELIGIBILITIES) -> Campaign:
    """Begin the next one of a list before its time.

    Raises:
        NotAllowed, ChangedMeanwhile: who may not; one is open.
        RefusedByPolicy: there is no such list.
        NotListed: the target does not answer.
    """
    is_attested(kind, system)
    mine = Duty.objects.filter(system=system, subject_kind=kind).select_related("system")
    duty = next(iter(still_owed(mine.filter(campaign__isnull=True).order_by("-due_at"))), None)
    duty = duty or mine.filter(campaign__state=OPEN).first() or _set(system, kind)
    if not is_fresh(by) or not allows(may_start, by, system) or is_open(duty):
        return start(
            by=by, duty=duty, listing=None
        )  # which refuses, and puts that on record, before the target is asked
    return start(by=by, duty=duty, listing=listed(by, kind, system))


def run_all(*, by: Actor, kind: str) -> tuple[list[Campaign], list[Refused]]:
    """Begin the next one of each list of the kind that the person may begin and that is not open; and what was refused."""
    systems = System.objects.filter(in_scope_to__isnull=True).select_related("owner")
    if LISTS[kind].of_accounts:
        systems = systems.filter(pk__in=systems_with_accounts())
    scopes: list[System | None] = [*systems, *([None] if LISTS[kind].of_all else [])]
    begun: list[Campaign] = []
    refused: list[Refused] = []
    for system in (each for each in scopes if allows(may_start, by, each)):
        if not Campaign.objects.filter(system=system, kind=kind, state=OPEN).exists():
            try:
                begun.append(run_now(by=by, system=system, kind=kind))
            except (NotListed, ChangedMeanwhile) as refusal:
                refused.append(refusal)
    return begun, refused


def _set(system: System | None, kind: str) -> Duty:
    try:
        return set_duty(by=SWEEP, system=system, kind=kind)
    except ChangedMeanwhile:  # somebody was quicker, and may have begun the campaign too
        return Duty.objects.filter(system=system, subject_kind=kind).select_related("system").latest("due_at")


def listed(by: Actor, kind: str, system: System | None) -> Listing | None:
    """A fresh listing; nothing where the list asks no target, or the kind of target cannot say who is able to act."""
    if system is None or not LISTS[kind].asks_target:
        return None
    try:
        able = connector_of(system).lists_access
    except ConnectorError as error:
        raise NotListed(error.sentence, about=system) from error
    return take(by=by, system=system) if able else None
