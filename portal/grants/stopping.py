"""The act of an emergency stop: nothing new from its commit on, and every open access of its systems ended with it, in one transaction."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from audit.log.append import Actor, action, process
from portal.access_requests.models import AccessRequest
from portal.access_requests.states import AWAITING
from portal.errors import Refused
from portal.grants import ending, still_known
from portal.grants.actions import revoke
from portal.grants.models import Grant
from portal.grants.queries import NOT_OVER, not_over_on
from portal.grants.states import CLOSING, ENDED, FAILED, FINAL
from portal.stops import actions as stops
from portal.stops.models import Stop
from portal.stops.queries import stopped
from portal.systems.models import System

logger = logging.getLogger("breakglass.grants")
ENDED_TOO = ("grant.revoked", "grant.failed", "sealed.rotation_owed")
CAUSE = "emergency stop"
MOST_SHOWN = 100
CAUGHT = "An emergency stop is in force."


@action(event=("stop.started", *ENDED_TOO), refused="stop.act_refused")
def start(*, by: Actor, system: System | None, reason: str) -> Stop:
    """Stop one system or all. Whoever may do that may end each access there, so each is ended in the name of this person.

    One that refuses to be ended holds up neither the stop nor the others: the sweep ends it within seconds. What somebody knows cannot be ended:
    see `still_known`.
    """
    stop = stops.start(by=by, system=system, reason=reason)
    for grant in not_over_on(system):
        try:
            revoke(by=by, grant=grant, reason=f"Emergency stop: {stop.reason}", cause=CAUSE)
        except Refused as refusal:
            logger.warning("grant %s is left to the sweep: %s", grant.pk, refusal.sentence)
    still_known.owe_of_all(by=by, system=system)
    return stop


def open_on_stopped() -> list[UUID]:
    """Grants that are not over on stopped systems: the stop ended all that it saw, so this is what came to be beside it."""
    return list(Grant.objects.filter(NOT_OVER, stopped()).order_by("pk").values_list("pk", flat=True))


def end_of_stopped(grant_id: UUID) -> None:
    """End what slipped past a stop; for the sweep."""
    _end_stopped(by=process("sweep"), grant=Grant.objects.get(pk=grant_id))
    ending.run(grant_id)


@action(event=ENDED_TOO)
def _end_stopped(*, by: Actor, grant: Grant) -> Grant:
    """Unlike `revoke` alone it puts no refusal on record: there are two sweeps, and one of them is later."""
    row = revoke(by=by, grant=grant, reason=CAUGHT, cause=CAUSE)
    still_known.owe_of(by=by, grant=row)
    return row


# --- what a stop met, for its page


def met_by(stop: Stop) -> QuerySet[Grant]:
    """Grants of its systems that were not over, or not read back, at some time while it was in force."""
    over = Q(state=ENDED, confirmed_at__lt=stop.started_at) | Q(state=FAILED, ended_at__lt=stop.started_at)
    rows = Grant.objects.exclude(over)
    if stop.system_id is not None:
        rows = rows.filter(system_id=stop.system_id)
    if stop.lifted_at is not None:
        rows = rows.filter(authorised_at__lte=stop.lifted_at)
    return rows


@dataclass(frozen=True)
class Standing:
    """How far the ending is: grants that the target showed gone, that may still be live, that were never opened; requests that wait.

    ``known``: grants that are over, but whoever held it was shown a secret that works until it is replaced; ``secrets``: how many such
    secrets there are, of earlier uses too.
    """

    read_back: int
    live: int
    not_opened: int
    waiting: int
    known: int = 0
    secrets: int = 0

    @property
    def total(self) -> int:
        """All grants that the stop met."""
        return self.read_back + self.live + self.not_opened + self.known


def standing(stop: Stop) -> Standing:
    """Three queries, however many there are."""
    valid = Q(still_known.still_valid())
    counted = met_by(stop).aggregate(
        read_back=Count("pk", filter=Q(state=ENDED) & ~valid), known=Count("pk", filter=Q(state=ENDED) & valid),
        not_opened=Count("pk", filter=Q(state=FAILED)), live=Count("pk", filter=~Q(state__in=FINAL)),
    )  # fmt: skip
    return Standing(**counted, waiting=waiting_on(stop.system), secrets=still_known.valid_count(stop))


def would_end(system: System | None) -> list[Grant]:
    """What a stop would end now, up to `MOST_SHOWN`, with what its page shows of it."""
    return list(not_over_on(system).select_related("person", "system", "privilege", "account")[:MOST_SHOWN])


def would_end_count(system: System | None) -> int:
    """How many that is."""
    return not_over_on(system).count()


def waiting_on(system: System | None) -> int:
    """How many requests wait for an answer there."""
    rows = AccessRequest.objects.filter(state=AWAITING)
    return (rows.filter(system=system) if system is not None else rows).count()


def closing_of(stop: Stop) -> list[UUID]:
    """Grants whose end is to be carried to the target now."""
    return list(met_by(stop).filter(state=CLOSING).order_by("pk").values_list("pk", flat=True))
