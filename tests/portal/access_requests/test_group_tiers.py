"""A tier that names a group wakes whoever stands in it: one of each of two groups, told one group after the other."""

from datetime import timedelta
from typing import Any

import pytest

from audit.log.read import named
from portal.access_requests import actions
from portal.access_requests.lookback import FIRST_EMPTY, NOT_WOKEN
from portal.access_requests.lookback import looked_back as of_requests
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import APPROVER, RoleAssignment
from portal.errors import RefusedByPolicy
from portal.policy.actions import propose
from portal.policy.forms import PolicyForm, first_values
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy, Tier, WrongPolicy, parse, told_in_tiers
from tests.browsing import browser_of
from tests.portal.access_requests.test_asking import text
from tests.portal.access_requests.test_tiers import after, told
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db
GROUPS = {"ines": "security", "jon": "operations", "kim": "security", "mo": ""}
TIERS = (Tier((), 5, groups=("security",)), Tier((), 10, groups=("operations",)))


@pytest.fixture
def world() -> World:
    """Two of security, one of operations and one of no group; the policy wants one of each group, and wakes security first."""
    made = make_world(policy=Policy(min_approvals=2, approver_groups=2, tiers=TIERS))
    at = now()
    for name, group in GROUPS.items():
        RoleAssignment.objects.update_or_create(
            person=made.people[name], role=APPROVER, system=made.system,
            defaults={"group": group, "proposed_by": made.pia, "proposed_at": at, "approved_by": made.quinn, "approved_at": at, "from_at": at},
        )  # fmt: skip
    return made


def under(world: World, *tiers: Tier, **rules: int) -> None:
    policy = Policy(tiers=tiers, **rules)  # type: ignore[arg-type]  # figures by name
    PolicyVersion.objects.update(document=policy.document(), sha256=policy.sha256())


def page(world: World, request: AccessRequest) -> str:
    return text(browser_of(world.ann).get(f"/requests/{request.pk}/").content)


def test_one_of_each_group_is_woken_group_by_group_until_both_said_yes(world: World) -> None:
    request = request_of(world)
    assert told(request) == ["Ines", "Kim"]
    said = page(world, request)
    assert "Waiting for 2 more yeses from Ines or Kim. Nobody has seen it yet. The group security was told." in said
    assert "If it stays so, Jon, for the group operations, is told in 5 minutes" in said
    for name in ("ines", "kim"):  # both of one group: the other is still needed
        actions.approve(by=actor(world.people[name]), request=request)
    assert [after(request, each) for each in (4.9, 5, 5.1)] == [0, 1, 0]
    assert told(request) == ["Ines", "Kim", "Jon"]
    (made,), (passed,) = named(["request.made"]), named(["request.passed_on"])
    assert (made.fields["groups"], passed.fields["groups"]) == (["security"], ["operations"])
    actions.see(by=actor(world.jon), request=request)
    assert after(request, 40) == 0, "Mo sleeps: both groups know"
    assert actions.approve(by=actor(world.jon), request=request).state == "approved"


def test_both_groups_in_one_tier_are_woken_at_once_and_who_stands_in_has_the_turn_of_the_group(world: World) -> None:
    under(world, Tier((str(world.mo.pk),), 5, groups=("operations", "security")))
    at = now()
    loan = lists.lend_role(
        by=actor(world.jon), to=world.lea, system=world.system, from_at=at, to_at=at + timedelta(days=1)
    )
    lists.approve_role(by=actor(world.quinn), assignment=loan)
    request = request_of(world)
    assert told(request) == ["Ines", "Kim", "Lea", "Mo"]
    assert "The groups operations and security were told." in page(world, request)


def test_group_of_which_nobody_is_left_takes_no_time_and_who_joins_it_is_woken(world: World) -> None:
    under(world, Tier((), 5, groups=("night",)), Tier((), 5, groups=("operations",)))
    request = request_of(world)
    assert told(request) == ["Jon"]
    assert "Nobody of the group night can be asked now. The group operations was told." in page(world, request)
    RoleAssignment.objects.filter(person=world.mo, role=APPROVER).update(group="operations")
    assert after(request, 1) == 1
    assert told(request) == ["Jon", "Mo"]


def test_looking_back_knows_the_groups_of_then(world: World) -> None:
    under(world, min_approvals=1)
    request = actions.approve(by=actor(world.ines), request=request_of(world))
    at = request.requested_at + timedelta(minutes=3)
    request.approvals.update(decided_at=at)

    def otherwise(*tiers: Tier) -> list[str]:
        return [each.what for each in of_requests(world.system, Policy(tiers=tiers), now=now())[1]]

    assert otherwise(TIERS[0]) == []
    assert otherwise(TIERS[1]) == [NOT_WOKEN]
    assert otherwise(Tier((), 5, groups=("night",)), TIERS[0]) == [FIRST_EMPTY]


def test_policy_speaks_of_groups_and_takes_only_those_in_which_somebody_approves(world: World) -> None:
    policy = Policy(tiers=(Tier((str(world.mo.pk),), 7, groups=("security",)), TIERS[1]))
    assert parse(policy.document()) == policy
    assert '"tiers":[{"groups":["security"],"minutes":7,"people":["' in policy.document()
    assert '{"groups":["operations"],"minutes":10}]' in policy.document()
    assert told_in_tiers(policy).startswith("One approver and the group security are told at once;")
    assert told_in_tiers(Policy(tiers=TIERS)).startswith("The group security is told at once;")
    version = propose(by=actor(world.pia), system=world.system, policy=policy)
    shown = text(browser_of(world.quinn).get(f"/policies/versions/{version.pk}/").content)
    assert "Mo and the group security for 7 minutes, then the group operations for 10 minutes, then all others" in shown
    with pytest.raises(RefusedByPolicy, match="only groups in which somebody approves"):
        propose(by=actor(world.pia), system=world.system, policy=Policy(tiers=(Tier((), 5, groups=("night",)),)))


@pytest.mark.parametrize(
    "tiers",
    [
        [{"groups": ["a"], "rota": "b", "minutes": 5}], [{"groups": [], "minutes": 5}], [{"groups": [""], "minutes": 5}], [{"groups": "ab", "minutes": 5}],
        [{"groups": [1], "minutes": 5}], [{"groups": ["a"]}], [{"groups": ["a"], "minutes": 5}, {"groups": ["a"], "minutes": 5}], [{"minutes": 5}],
    ],
)  # fmt: skip
def test_wrong_groups_are_no_tier(tiers: list[Any]) -> None:
    with pytest.raises(WrongPolicy):
        parse({"tiers": tiers})


def test_form_puts_groups_into_tiers_whatever_they_are_called(world: World) -> None:
    RoleAssignment.objects.filter(person=world.mo, role=APPROVER).update(group="Nächte & Tage")
    browser, address = browser_of(world.pia), f"/policies/{world.system.pk}/new/"
    assert "Whoever stands in the group Nächte &amp; Tage is told" in browser.get(address).content.decode()
    wanted = Policy(tiers=(Tier((str(world.jon.pk),), 7, groups=("Nächte & Tage",)), TIERS[0]))
    said: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else "on" if value is True else value
        for name, value in {**first_values(wanted), "review_days": 365}.items()
        if value is not False
    }
    form = PolicyForm(said, approvers=[(str(world.jon.pk), "Jon")], groups=["Nächte & Tage", "security"])
    assert form.is_valid(), form.errors
    assert form.policy == wanted
    assert browser.post(address, said).status_code == 302
    assert parse(PolicyVersion.objects.get(number=2).document) == wanted
