"""What a proposed policy would have done to the requests of 90 days, as its page works it out."""

import time
from dataclasses import replace
from datetime import timedelta

from portal.access_requests.models import AccessRequest, Approval
from portal.clock import now
from portal.grants.models import Grant
from portal.policy.rules import Policy, Tier
from portal.reviews.lookback import looked_back
from portal.reviews.models import Review
from portal.rotas.actions import set_up
from tests.benchmarks.rows import Row, at_most
from tests.worlds import REASON, World, actor, make_world

REQUESTS, BAR_S = 2000, 5.0
STRICTER = Policy(
    min_approvals=2, approver_groups=2, max_grant_minutes=60, lapse_minutes=10, max_extensions=0, review_due_hours=24
)


def write(world: World, requests: int) -> None:
    """Decided requests of the last 90 days, each with its approval, its ended grant and its review."""
    for number in range(requests):
        at = now() - timedelta(days=89 * number / requests, hours=1)
        bypass = number % 5 == 0
        request = AccessRequest.objects.create(
            responder=world.ann, system=world.system, privilege=world.privilege, policy=world.policy, mode="bypass" if bypass else "approved",
            criterion="outage", category="availability", reason=REASON, intended_classes=["data_read"], incident_ref="INC-1",
            minutes=30 + number % (30 if bypass else 90), requested_at=at, decided_at=at + timedelta(minutes=number % 20), state="approved",
        )  # fmt: skip
        if not bypass:
            Approval.objects.create(
                request=request, approver=world.ines, decision="approve", decided_at=at + timedelta(minutes=number % 20)
            )
        over = at + timedelta(minutes=50)
        grant = Grant.objects.create(
            request=request, person=world.ann, system=world.system, privilege=world.privilege, state="ended", authorised_at=at, minutes=30,
            nonce=str(number), opened_at=at, expires_at=over, first_expires_at=over, ended_at=over, end_cause="expired", confirmed_at=over,
        )  # fmt: skip
        Review.objects.create(
            request=grant.request, grant=grant, state="submitted", due_at=over + timedelta(hours=72), reviewer=world.kim, claimed_at=over,
            submitted_at=over + timedelta(hours=number % 72), outcome="accepted",
        )  # fmt: skip


def rows() -> list[Row]:
    """One row."""
    world = make_world()
    write(world, REQUESTS)
    rota = set_up(
        by=actor(world.pia), system=world.system, name="Nights", members=[str(world.ines.pk), str(world.jon.pk)], weekday=0, hour=9, zone="UTC"
    )  # fmt: skip
    policy = replace(STRICTER, tiers=(Tier((), 5, str(rota.pk)),))
    began = time.monotonic()
    found = looked_back(world.system, policy, now=now())
    took = time.monotonic() - began
    beside = f"{found.total} requests, {found.touched} would have gone otherwise, {len(found.counts)} ways"
    return [at_most("policy look-back over 90 days", took, BAR_S, beside=beside)]
