"""Nobody looks: the next tier is told, once, at its minute, until enough have seen it; the waiting page says so before."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log.append import LogUnavailable
from audit.log.read import named
from portal.access_requests.actions import approve, see, withdraw
from portal.access_requests.asking import pass_on
from portal.access_requests.models import AccessRequest, Seen
from portal.access_requests.queries import waiting_in_tiers
from portal.access_requests.sweep import pass_on_due
from portal.access_requests.turns import begun, next_turn, turns
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.notifications.actions import acknowledge
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.policy.actions import propose
from portal.policy.forms import PolicyForm, first_values
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy, Tier, WrongPolicy, parse
from tests.at_once import at_once
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def in_tiers(world: World, *tiers: tuple[str, int], **rules: int) -> World:
    """The policy in force with these tiers of one person each."""
    policy = Policy(tiers=tuple(Tier((str(world.people[name].pk),), minutes) for name, minutes in tiers), **rules)  # type: ignore[arg-type]  # figures by name
    PolicyVersion.objects.update(document=policy.document(), sha256=policy.sha256())
    return world


@pytest.fixture
def world() -> World:
    """Ines is told first and has five minutes; then Jon."""
    made = make_world()
    return in_tiers(made, ("ines", 5))


def told(request: AccessRequest) -> list[str]:
    """Who was called, in that order."""
    rows = Alert.objects.filter(about=request.log_subject, kind="request.asked").select_related("recipient")
    return [each.recipient.name for each in rows.order_by("queued_at", "recipient__name") if each.recipient]


def after(request: AccessRequest, minutes: float) -> int:
    return pass_on_due(request.requested_at + minutes * MINUTE)


def test_request_of_which_nobody_can_say_who_is_next_stops_no_other(world: World) -> None:
    other = make_world(slug="other", people=world.people)
    request_of(other)
    request = request_of(world)
    PolicyVersion.objects.filter(system=other.system).update(document='{"tiers": [0]}')
    assert after(request, 6) == 1
    assert told(request) == ["Ines", "Jon"]


def test_next_tier_is_told_at_its_minute_once(world: World) -> None:
    request = request_of(world)
    assert told(request) == ["Ines"]
    assert [after(request, each) for each in (0, 4.9, 5, 5.1, 30)] == [0, 0, 1, 0, 0]
    assert told(request) == ["Ines", "Jon"]
    (event,) = named(["request.passed_on"])
    assert (event.case, event.by, event.fields) == (
        str(request.pk), "process:sweep", {"tier": 2, "told": [str(world.jon.pk)], "waited_minutes": 5},
    )  # fmt: skip
    (made,) = named(["request.made"])
    assert made.fields["asked"] == [str(world.ines.pk)]


def test_sweep_that_slept_tells_all_whose_turn_has_come_at_once(world: World) -> None:
    in_tiers(world, ("jon", 1), ("ines", 1))
    request = request_of(world)
    assert told(request) == ["Jon"]
    assert after(request, 50) == 1
    assert told(request) == ["Jon", "Ines"]


@pytest.mark.parametrize("how", ["sees", "acknowledges", "approves"])
def test_nobody_else_is_told_once_somebody_looked(world: World, how: str) -> None:
    in_tiers(world, ("ines", 5), min_approvals=1 if how != "approves" else 2)
    request = request_of(world)
    if how == "sees":
        see(by=actor(world.ines), request=request)
    elif how == "acknowledges":
        acknowledge(by=actor(world.ines), alert=Alert.objects.get(recipient=world.ines, kind="request.asked"))
    else:
        approve(by=actor(world.ines), request=request)
    passed = after(request, 6)
    assert passed == (1 if how == "approves" else 0)  # two must say yes, and one did: the next is still needed


@pytest.mark.parametrize("lost", ["left", "role"])
def test_who_looked_and_may_decide_no_longer_keeps_nobody_asleep(world: World, lost: str) -> None:
    request = request_of(world)
    see(by=actor(world.ines), request=request)
    if lost == "left":
        Person.objects.filter(pk=world.ines.pk).update(left_at=now())
    else:
        RoleAssignment.objects.filter(person=world.ines).update(
            ended_at=now(), ended_by="process:test", ended_cause="test"
        )
    assert after(request, 6) == 1
    assert told(request) == ["Ines", "Jon"]


@pytest.mark.parametrize("end", ["withdrawn", "too late"])
def test_request_that_is_over_is_not_seen_any_more(world: World, end: str) -> None:
    request = request_of(world)
    if end == "withdrawn":
        withdraw(by=actor(world.ann), request=request)
    else:
        AccessRequest.objects.update(lapses_at=now())
    with pytest.raises(WrongState):
        see(by=actor(world.ines), request=request)
    assert (Seen.objects.count(), named(["request.seen"])) == (0, [])


def test_nothing_that_waits_is_beyond_a_limit(world: World) -> None:
    request = request_of(world)
    row = AccessRequest.objects.filter(pk=request.pk).values().get()
    older = {**row, "requested_at": request.requested_at - MINUTE}
    rows = [AccessRequest(**{**older, "id": uuid4()}) for _ in range(600)]
    AccessRequest.objects.bulk_create(rows)
    found = [each.pk for each in waiting_in_tiers(now())]
    assert (len(found), found[-1]) == (601, request.pk)


@pytest.mark.parametrize("end", ["withdrawn", "lapsed"])
def test_request_that_is_over_is_not_passed_on(world: World, end: str) -> None:
    request = request_of(world)
    if end == "withdrawn":
        withdraw(by=actor(world.ann), request=request)
    assert after(request, 61) == 0
    with pytest.raises(WrongState):
        pass_on(by=actor(world.ines), request=request, at=request.requested_at + 61 * MINUTE)
    assert told(request) == ["Ines"]


def test_fifty_sweeps_at_once_tell_each_once(world: World) -> None:
    request = request_of(world)
    at = request.requested_at + 6 * MINUTE
    outcomes = at_once(50, lambda: pass_on(by=actor(world.ines), request=request, at=at))
    assert sorted(type(each).__name__ for each in outcomes) == ["AccessRequest"] + ["ChangedMeanwhile"] * 49
    assert told(request) == ["Ines", "Jon"]


def test_nobody_is_told_where_the_log_does_not_take_it(world: World) -> None:
    request = request_of(world)
    with broken_log(), pytest.raises(LogUnavailable):
        pass_on(by=actor(world.ines), request=request, at=request.requested_at + 6 * MINUTE)
    assert told(request) == ["Ines"]
    with pytest.raises(ChangedMeanwhile):
        pass_on(by=actor(world.ines), request=request, at=request.requested_at + 4 * MINUTE)


def test_waiting_page_says_minute_by_minute_who_is_next_and_offers_the_bypass_filled_in(world: World) -> None:
    request, ann = request_of(world), browser_of(world.ann)
    at = request.requested_at + 5 * MINUTE

    def said(waited: float) -> str:
        AccessRequest.objects.filter(pk=request.pk).update(requested_at=now() - waited * MINUTE)
        return text(ann.get(f"/requests/{request.pk}/").content)

    first = text(ann.get(f"/requests/{request.pk}/").content)
    assert "Waiting for one yes from Ines. Nobody has seen it yet. If it stays so, Jon is told in 5 minutes" in first
    assert f"at {at:%H:%M} UTC." in first
    assert "Jon is told in 1 minute, at" in said(4.5)
    assert "Break the glass" not in said(4.5)
    late = said(11)
    assert "Waiting for one yes from Ines or Jon. Nobody has seen it yet." in late
    assert "what you said is filled in already" in late
    form = ann.get(f"/requests/bypass/?from={request.pk}").content.decode()
    assert request.reason in form
    see(by=actor(world.ines), request=request)
    assert "told in" not in said(1)


def people(count: int) -> list[Person]:
    return [Person(name=f"P{number}") for number in range(count)]


@given(st.lists(st.tuples(st.sets(st.integers(0, 7), min_size=1), st.integers(1, 60)), max_size=3), st.integers(1, 6))
def test_turns_tell_every_approver_exactly_once_and_the_first_at_once(
    tiers: list[tuple[set[int], int]], count: int
) -> None:
    here, at = people(count), now()
    everybody = here + people(2)  # some are no approvers any more
    taken: set[int] = set()
    made = []
    for chosen, minutes in tiers:
        fresh = {each % len(everybody) for each in chosen} - taken
        taken |= fresh
        if fresh:
            made.append(Tier(tuple(str(everybody[each].pk) for each in sorted(fresh)), minutes))
    found = turns(Policy(tiers=tuple(made)), here, at)
    assert sorted(each.name for turn in found for each in turn.people) == sorted(each.name for each in here)
    assert (found[0].at, [each.number for each in found]) == (at, list(range(1, len(found) + 1)))
    times = [turn.at for turn in found]
    assert times == sorted(set(times))
    for turn in found:
        assert turn in begun(found, turn.at)
        assert next_turn(found, turn.at) != turn


def test_policy_without_tiers_keeps_its_bytes_and_one_with_them_comes_back_whole() -> None:
    assert "tiers" not in Policy().document()
    policy = Policy(tiers=(Tier(("a", "b"), 5), Tier(("c",), 10)))
    assert parse(policy.document()) == policy


@pytest.mark.parametrize(
    "tiers",
    [
        [{"people": [], "minutes": 5}], [{"people": ["a"], "minutes": 0}], [{"people": ["a"], "minutes": 61}], [{"people": ["a"]}], ["a"],
        [{"people": ["a"], "minutes": 5}, {"people": ["a"], "minutes": 5}], [{"people": [str(each)], "minutes": 5} for each in range(4)],
        [{"people": ["a"], "minutes": "5"}], [{"people": [1], "minutes": 5}],
    ],
)  # fmt: skip
def test_wrong_tiers_are_no_policy(tiers: list[object]) -> None:
    with pytest.raises(WrongPolicy):
        parse({"tiers": tiers})


def test_form_puts_approvers_into_tiers_and_the_version_says_so(world: World) -> None:
    pia = browser_of(world.pia)
    approvers = [(str(world.ines.pk), "Ines"), (str(world.jon.pk), "Jon")]
    before = Policy(tiers=(Tier((str(world.jon.pk),), 7),))
    said: dict[str, object] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in {**first_values(before), "review_days": 365}.items()
        if value is not False
    }
    form = PolicyForm({name: "on" if value is True else value for name, value in said.items()}, approvers=approvers)
    assert form.is_valid(), form.errors
    assert form.policy == before
    page = pia.get(f"/policies/{world.system.pk}/new/").content.decode()
    assert "Ines is told" in page
    sent = {name: "on" if value is True else value for name, value in said.items()} | {f"turn_{world.ines.pk}": "3"}
    assert pia.post(f"/policies/{world.system.pk}/new/", sent).status_code == 302
    shown = text(browser_of(world.quinn).get(f"/policies/versions/{PolicyVersion.objects.get(number=2).pk}/").content)
    assert "Jon for 7 minutes, then Ines for 5 minutes, then all others" in shown
    assert "Ines for 5 minutes, then all others" in shown


def test_tier_names_only_approvers(world: World) -> None:
    with pytest.raises(RefusedByPolicy, match="only people who may approve"):
        propose(by=actor(world.pia), system=world.system, policy=Policy(tiers=(Tier((str(world.zoe.pk),), 5),)))
