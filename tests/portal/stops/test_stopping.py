"""An emergency stop: what it ends, what it holds up, and that two people lift it."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from django.db import IntegrityError, transaction

from audit.log.read import of_subject
from portal.access_requests.models import AccessRequest
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, LogUnavailable, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import authorising, ending, opening, stopping, sweep
from portal.grants.models import Grant
from portal.grants.targets import alone, connector_of, target_of
from portal.notifications.models import Alert
from portal.stops import actions
from portal.stops.history import TITLES
from portal.stops.models import Stop
from portal.stops.queries import is_stopped
from tests.factories import broken_log
from tests.worlds import World, actor, authorised, make_world, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Somebody copies the whole ledger."


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        made = make_world()
        RoleAssignment.objects.filter(person=made.pia).update(system=None)
        RoleAssignment.objects.filter(person=made.quinn).update(system=None)
        yield made


@pytest.fixture
def other(world: World) -> World:
    """A second system of the same people."""
    return make_world(slug="ledger", on_target="ledger_emergency", people=world.people)


def stop_of(world: World, by: str = "mo", **changes: object) -> Stop:
    return stopping.start(by=actor(world.people[by]), **{"system": world.system, "reason": WHY, **changes})  # type: ignore[arg-type]  # as told


def last_of(stop: Stop) -> str:
    return of_subject(stop.log_subject, TITLES)[-1].name


def lift_asked(world: World) -> Stop:
    stop = stop_of(world)
    return actions.ask_lift(by=actor(world.mo), stop=stop, reason="The door is shut.")


def test_stop_ends_what_is_open_in_every_state_and_reads_it_back(world: World, other: World) -> None:
    active, waits = opened(world), authorised(world, "ben")
    begun = opening.begin(
        by=opening.PORTAL, grant=authorised(world, reason=f"{WHY} Begun, and not open on the target.")
    )
    elsewhere, asked = opened(other), request_of(world, "ben", reason=f"{WHY} Still asked.")
    stop = stop_of(world)
    states = {each.pk: Grant.objects.get(pk=each.pk).state for each in (active, waits, begun, elsewhere)}
    assert states == {active.pk: "closing", waits.pk: "failed", begun.pk: "closing", elsewhere.pk: "active"}
    sweep.end_soon(stopping.closing_of(stop), 30)
    assert stopping.standing(stop) == stopping.Standing(read_back=2, live=0, not_opened=1, waiting=1)
    listed = connector_of(world.system).list_access(target_of(world.system), [world.privilege.on_target])
    assert listed.logins == ()
    assert AccessRequest.objects.get(pk=asked.pk).state == "awaiting"
    (revoked,) = of_subject(active.log_subject, ["grant.revoked"])
    said = (revoked.fields["cause"], revoked.fields["ended_by"], revoked.says("reason"))
    assert said == ("emergency stop", str(world.mo.pk), f"Emergency stop: {WHY}")
    assert last_of(stop) == "stop.started"


def test_stop_of_all_holds_for_every_system_and_a_later_one(world: World, other: World) -> None:
    grants = [opened(world), opened(other)]
    stop_of(world, "pia", system=None)
    assert {Grant.objects.get(pk=each.pk).state for each in grants} == {"closing"}
    later = make_world(slug="later", people=world.people)
    assert [is_stopped(each.system) for each in (world, other, later)] == [True, True, True]


BLOCKED: dict[str, Callable[[World, AccessRequest], object]] = {
    "asking": lambda world, _: request_of(world, "ben", reason=f"{WHY} Asked while it is stopped."),
    "breaking the glass": lambda world, _: authorising.bypass(
        by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass")
    ),
    "approving": lambda world, waiting: authorising.approve(by=actor(world.ines), request=waiting),
}


def test_nothing_goes_through_a_stop_and_the_sentence_says_whom_to_call(world: World, other: World) -> None:
    for here, system in ((world, world.system), (other, None)):
        waiting = request_of(here)
        stop_of(here, "pia", system=system)
        for act in BLOCKED.values():
            with pytest.raises(RefusedByPolicy) as refused:
                act(here, waiting)
            assert (refused.value.kind, "Call Mo" in refused.value.sentence) == ("stopped", True)
            assert "Mo" not in refused.value.logged
    assert (Grant.objects.count(), AccessRequest.objects.count()) == (0, 2)


def test_what_waits_can_be_approved_after_the_lift_and_nothing_comes_back_by_itself(world: World) -> None:
    waiting, grant = request_of(world, "ben"), opened(world)
    stop = lift_asked(world)
    ending.run(grant.pk)
    lifted = actions.lift(by=actor(world.pia), stop=stop)
    assert (lifted.state, lifted.holds, is_stopped(world.system)) == ("lifted", False, False)
    assert Grant.objects.get(pk=grant.pk).state == "ended"
    assert authorising.approve(by=actor(world.ines), request=waiting) is not None
    stop_of(world)  # it can be stopped again


def test_sweep_ends_what_came_to_be_beside_a_stop(world: World) -> None:
    grant = opened(world)
    with transaction.atomic():
        Stop.objects.create(system=world.system, reason=WHY, started_by=world.mo, started_at=grant.authorised_at)
    late = authorised_beside(world)
    sweep.run_due()
    sweep.run_due()
    assert [Grant.objects.get(pk=each.pk).state for each in (grant, late)] == ["ended", "failed"]


def authorised_beside(world: World) -> Grant:
    """What no action makes: a grant of a system that is stopped."""
    made = Grant.objects.latest("authorised_at")
    request = AccessRequest.objects.get(pk=made.request_id)
    request.pk = None
    request._state.adding = True
    request.save(force_insert=True)
    return Grant.objects.create(
        request=request, person=world.ann, system=world.system, privilege=world.privilege, authorised_at=made.authorised_at,
        minutes=30, nonce="0", next_try_at=made.authorised_at,
    )  # fmt: skip


def test_late_process_opens_nothing_on_a_stopped_system(world: World) -> None:
    """Also where the stop did not see the grant: the last look before the target is changed sees the stop."""
    grant = authorised(world)
    connector, target = connector_of(world.system), target_of(world.system)
    row = opening.begin(by=opening.PORTAL, grant=grant)
    Stop.objects.create(system=world.system, reason=WHY, started_by=world.mo, started_at=grant.authorised_at)
    with alone(row), pytest.raises(WrongState):
        opening._step(row, "connected")
    with pytest.raises(RefusedByPolicy):
        opening.begin(by=opening.PORTAL, grant=row)
    assert opening.run(row.pk).end_cause == "revoked"
    assert connector.list_access(target, [world.privilege.on_target]).logins == ()


def test_who_may_stop(world: World) -> None:
    """Of one system whoever may end an access there; of all its administrators alone."""
    may: dict[bool, set[str]] = {True: set(), False: set()}
    for name, person in world.people.items():
        for one in may:
            with transaction.atomic():
                with suppress(NotAllowed):
                    stopping.start(by=actor(person), system=world.system if one else None, reason=WHY)
                    may[one].add(name)
                transaction.set_rollback(True)
    assert may == {True: {"mo", "ines", "jon", "pia", "quinn"}, False: {"pia", "quinn"}}


def test_a_stop_asks_for_a_sentence_and_a_fresh_second_factor(world: World) -> None:
    with pytest.raises(RefusedByPolicy):
        stop_of(world, reason="  ")
    with pytest.raises(StepUpNeeded):
        stopping.start(by=actor(world.mo, age_s=3600), system=world.system, reason=WHY)
    assert Stop.objects.count() == 0


def test_one_scope_is_stopped_once_and_one_stop_outlives_the_other(world: World) -> None:
    stop = stop_of(world)
    with pytest.raises(ChangedMeanwhile):
        stop_of(world, "ines")
    everywhere = stop_of(world, "pia", system=None)
    with pytest.raises(ChangedMeanwhile):
        stop_of(world, "quinn", system=None)
    actions.ask_lift(by=actor(world.pia), stop=everywhere, reason="Only the ledger.")
    actions.lift(by=actor(world.quinn), stop=everywhere)
    assert (is_stopped(world.system), stop.holds) == (True, True)


def test_lifting_takes_two_who_may(world: World) -> None:
    stop = lift_asked(world)
    refusals: tuple[tuple[str, str, type[Exception]], ...] = (
        ("lift", "mo", NotAllowed), ("lift", "ines", NotAllowed), ("lift", "ann", NotAllowed), ("keep", "kim", NotAllowed),
        ("ask_lift", "ines", NotAllowed), ("ask_lift", "pia", WrongState),
    )  # fmt: skip
    for act, who, error in refusals:
        more = {"reason": "Again."} if act == "ask_lift" else {}
        with pytest.raises(error):
            getattr(actions, act)(by=actor(world.people[who]), stop=stop, **more)
        stop.refresh_from_db()
        assert (stop.state, last_of(stop)) == ("lift_asked", "stop.act_refused")


def test_stop_that_is_kept_is_in_force_as_before(world: World) -> None:
    kept = actions.keep(by=actor(world.mo), stop=lift_asked(world), reason="I was too quick.")
    assert (kept.state, kept.lift_asked_by_id, kept.lift_reason) == ("in_force", None, "")
    for act in (actions.lift, actions.keep):
        with pytest.raises(WrongState):
            act(by=actor(world.pia), stop=kept)
    with pytest.raises(RefusedByPolicy):
        actions.ask_lift(by=actor(world.mo), stop=kept, reason=" ")


ACTS: dict[str, Callable[[World, Stop], object]] = {
    "ask_lift": lambda world, stop: actions.ask_lift(by=actor(world.mo), stop=stop, reason="It holds."),
    "keep": lambda world, stop: actions.keep(by=actor(world.pia), stop=stop),
    "lift": lambda world, stop: actions.lift(by=actor(world.pia), stop=stop),
}


def test_nothing_changes_without_its_event(world: World) -> None:
    grant = opened(world)
    with broken_log(), pytest.raises(LogUnavailable):
        stop_of(world)
    assert (Stop.objects.count(), Grant.objects.get(pk=grant.pk).state) == (0, "active")
    stop = stop_of(world)
    for name, act in ACTS.items():
        before = Stop.objects.values().get()
        with broken_log(), pytest.raises(LogUnavailable):
            act(world, stop)
        assert Stop.objects.values().get() == before
        if name == "ask_lift":
            act(world, stop)


def test_everybody_concerned_is_told(world: World, other: World) -> None:
    stop = lift_asked(world)
    actions.lift(by=actor(world.pia), stop=stop)
    told = {
        kind: sorted(Alert.objects.filter(kind=kind, recipient__isnull=False).values_list("recipient__name", flat=True))
        for kind in ("stop.started", "stop.lift_asked", "stop.lifted")
    }
    everybody = ["Ann", "Ben", "Ines", "Jon", "Mo", "Pia", "Quinn"]
    assert told == {"stop.started": everybody, "stop.lift_asked": ["Pia", "Quinn"], "stop.lifted": everybody}
    assert Alert.objects.filter(kind="stop.started", recipient__isnull=True).count() == 1


def test_database_itself_knows_no_lift_by_one(world: World) -> None:
    stop = lift_asked(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        Stop.objects.filter(pk=stop.pk).update(state="lifted", lifted_by=world.mo, lifted_at=stop.started_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        Stop.objects.create(system=world.system, reason=WHY, started_by=world.mo, started_at=stop.started_at)
