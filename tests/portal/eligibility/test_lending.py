"""An approver on leave lends the role: never back to the responder, never on, never in a circle; searched over random leaves."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.log.append import LogUnavailable
from audit.log.read import of_case, of_subject
from portal.access_requests import actions as requests
from portal.access_requests.queries import audience_of, waiting_for
from portal.access_requests.rules import allows, may_decide
from portal.access_requests.turns import turns
from portal.clock import now
from portal.eligibility import actions
from portal.eligibility.lending import Seats, seats, standing_of
from portal.eligibility.models import APPROVER, RoleAssignment
from portal.errors import NotAllowed, Refused, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import actions as grants
from portal.grants import narrowing
from portal.grants.models import Extension, Grant
from portal.grants.releasing import may_release
from portal.policy.rules import parse
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.reviews.used import used
from tests.worlds import World, actor, make_world, request_of

DAY = timedelta(days=1)
WHO = ("ines", "jon", "mo", "kim", "lea")


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def lend(
    world: World, by: str, to: str, *, begins: int = 0, days: int = 7, approve: bool = True, **said: Any
) -> RoleAssignment:
    at = now() + begins * DAY
    loan = actions.lend_role(
        by=actor(world.people[by], **said), to=world.people[to], system=world.system, from_at=at, to_at=at + days * DAY
    )  # fmt: skip
    return actions.approve_role(by=actor(world.quinn), assignment=loan) if approve else loan


def test_who_stands_in_is_asked_decides_and_it_is_told_in_whose_place(world: World) -> None:
    loan = lend(world, "ines", "mo")
    assert [each.name for each in audience_of(world.system, world.ann.pk).approvers] == ["Jon", "Mo"]
    request = request_of(world)
    assert waiting_for(world.mo) == [request]
    requests.approve(by=actor(world.mo), request=request)
    (told,) = of_case(request.pk, ["request.approved"])
    assert (told.by, told.fields["delegated_by"]) == (str(world.mo.pk), str(world.ines.pk))
    (granted,) = of_subject(loan.log_subject, ["role.granted"])
    assert (granted.fields["lent_by"], granted.fields["person_id"]) == (str(world.ines.pk), str(world.mo.pk))


@pytest.mark.django_db
def test_who_stands_in_has_the_turn_of_who_is_away() -> None:
    tiers = [{"people": [], "minutes": 5}]
    world = make_world()
    tiers[0]["people"] = [str(world.ines.pk)]
    rules = parse({"tiers": tiers})
    lend(world, "ines", "mo")
    audience = audience_of(world.system, world.ann.pk)
    told = [[each.name for each in turn.people] for turn in turns(rules, audience.approvers, now(), audience.in_place)]
    assert told == [["Mo"], ["Jon"]]


@pytest.mark.parametrize("everywhere", [False, True])
def test_home_shows_exactly_what_may_be_decided_on(world: World, everywhere: bool) -> None:
    """Kim stands in for Ann here and approves there in her own right, where Ann asks as well; Jon is away here."""
    there = make_world(slug="payroll", on_target="payroll_emergency", people=world.people)
    RoleAssignment.objects.filter(person=world.ann, system=world.system).update(role=APPROVER)
    at = now() - DAY
    dated = {"proposed_by": world.pia, "approved_by": world.quinn, "proposed_at": at, "approved_at": at, "from_at": at}
    RoleAssignment._base_manager.create(person=world.ann, role="responder", system=world.system, **dated)
    RoleAssignment.objects.filter(person=world.kim, system=there.system).update(role=APPROVER)
    lend(world, "ann", "kim")
    lend(world, "jon", "mo")
    if everywhere:
        RoleAssignment.objects.filter(person=world.ines).update(
            ended_at=now(), ended_by="process:test", ended_cause="test"
        )
        RoleAssignment._base_manager.create(person=world.ines, role=APPROVER, system=None, **dated)
    rows = [request_of(each, who) for each in (world, there) for who in ("ann", "ben")]
    for name in ("ann", "ines", "jon", "kim", "mo", "zoe"):
        may = [each for each in rows if allows(may_decide, actor(world.people[name]), each)]
        assert (name, waiting_for(world.people[name])) == (name, sorted(may, key=lambda each: each.requested_at))
    assert [(each.system.slug, each.responder.name) for each in waiting_for(world.kim)] == [
        ("billing", "Ben"), ("payroll", "Ann"), ("payroll", "Ben"),
    ]  # fmt: skip
    assert {each.system.slug for each in waiting_for(world.jon)} == {"payroll"}


def test_what_the_responder_lent_decides_nothing_of_theirs(world: World) -> None:
    RoleAssignment.objects.filter(person=world.ann).update(role=APPROVER)
    at, approved = now() - DAY, {"proposed_by": world.pia, "approved_by": world.quinn}
    RoleAssignment.objects.create(
        person=world.ann, role="responder", system=world.system, proposed_at=at, approved_at=at, from_at=at, **approved
    )  # fmt: skip
    lend(world, "ann", "kim")
    request = request_of(world)
    assert "Kim" not in [each.name for each in audience_of(world.system, world.ann.pk).approvers]
    assert waiting_for(world.kim) == []
    with pytest.raises(NotAllowed, match="lent to you by the responder"):
        requests.approve(by=actor(world.kim), request=request)
    grant = used(world)
    extension = Extension.objects.create(grant=grant, minutes=10, asked_at=now())
    Grant.objects.filter(pk=grant.pk).update(
        state="active", ended_at=None, end_cause="", confirmed_at=None, expires_at=now() + DAY
    )
    with pytest.raises(NotAllowed):
        grants.decide_extension(by=actor(world.kim), extension=extension, give=True)
    with pytest.raises(NotAllowed):
        may_release(actor(world.kim), grant)
    may_release(actor(world.ines), grant)
    ben = request_of(world, "ben")
    requests.approve(by=actor(world.kim), request=ben)


def away_already(world: World) -> None:
    RoleAssignment.objects.filter(person=world.jon).delete()
    RoleAssignment.objects.create(
        person=world.jon, role=APPROVER, system=other(world).system, proposed_by=world.pia, proposed_at=now() - DAY,
        approved_by=world.quinn, approved_at=now() - DAY, from_at=now() - DAY,
    )  # fmt: skip
    at = now()
    actions.lend_role(by=actor(world.jon), to=world.lea, system=other(world).system, from_at=at, to_at=at + DAY)


def other(world: World) -> World:
    from portal.systems.models import System

    found = System.objects.filter(slug="other").first()
    return (
        World(found, world.privilege, world.policy, world.people)
        if found
        else make_world(slug="other", people=world.people)
    )


def stands_in_already(world: World) -> None:
    RoleAssignment.objects.filter(person=world.ines, system=other(world).system).delete()
    at = now()
    actions.lend_role(by=actor(world.jon), to=world.ines, system=other(world).system, from_at=at, to_at=at + DAY)


def holds_no_more(world: World) -> None:
    RoleAssignment.objects.filter(person=world.ines).update(to_at=now() + 2 * DAY)


@pytest.mark.parametrize(
    ("by", "to", "before", "error", "kind"),
    [
        ("ines", "ines", None, RefusedByPolicy, "own loan"), ("ines", "jon", None, RefusedByPolicy, "doubled"),
        ("ines", "jon", away_already, RefusedByPolicy, "circle of loans"), ("ines", "kim", stands_in_already, RefusedByPolicy, "chain of loans"),
        ("ines", "kim", holds_no_more, RefusedByPolicy, "outlasts what is lent"), ("kim", "lea", None, NotAllowed, "not an approver"),
        ("zoe", "lea", None, NotAllowed, "not an approver"),
    ],
)  # fmt: skip
def test_what_is_refused(world: World, by: str, to: str, before: Any, error: type[Refused], kind: str) -> None:
    if before is not None:
        before(world)
    count = RoleAssignment.objects.count()
    with pytest.raises(error) as refused:
        lend(world, by, to)
    assert (refused.value.kind, RoleAssignment.objects.count()) == (kind, count)


def test_second_factor_second_person_and_log_are_needed(world: World) -> None:
    with pytest.raises(StepUpNeeded):
        lend(world, "ines", "kim", age_s=3600)
    loan = lend(world, "ines", "kim", approve=False)
    assert not standing_of(world.kim.pk, world.system, world.ann.pk).may, "it waits for an administrator"
    with pytest.raises(NotAllowed):
        actions.approve_role(by=actor(world.ines), assignment=loan)
    with broken_log(), pytest.raises(LogUnavailable), transaction.atomic():
        lend(world, "jon", "lea")
    assert RoleAssignment.objects.filter(lent_by__isnull=False).count() == 1


def test_who_is_back_takes_it_back_at_once(world: World) -> None:
    for approve, name in ((True, "role.ended"), (False, "role.declined")):
        loan = lend(world, "ines", "kim", approve=approve)
        with pytest.raises(NotAllowed):
            actions.take_back(by=actor(world.kim), assignment=loan)
        actions.take_back(by=actor(world.ines), assignment=loan)
        assert [each.name for each in audience_of(world.system, world.ann.pk).approvers] == ["Ines", "Jon"]
        assert [event.name for event in of_subject(loan.log_subject)][-1] == name
        with pytest.raises(WrongState):
            actions.take_back(by=actor(world.ines), assignment=loan)


def test_loan_ends_with_the_role_that_it_rests_on(world: World) -> None:
    lend(world, "ines", "kim")
    assert standing_of(world.kim.pk, world.system, world.ann.pk).lent_by == world.ines.pk
    actions.end_role(by=actor(world.pia), assignment=RoleAssignment.objects.get(person=world.ines, lent_by=None))
    assert not standing_of(world.kim.pk, world.system, world.ann.pk).may


def test_who_leaves_leaves_no_loan_behind(world: World) -> None:
    loan = lend(world, "ines", "kim")
    RoleAssignment.objects.filter(person=world.pia).update(system=None)
    narrowing.note_leaving(by=actor(world.pia), person=world.ines)
    loan.refresh_from_db()
    assert loan.ended_at is not None
    assert [each.name for each in audience_of(world.system, world.ann.pk).approvers] == ["Jon"]


def test_pages(world: World) -> None:
    ines, kim = browser_of(world.ines), browser_of(world.kim)
    assert "/roles/lend/" in ines.get("/requests/?list=waiting").content.decode()
    until = (now() + 5 * DAY).strftime("%Y-%m-%dT%H:%M")
    missing = ines.post("/roles/lend/", {"person": str(world.kim.pk), "system": str(world.system.pk)})
    assert missing.status_code == 422
    answer = ines.post("/roles/lend/", {"person": str(world.kim.pk), "system": str(world.system.pk), "to_at": until})
    loan = RoleAssignment.objects.get(lent_by=world.ines)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/roles/{loan.pk}/")
    assert "In place of" in ines.get(f"/roles/{loan.pk}/").content.decode()
    assert (kim.get("/roles/lend/").status_code, kim.post(f"/roles/{loan.pk}/take-back/").status_code) == (403, 403)
    assert ines.post(f"/roles/{loan.pk}/take-back/").status_code == 302


Leave = tuple[str, str, int, int]
LEAVES = st.lists(
    st.tuples(st.sampled_from(WHO), st.sampled_from(WHO), st.integers(0, 12), st.integers(1, 6)), min_size=1, max_size=9
)  # fmt: skip


@pytest.fixture
def searched(db: None) -> World:
    return make_world()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(leaves=LEAVES)
def test_nobody_ever_lends_what_they_borrowed_nor_stands_in_while_away(searched: World, leaves: list[Leave]) -> None:
    """Ines and Jon approve in their own right, and whatever leaves are asked for, at each moment a person lends or borrows and never both."""
    with transaction.atomic():
        accepted = _all(searched, leaves)
        rows = list(RoleAssignment.objects.filter(lent_by__isnull=False, ended_at=None))
        assert len(rows) == accepted
        for moment in {row.from_at for row in rows}:
            _hold(searched, moment, [row for row in rows if row.from_at <= moment < (row.to_at or moment)])
        transaction.set_rollback(True)


def _all(world: World, leaves: list[Leave]) -> int:
    accepted = 0
    for by, to, begins, days in leaves:
        try:
            with transaction.atomic():
                lend(world, by, to, begins=begins, days=days)
            accepted += 1
        except Refused:
            continue
    return accepted


def _hold(world: World, moment: datetime, loans: list[RoleAssignment]) -> None:
    lenders, borrowers = {row.lent_by_id for row in loans}, {row.person_id for row in loans}
    assert lenders <= {world.ines.pk, world.jon.pk}
    assert lenders & borrowers == set()
    for row in loans:
        if moment <= now():
            assert row.lent_by_id is not None
            assert not standing_of(row.person_id, world.system, row.lent_by_id).may or len(loans) > 1
            assert standing_of(row.person_id, world.system, world.ann.pk).lent_by in lenders


def test_seats_that_follow_from_loans() -> None:
    """Who lent is not asked, nor who stands in for the responder alone; who stands in for another too is, in the other's place."""
    ann, ben, cleo, dan, eve = (UUID(int=each) for each in range(1, 6))
    loans = [(ben, ann), (cleo, dan), (eve, ann), (eve, dan), (ben, None)]
    assert seats(loans, ann) == Seats({cleo: dan, eve: dan}, frozenset({ann, dan, ben}))
    assert seats([], ann) == Seats({}, frozenset({ann}))
