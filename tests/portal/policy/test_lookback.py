"""What a proposed version would have done to what happened in the last 90 days."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.access_requests.actions import approve, lapse
from portal.access_requests.lookback import FIRST_EMPTY, NOBODY_ON_CALL, NOT_WOKEN, ONE_GROUP, TOO_FEW, TOO_FEW_GROUPS
from portal.access_requests.models import AccessRequest
from portal.access_requests.queries import audience_of
from portal.clock import now
from portal.eligibility.actions import approve_role, lend_role
from portal.eligibility.lending import groups_of
from portal.eligibility.models import RoleAssignment
from portal.eligibility.past import PastApprovers
from portal.grants import authorising
from portal.grants import lookback as of_grants
from portal.grants.models import Extension, Grant
from portal.policy.actions import propose
from portal.policy.lookback import Would, summed
from portal.policy.rules import Policy, Tier
from portal.reviews import lookback as of_reviews
from portal.reviews.models import Review
from portal.rotas.models import Absence
from tests.browsing import browser_of
from tests.portal.access_requests.test_asking import text
from tests.portal.rotas.set_up import rota_of
from tests.worlds import REASON, World, actor, authorised, make_world, opened, overdue, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def otherwise(world: World, **changes: object) -> list[tuple[str, int]]:
    """What would have gone otherwise, and how often."""
    policy = Policy(**changes)  # type: ignore[arg-type]  # rules by name
    return list(of_reviews.looked_back(world.system, policy, now=now()).counts)


def decided_after(request: AccessRequest, minutes: int) -> None:
    """As if it had waited so long."""
    at = request.requested_at + timedelta(minutes=minutes)
    AccessRequest.objects.filter(pk=request.pk).update(decided_at=at)
    request.approvals.update(decided_at=at)


def test_what_would_have_been_refused_is_said_once(world: World) -> None:
    request_of(world, minutes=90)
    request_of(world, "ben", minutes=100)
    asked = world.asked("bypass", incident_ref="")
    authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=asked)
    assert otherwise(world, max_grant_minutes=60, modes=("approved",)) == [
        ("It would have been refused: At most 60 minutes.", 2),
        ("It would have been refused: The policy of this system does not allow the mode bypass.", 1),
    ]
    assert otherwise(world) == []


def test_waiting_for_more_people_for_longer_and_for_the_bypass(world: World) -> None:
    grant = authorised(world)
    decided_after(grant.request, 25)
    assert otherwise(world, min_approvals=2) == [("It would have waited for one approval more.", 1)]
    assert otherwise(world, lapse_minutes=20) == [
        ("It would have lapsed before it was decided: nobody had answered after 20 minutes.", 1)
    ]
    assert otherwise(world, bypass_offer_minutes=30) == []
    before = world.policy
    type(before).objects.filter(pk=before.pk).update(document=Policy(bypass_offer_minutes=30).document())
    assert otherwise(world, bypass_offer_minutes=20) == [("A bypass would have been offered while it waited.", 1)]


def test_tiers_and_groups_that_would_have_woken_or_let_decide_others(world: World) -> None:
    ines, jon = str(world.ines.pk), str(world.jon.pk)
    grant = authorised(world)
    decided_after(grant.request, 3)
    assert otherwise(world, tiers=(Tier((ines,), 5), Tier((jon,), 5))) == []
    assert otherwise(world, tiers=(Tier((jon,), 5),)) == [(NOT_WOKEN, 1)]
    assert otherwise(world, tiers=(Tier((jon,), 3),)) == []
    assert otherwise(world, tiers=(Tier((str(world.lea.pk),), 5), Tier((ines,), 5))) == [(FIRST_EMPTY, 1)]
    assert sorted(otherwise(world, min_approvals=3)) == sorted(
        [(TOO_FEW, 1), ("It would have waited for two approvals more.", 1)]
    )
    assert otherwise(world, approver_groups=1) == [(TOO_FEW_GROUPS, 1)]
    RoleAssignment.objects.filter(person=world.jon, role="approver").update(group="security")
    assert otherwise(world, approver_groups=1) == [(ONE_GROUP, 1)]
    grant.request.approvals.update(group="security")
    assert otherwise(world, approver_groups=1) == []


def test_rota_that_would_have_woken_others_or_nobody(world: World) -> None:
    grant, rota = authorised(world), rota_of(world, "jon", "ines")
    tiers = (Tier((), 5, str(rota.pk)),)
    assert otherwise(world, tiers=tiers) == [(NOT_WOKEN, 1)]
    before = grant.request.requested_at - timedelta(minutes=1)
    Absence.objects.create(
        person=world.jon, from_at=before, to_at=now() + timedelta(days=1), said_by=world.jon, said_at=now()
    )
    assert otherwise(world, tiers=tiers) == []
    Absence.objects.create(
        person=world.ines, from_at=before, to_at=now() + timedelta(days=1), said_by=world.ines, said_at=now()
    )
    assert otherwise(world, tiers=tiers) == [(NOBODY_ON_CALL, 1)]
    type(world.policy).objects.filter(pk=world.policy.pk).update(document=Policy(tiers=tiers).document())
    assert otherwise(world, tiers=tiers) == []


@pytest.mark.parametrize("who", ["ann", "kim"])
def test_past_approvers_are_those_who_were_asked(world: World, who: str) -> None:
    """The same as the audience of now, for the moment of now, with a loan and without."""
    for lent in (False, True):
        if lent:
            loan = lend_role(
                by=actor(world.ines), to=world.kim, system=world.system, from_at=now(), to_at=now() + timedelta(days=1)
            )
            approve_role(by=actor(world.quinn), assignment=loan)
        RoleAssignment.objects.filter(person__in=[world.ines, world.jon], role="approver").update(group="night")
        asked = audience_of(world.system, world.people[who].pk)
        then = PastApprovers(world.system).at(now(), world.people[who].pk)
        assert (then.approvers, then.in_place) == (asked.approvers, asked.in_place)
        assert {each.pk: then.groups[each.pk] for each in then.approvers} == groups_of(
            world.system, [each.pk for each in asked.approvers], asked.in_place
        )
    gone = PastApprovers(world.system).at(now() - timedelta(days=40), world.ann.pk)
    assert gone.approvers == ()


def test_fewer_people_would_have_opened_it_sooner(world: World) -> None:
    type(world.policy).objects.filter(pk=world.policy.pk).update(document=Policy(min_approvals=2).document())
    request = request_of(world)
    approve(by=actor(world.ines), request=request)
    approve(by=actor(world.jon), request=request)
    assert otherwise(world) == [("It would have opened after one approval.", 1)]


def test_lapsed_request_would_have_waited_longer(world: World) -> None:
    request = request_of(world)
    AccessRequest.objects.filter(pk=request.pk).update(lapses_at=now() - timedelta(seconds=1))
    lapse(by=actor(world.ines), request=request)
    assert otherwise(world, lapse_minutes=120) == [("It would not have lapsed so soon, but after 120 minutes.", 1)]


def test_bypass_would_have_owed_more(world: World) -> None:
    authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass"))
    assert otherwise(world, min_reason_chars=200) == [("It would have owed a longer reason.", 1)]


def test_extension_end_and_review(world: World) -> None:
    grant, at = overdue(opened(world)), now()
    Extension.objects.create(
        grant=grant, minutes=5, asked_at=at, decided_by=world.ines, decided_at=at, decision="approve"
    )
    closing = {"state": "ended", "end_cause": "expired", "secret": None, "verifier": ""}
    Grant.objects.filter(pk=grant.pk).update(
        ended_at=at - timedelta(minutes=4), confirmed_at=at - timedelta(minutes=1), **closing
    )
    Review.objects.create(
        request=grant.request, grant=grant, state="submitted", due_at=at + timedelta(hours=30), reviewer=world.kim, claimed_at=at, submitted_at=at,
        outcome="accepted",
    )  # fmt: skip
    stricter = Policy(max_extensions=0, removal_grace_minutes=2, review_due_hours=24)
    assert [each.what for each in of_grants.looked_back(world.system, stricter, now=at)] == [
        "Its extension would not have been given.",
        "Its end would have counted as late: it was read back after more than 2 minutes.",
    ]
    assert [each.what for each in of_reviews.late(world.system, stricter, now=at)] == [
        "Its review would have been late."
    ]
    same = Policy()
    assert (of_grants.looked_back(world.system, same, now=at), of_reviews.late(world.system, same, now=at)) == (
        [],
        [],
    )


def test_what_is_older_than_the_days_is_left_out(world: World) -> None:
    request = request_of(world, minutes=90)
    AccessRequest.objects.filter(pk=request.pk).update(requested_at=now() - timedelta(days=91))
    assert otherwise(world, max_grant_minutes=60) == []


def test_summary_counts_a_case_once() -> None:
    at, case = now(), uuid4()
    summary = summed(7, [Would(case, at, "Ann", "A."), Would(case, at, "Ann", "B."), Would(uuid4(), at, "Ben", "B.")])
    assert (summary.total, summary.touched, summary.counts) == (7, 2, (("B.", 2), ("A.", 1)))


def test_page_shows_it_to_who_decides_with_a_constant_number_of_queries(world: World) -> None:
    version = propose(by=actor(world.pia), system=world.system, policy=Policy(max_grant_minutes=60))
    browser, counts = browser_of(world.quinn), []
    for name, reasons in (("ann", "a"), ("ben", "bc")):
        for each in reasons:
            request_of(world, name, minutes=90, reason=f"{REASON} So is disk {each}.")
        with CaptureQueriesContext(connection) as queries:
            page = text(browser.get(f"/policies/versions/{version.pk}/").content)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "A window is at most 60 minutes long instead of 120. Stricter" in page
    assert "Of 3 requests in the last 90 days, 3 would have gone otherwise." in page
    assert "It would have been refused: At most 60 minutes. 3" in page
