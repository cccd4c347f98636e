"""m of n approvers, and one of each of several groups among them."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cases.reading import record_of
from audit.log.read import of_case
from portal.access_requests import actions
from portal.access_requests.models import Approval
from portal.access_requests.rules import still_needed
from portal.access_requests.sweep import pass_on_due
from portal.access_requests.turns import answered
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import APPROVER, RoleAssignment
from portal.errors import RefusedByPolicy
from portal.policy.rules import Policy, Tier, parse
from tests.browsing import browser_of
from tests.portal.access_requests.test_tiers import told
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db
GROUPS = {"ines": "security", "jon": "operations", "kim": "security", "mo": ""}


@pytest.fixture
def world() -> World:
    made = make_world(policy=Policy(min_approvals=2, approver_groups=2))
    at = now()
    for name, group in GROUPS.items():
        RoleAssignment.objects.update_or_create(
            person=made.people[name], role=APPROVER, system=made.system,
            defaults={"group": group, "proposed_by": made.pia, "proposed_at": at, "approved_by": made.quinn, "approved_at": at, "from_at": at},
        )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("yes", "state", "left"),
    [
        (["ines"], "awaiting", 1), (["ines", "jon"], "approved", 0), (["ines", "kim"], "awaiting", 1), (["ines", "mo"], "awaiting", 1),
        (["mo"], "awaiting", 2), (["ines", "kim", "mo"], "awaiting", 1), (["ines", "kim", "jon"], "approved", 0),
    ],
)  # fmt: skip
def test_one_of_each_group_must_be_among_them(world: World, yes: list[str], state: str, left: int) -> None:
    request = request_of(world)
    for name in yes:
        request = actions.approve(by=actor(world.people[name]), request=request)
    assert request.state == state
    assert {each.approver.name.lower(): each.group for each in Approval.objects.select_related("approver")} == {
        name: GROUPS[name] for name in yes
    }
    last = of_case(request.pk, ["request.approved"])[-1].fields
    assert last["approvals_needed"] - last["approvals"] == left
    record = record_of(request.pk)
    assert record is not None
    assert (record.case.decided_at is not None) == (state == "approved"), "the log tells it apart too"


@pytest.mark.parametrize(
    ("groups", "left"), [([], 2), (["a"], 1), (["a", "a"], 1), (["", ""], 2), (["a", "b"], 0), (["", "a", "b"], 0)]
)
def test_how_many_are_still_needed(groups: list[str], left: int) -> None:
    assert still_needed(Policy(min_approvals=2, approver_groups=2), groups) == left
    assert still_needed(Policy(min_approvals=2), groups) == max(0, 2 - len(groups))


def test_page_says_whether_this_yes_opens(world: World) -> None:
    request = request_of(world)
    actions.approve(by=actor(world.ines), request=request)
    told = {
        name: browser_of(world.people[name]).get(f"/requests/{request.pk}/").content.decode() for name in ("kim", "jon")
    }
    assert "1 more must follow, so that 2 groups are among them" in told["kim"]
    assert "Your yes opens" in told["jon"]


def test_who_stands_in_counts_for_the_group_of_who_is_away(world: World) -> None:
    loan = lists.lend_role(
        by=actor(world.ines), to=world.lea, system=world.system, from_at=now(), to_at=now().replace(year=2030)
    )
    lists.approve_role(by=actor(world.quinn), assignment=loan)
    request = request_of(world)
    actions.approve(by=actor(world.jon), request=request)
    assert actions.approve(by=actor(world.lea), request=request).state == "approved"
    assert of_case(request.pk, ["request.approved"])[-1].fields["group"] == "security"


@pytest.mark.parametrize("how", ["look", "say yes"])
def test_tier_of_the_other_group_is_told_although_two_of_one_group_looked_or_said_yes(world: World, how: str) -> None:
    tiers = tuple(Tier((str(world.people[name].pk),), 5) for name in ("ines", "kim", "jon"))
    document = Policy(min_approvals=2, approver_groups=2, tiers=tiers)
    type(world.policy).objects.update(document=document.document(), sha256=document.sha256())
    request = request_of(world)
    for name in ("ines", "kim"):
        (actions.see if how == "look" else actions.approve)(by=actor(world.people[name]), request=request)
    page = " ".join(browser_of(world.ann).get(f"/requests/{request.pk}/").content.decode().split())
    assert "If it stays so, Kim is told in" in page
    assert pass_on_due(request.requested_at + timedelta(minutes=11)) == 1
    assert set(told(request)) == {"Ines", "Kim", "Jon"}
    actions.see(by=actor(world.jon), request=request)
    assert pass_on_due(request.requested_at + timedelta(minutes=40)) == 0, "Mo is not woken: both groups know"


@given(
    st.integers(1, 3), st.integers(0, 3), st.dictionaries(st.integers(0, 6), st.sampled_from("ab")), st.sets(st.integers(0, 6)),
    st.dictionaries(st.integers(0, 6), st.sampled_from(["", "a", "b", "c"])),
)  # fmt: skip
def test_nobody_else_is_woken_exactly_where_those_who_know_could_open_it(
    needed: int, groups: int, yes: dict[int, str], looked: set[int], may: dict[int, str]
) -> None:
    rules = Policy(min_approvals=max(needed, groups), approver_groups=groups)
    name = [UUID(int=each) for each in range(7)]
    votes = dict(yes)
    for who in looked:  # all who know of it and may still decide say yes, one after the other
        if who in may:
            votes.setdefault(who, may[who])
    opens = len(votes) >= rules.min_approvals and len(set(votes.values()) - {""}) >= groups
    assert opens == answered(
        rules, {name[who]: group for who, group in yes.items()}, {name[who] for who in looked}, {name[who]: group for who, group in may.items()}
    )  # fmt: skip


def test_too_few_groups_are_said_before_anybody_is_asked(world: World) -> None:
    RoleAssignment.objects.filter(person=world.jon).update(ended_at=now(), ended_by="process:test", ended_cause="test")
    with pytest.raises(RefusedByPolicy, match="too few groups"):
        request_of(world)


def test_policy_wants_no_more_groups_than_approvers_and_keeps_older_hashes() -> None:
    with pytest.raises(ValueError, match="No more groups"):
        parse(Policy(min_approvals=1, approver_groups=2).document())
    assert "approver_groups" not in Policy().document()
    assert parse(Policy(min_approvals=2, approver_groups=2).document()).approver_groups == 2


def test_group_is_of_approvers_and_told_in_the_log(world: World) -> None:
    with pytest.raises(RefusedByPolicy, match="Only approvers"):
        lists.propose_role(
            by=actor(world.pia), person=world.lea, role="reviewer", system=world.system, group="security"
        )
    role = lists.propose_role(
        by=actor(world.pia), person=world.lea, role=APPROVER, system=world.system, group=" security "
    )
    assert role.group == "security"
