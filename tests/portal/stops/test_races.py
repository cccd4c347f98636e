"""A stop raced with what opens: whoever is first, afterwards nothing is open, in the portal and on the target."""

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest

from portal.access_requests.asking import ask
from portal.access_requests.models import AccessRequest
from portal.errors import ChangedMeanwhile, NotAllowed, Refused, RefusedByPolicy, WrongState
from portal.grants import authorising, opening, stopping, sweep
from portal.grants.models import Grant
from portal.grants.targets import connector_of, target_of
from portal.stops.models import Stop
from tests.at_once import at_once
from tests.worlds import World, actor, authorised, make_world, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
HANDS = 50


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def nothing_is_open(world: World) -> None:
    """After the sweep has done what was due, as it does each second."""
    for _ in range(5):
        sweep.run_due()
    assert set(Grant.objects.values_list("state", flat=True)) <= {"ended", "failed"}
    listed = connector_of(world.system).list_access(target_of(world.system), [world.privilege.on_target])
    assert listed.logins == ()
    assert Stop.objects.count() == 1


def test_stop_against_openings_of_every_kind(world: World) -> None:
    """Every fifth hand stops; the others break the glass, approve what waits, or open what is authorised."""
    waiting = iter([request_of(world, ("ann", "ben")[n % 2], reason=f"Waits. {n} {'x' * 40}") for n in range(14)])
    ready = iter([authorised(world, ("ann", "ben")[n % 2], reason=f"Ready. {n} {'x' * 40}") for n in range(16)])
    turns = itertools.count()

    def one() -> object:
        turn = next(turns)
        if turn % 5 == 4:
            return stopping.start(by=actor(world.mo), system=world.system, reason="Somebody is in.")
        if turn % 5 == 3:
            said = world.asked("bypass", reason=f"Writes fail. {turn}")
            return opening.run(authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=said).pk)
        if turn % 5 == 2:
            return opening.run(next(ready).pk)
        request = next(waiting, None)
        if request is None:
            return opening.run(next(ready).pk)
        grant = authorising.approve(by=actor(world.ines), request=request)
        return opening.run(grant.pk) if grant else None

    got = at_once(HANDS, one)
    assert Counter(isinstance(each, Stop) for each in got)[True] == 1
    assert [each for each in got if isinstance(each, BaseException) and not isinstance(each, Refused)] == []
    nothing_is_open(world)


def test_stop_against_requests(world: World) -> None:
    """Each request stands from before the stop, or is refused because of it; none was made after."""
    turns = itertools.count()

    def one() -> object:
        turn = next(turns)
        if turn % 10 == 9:
            return stopping.start(by=actor(world.mo), system=world.system, reason="Somebody is in.")
        mode = "bypass" if turn % 2 else "approved"
        by, said = (
            actor(world.people[("ann", "ben")[turn // 2 % 2]]),
            world.asked(mode, reason=f"Writes fail. {turn} {'x' * 40}"),
        )
        if mode == "bypass":
            return authorising.bypass(by=by, privilege=world.privilege, asked=said)
        return ask(by=by, privilege=world.privilege, asked=said)

    got = at_once(HANDS, one)
    kinds = Counter(type(each) for each in got)
    assert set(kinds) <= {Stop, Grant, AccessRequest, RefusedByPolicy, ChangedMeanwhile}
    assert kinds[Stop] == 1
    refused = {each.kind for each in got if isinstance(each, RefusedByPolicy)}
    assert refused <= {"stopped", "too many at once"}
    stop = Stop.objects.get()
    made = Grant.objects.filter(request__mode="bypass")
    assert made.count() == kinds[Grant]
    assert [grant for grant in made if grant.ended_at is None or grant.ended_at < stop.started_at] == []
    nothing_is_open(world)


def test_two_who_lift_at_once_are_one(world: World) -> None:
    from portal.stops import actions

    stop = stopping.start(by=actor(world.mo), system=world.system, reason="Somebody is in.")
    actions.ask_lift(by=actor(world.mo), stop=stop, reason="It was a drill.")
    askers = itertools.cycle((world.pia, world.quinn, world.mo))
    got = at_once(HANDS, lambda: actions.lift(by=actor(next(askers)), stop=stop))
    kinds = Counter(type(each) for each in got)
    assert (kinds[Stop], set(kinds)) == (1, {Stop, NotAllowed, WrongState})
    assert Stop.objects.get().lifted_by_id in {world.pia.pk, world.quinn.pk}
