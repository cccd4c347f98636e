"""A tier that names a rota wakes whoever is on call when its turn comes: never the responder, never who lost the role, and the page says it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.read import named
from portal.access_requests.asking import ask
from portal.access_requests.models import AccessRequest
from portal.access_requests.sweep import pass_on_due
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import RefusedByPolicy
from portal.people.models import Person
from portal.policy.actions import approve, decline, propose
from portal.policy.forms import PolicyForm, first_values
from portal.policy.models import PolicyVersion
from portal.policy.retiring import retire_rota
from portal.policy.rules import Policy, Tier, WrongPolicy, parse, sentences
from portal.rotas import absences, actions
from portal.rotas.models import Rota
from tests.browsing import browser_of
from tests.factories import person
from tests.portal.access_requests.test_asking import text
from tests.portal.access_requests.test_tiers import after, told
from tests.portal.rotas.set_up import rota_of
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """Ines, Jon and Kim approve; Kim stands in no tier."""
    made = make_world()
    _role(made, made.kim, "approver")
    RoleAssignment.objects.filter(person=made.kim, role="reviewer").delete()
    return made


def _role(world: World, who: Person, role: str) -> None:
    ago = now() - DAY
    by = {"proposed_by": world.pia, "proposed_at": ago, "approved_by": world.quinn, "approved_at": ago, "from_at": ago}
    RoleAssignment.objects.create(person=who, role=role, system=world.system, **by)


def by_rota(world: World, *names: str, then: tuple[str, ...] = ()) -> Rota:
    """The policy in force wakes who is on call, and after five minutes those named."""
    rota = rota_of(world, *names)
    tiers = [Tier((), 5, str(rota.pk))]
    tiers += [Tier(tuple(str(world.people[name].pk) for name in then), 5)] if then else []
    policy = Policy(tiers=tuple(tiers))
    PolicyVersion.objects.update(document=policy.document(), sha256=policy.sha256())
    return rota


def page(world: World, request: AccessRequest) -> str:
    return text(browser_of(world.ann).get(f"/requests/{request.pk}/").content)


def test_whoever_is_on_call_is_told_first_and_the_page_and_the_log_say_by_which_rota(world: World) -> None:
    by_rota(world, "jon", "ines")
    request = request_of(world)
    assert told(request) == ["Jon"]
    assert (
        "Waiting for one yes from Jon. Nobody has seen it yet. Jon is on call by the rota Nights. If it stays so, Ines and Kim are told in 5"
        in page(world, request)
    )
    (made,) = named(["request.made"])
    assert (made.fields["asked"], made.fields["rota"]) == ([str(world.jon.pk)], "Nights")
    assert after(request, 6) == 1
    assert told(request) == ["Jon", "Ines", "Kim"]


def test_rota_is_read_once_so_that_the_log_names_whoever_was_told(world: World) -> None:
    by_rota(world, "jon", "ines")
    with CaptureQueriesContext(connection) as seen:
        request_of(world)
    assert sum(f'FROM "{Rota._meta.db_table}"' in each["sql"] for each in seen) == 1


def test_absent_one_is_covered_and_where_all_are_away_the_next_tier_is_told_and_the_page_says_why(world: World) -> None:
    rota, at = by_rota(world, "jon", "ines", then=("kim",)), now()
    absences.say_away(by=actor(world.jon), rota=rota, person=world.jon, from_at=at, to_at=at + DAY)
    assert told(request_of(world)) == ["Ines"]
    absences.say_away(by=actor(world.ines), rota=rota, person=world.ines, from_at=at, to_at=at + DAY)
    request = request_of(world, reason="Another disk is full, and its writes fail too, since just now.")
    assert told(request) == ["Kim"]
    assert "Nobody of the rota Nights is here, so the next were told." in page(world, request)
    made = named(["request.made"])[-1]
    assert made.fields["unmanned"] == ["Nights"]
    assert after(request, 6) >= 1  # away or not, nobody is left out in the end
    assert told(request) == ["Kim", "Ines", "Jon"]


def test_rota_never_asks_the_responder_nor_who_lost_the_role(world: World) -> None:
    by_rota(world, "jon", "ines", "kim")
    _role(world, world.jon, "responder")
    ago = now() - DAY
    by = {"proposed_by": world.pia, "proposed_at": ago, "approved_by": world.quinn, "approved_at": ago, "from_at": ago}
    Eligibility.objects.create(person=world.jon, privilege=world.privilege, **by)
    own = ask(by=actor(world.jon), privilege=world.privilege, asked=world.asked())
    assert told(own) == ["Ines"]
    RoleAssignment.objects.filter(person__in=[world.jon, world.ines], role="approver").update(to_at=now())
    assert told(request_of(world)) == ["Kim"]


def test_who_stands_in_for_the_one_on_call_has_their_turn(world: World) -> None:
    by_rota(world, "jon", "ines")
    at = now()
    loan = lists.lend_role(by=actor(world.jon), to=world.mo, system=world.system, from_at=at, to_at=at + DAY)
    lists.approve_role(by=actor(world.quinn), assignment=loan)
    assert told(request_of(world)) == ["Mo"]


def test_who_was_told_by_an_earlier_tier_is_not_the_one_whom_the_rota_adds(world: World) -> None:
    rota = by_rota(world, "jon", "ines")
    policy = Policy(tiers=(Tier((str(world.jon.pk),), 5), Tier((), 5, str(rota.pk))))
    PolicyVersion.objects.update(document=policy.document(), sha256=policy.sha256())
    request = request_of(world)
    assert pass_on_due(request.requested_at + timedelta(minutes=6)) == 1
    assert told(request) == ["Jon", "Ines"]


def test_turns_that_are_told_at_once_keep_an_event_each(world: World) -> None:
    rota = by_rota(world, "jon", "ines", then=("kim",))
    request = request_of(world)
    actions.change(
        by=actor(world.pia), rota=rota, name="Late", members=[str(world.ines.pk), str(world.jon.pk)], weekday=0, hour=9, zone="UTC"
    )  # fmt: skip
    assert pass_on_due(request.requested_at + timedelta(minutes=6)) == 1
    said = [
        (each.fields["tier"], each.fields["told"], each.fields.get("rota")) for each in named(["request.passed_on"])
    ]
    assert said == [(1, [str(world.ines.pk)], "Late"), (2, [str(world.kim.pk)], None)]
    assert told(request) == ["Jon", "Ines", "Kim"]


def test_rota_that_a_policy_names_is_not_retired_before_the_policy_lets_go_of_it(world: World) -> None:
    rota, free = by_rota(world, "jon", "ines"), rota_of(world, name="Days")
    version = propose(by=actor(world.pia), system=world.system, policy=Policy(tiers=(Tier((), 5, str(free.pk)),)))
    for each, says in ((rota, "Version 1 of the policy of Billing is in force"), (free, "Version 2 .* waits for")):
        with pytest.raises(RefusedByPolicy, match=f"{says}.* wakes people by this rota"):
            retire_rota(by=actor(world.quinn), rota=each)
    decline(by=actor(world.pia), version=version)
    waiting = request_of(world)
    plain = propose(by=actor(world.pia), system=world.system, policy=Policy())
    approve(by=actor(world.quinn), version=plain)
    for each in (rota, free):
        retire_rota(by=actor(world.quinn), rota=each)
    assert "Jon is on call by the rota Nights" in page(world, waiting)  # asked for under the version before
    with pytest.raises(RefusedByPolicy, match="only rotas of this system"):
        propose(by=actor(world.pia), system=world.system, policy=Policy(tiers=(Tier((), 5, str(rota.pk)),)))


def test_policy_names_rotas_of_its_system_alone_and_speaks_of_them(world: World) -> None:
    rota = rota_of(world)
    policy = Policy(tiers=(Tier((), 7, str(rota.pk)),))
    assert parse(policy.document()) == policy
    assert '"tiers":[{"minutes":7,"rota":"' in policy.document()
    assert any(
        each.startswith("Whoever is on call is told at once")
        for each in sentences(policy, mode="approved", approvers=3)
    )
    version = propose(by=actor(world.pia), system=world.system, policy=policy)
    shown = text(browser_of(world.quinn).get(f"/policies/versions/{version.pk}/").content)
    assert "whoever is on call by the rota Nights for 7 minutes, then all others" in shown
    other = make_world(slug="other", people=world.people | {"hal": person("Hal")})
    with pytest.raises(RefusedByPolicy, match="only rotas of this system"):
        propose(by=actor(world.pia), system=other.system, policy=policy)


@pytest.mark.parametrize(
    "tier",
    [
        {"people": ["a"], "rota": "b", "minutes": 5},
        {"rota": "", "minutes": 5},
        {"rota": 1, "minutes": 5},
        {"rota": "b"},
    ],
)
def test_tier_is_people_or_a_rota(tier: dict[str, Any]) -> None:
    with pytest.raises(WrongPolicy):
        parse({"tiers": [tier]})


def test_form_puts_a_rota_into_a_tier_alone(world: World) -> None:
    rota = rota_of(world)
    before = Policy(tiers=(Tier((str(world.kim.pk),), 5), Tier((), 7, str(rota.pk))))
    said: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else "on" if value is True else value
        for name, value in {**first_values(before), "review_days": 365}.items()
        if value is not False
    }
    approvers, rotas = [(str(world.kim.pk), "Kim")], [(str(rota.pk), "Nights")]
    form = PolicyForm(said, approvers=approvers, rotas=rotas)
    assert form.is_valid(), form.errors
    assert form.policy == before
    both = PolicyForm({**said, f"rota_turn_{rota.pk}": "1"}, approvers=approvers, rotas=rotas)
    assert not both.is_valid()
    assert "people and groups, or one rota alone" in str(both.errors)
