"""An emergency stop with many open grants: from its start until the target has shown each of them gone, by the web process alone."""

import itertools

from portal.grants import stopping, sweep
from portal.grants.models import Grant
from portal.stops.models import Stop
from portal.systems.models import System
from tests.benchmarks.ending import another
from tests.benchmarks.rows import Row, at_most, percentile
from tests.servers import wait_until
from tests.worlds import World, actor, make_world, opened, sealing

MANY, BAR_S, PAGE_S = 200, 30, 4.0


def open_many(world: World, many: int) -> list[Grant]:
    """Open grants of the world's responders on its simulated target: one each by the actions, the others copies of them."""
    models = itertools.cycle([opened(world, name) for name in ("ann", "ben")])
    return [another(next(models)) for _ in range(many)]


def halt(world: World, system: System | None) -> tuple[Stop, list[float]]:
    """Stop as the page does. Seconds from the stop's start to each read-back, and nothing else at work."""
    stop = stopping.start(by=actor(world.mo), system=system, reason="Measured.")
    sweep.end_soon(stopping.closing_of(stop), PAGE_S)
    wait_until(lambda: stopping.standing(stop).live == 0, "every access to be read back", 180)
    times = stopping.met_by(stop).values_list("confirmed_at", flat=True)
    return stop, [(at - stop.started_at).total_seconds() for at in times if at]


def rows() -> list[Row]:
    """One figure."""
    with sealing():
        world = make_world()
        open_many(world, MANY - 2)
        _, took = halt(world, world.system)
    beside = f"{len(took)} read back; median {percentile(took, 50):.1f} s; broker, worker and watch not at work"
    return [
        at_most(f"emergency stop with {MANY} open grants on simulated, all read back", max(took), BAR_S, beside=beside)
    ]
