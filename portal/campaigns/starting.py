"""Begins a campaign: the target is listed first, outside of any transaction, then the list is taken."""

import logging
from datetime import timedelta

from audit.log.append import Actor, process
from portal.access_requests.rules import allows
from portal.campaigns.actions import set_duty, start, tell_of_nobody
from portal.campaigns.lines import Line, lines_of
from portal.campaigns.models import Campaign, Duty
from portal.campaigns.rules import attester_for, attesters, may_start
from portal.campaigns.states import OPEN
from portal.clock import now
from portal.connectors.base import ConnectorError
from portal.errors import ChangedMeanwhile
from portal.grants.targets import connector_of
from portal.people.strength import is_fresh
from portal.reconciliation.listings import NotListed, take
from portal.reconciliation.models import Listing
from portal.systems.models import System

logger = logging.getLogger("breakglass.campaigns")
SWEEP = process("sweep")
PATIENCE = timedelta(days=7)  # before the duty is due; then the list alone is attested, without the target


def run(duty: Duty) -> Campaign | None:
    """Begin what is due. While the target does not answer, it is tried again; in the last week it begins without.

    While nobody may decide on one of its lines it waits too, which is told once: a sweep must not fill the log with refusals.
    """
    nobody = _nobody(duty.system)
    if nobody is not None:
        tell_of_nobody(by=SWEEP, duty=duty, line=nobody)
        return None
    try:
        listing = listed(SWEEP, duty.system)
    except NotListed as refusal:
        if now() < duty.due_at - PATIENCE:
            logger.warning("campaign of %s waits: %s", duty.system.slug, refusal.sentence)
            return None
        listing = None
    return start(by=SWEEP, duty=duty, listing=listing)


def _nobody(system: System) -> Line | None:
    """The first line on which nobody may decide. Nobody is concerned in what stands on the target, so it need not be asked."""
    people = attesters(system)
    return next((line for line in lines_of(system, None) if attester_for(line.concerned, people) is None), None)


def run_now(*, by: Actor, system: System) -> Campaign:
    """Begin the next one before its time.

    Raises:
        NotAllowed, ChangedMeanwhile: who may not; one is open.
        NotListed: the target does not answer.
    """
    duty = (
        Duty.objects.filter(system=system, campaign__isnull=True).select_related("system").order_by("-due_at").first()
    )
    duty = duty or Duty.objects.filter(system=system, campaign__state=OPEN).first() or _set(system)
    refused = not is_fresh(by) or not allows(may_start, by, system)
    if refused or Campaign.objects.filter(system=system, state=OPEN).exists():
        return start(
            by=by, duty=duty, listing=None
        )  # which refuses, and puts that on record, before the target is asked
    return start(by=by, duty=duty, listing=listed(by, system))


def _set(system: System) -> Duty:
    try:
        return set_duty(by=SWEEP, system=system)
    except ChangedMeanwhile:  # somebody was quicker, and may have begun the campaign too
        return Duty.objects.filter(system=system).select_related("system").latest("due_at")


def listed(by: Actor, system: System) -> Listing | None:
    """A fresh listing; nothing where the kind of target cannot say who is able to act."""
    try:
        able = connector_of(system).lists_access
    except ConnectorError as error:
        raise NotListed(error.sentence, about=system) from error
    return take(by=by, system=system) if able else None
