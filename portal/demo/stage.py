"""Where the demo's past is played: the organisation, its simulated targets and the portal's own processes, moved through time together."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.management import call_command

from audit.log.read import position
from portal.connectors.base import Target
from portal.connectors.simulated import state
from portal.demo.organisation import Organisation
from portal.jobs import BEAT, WORKS
from portal.systems import heartbeats
from portal.systems.models import System
from portal.systems.targets import target as target_of

DAY = timedelta(days=1)
GATHERED_EVERY = 3  # days; completeness looks three days back
SEAL_PATIENCE_S = 60.0


@dataclass
class Stage:
    """The organisation with its targets. ``day`` is the last one on which each source gave a sign of life, ``unread`` how many of them nobody read yet.

    ``logged`` names the systems whose log is gathered by now.
    """

    organisation: Organisation
    day: datetime
    unread: int = 0
    logged: list[str] = field(default_factory=list)

    def move(self, system: System, when: datetime) -> Target:
        """Set the portal's and the target's clock; returns the target."""
        self.organisation.clock.set(when)
        target = target_of(system)
        state.set_clock(target, max(self.ms(when), self.organisation.clock.at))
        return target

    def ms(self, when: datetime) -> int:
        """A moment of the story in milliseconds, as the demo's clock tells it."""
        return self.organisation.clock.ms(when)

    def release(self, system: System) -> None:
        """Give the target the machine's clock again."""
        state.set_clock(target_of(system), None)

    def run(self, *names: str) -> None:
        """Let processes of the portal do what is due at the clock's time: jobs by name, and ``gather``, which also judges."""
        for name in names:
            if name == "gather":
                call_command("gather", once=True)
            else:
                next(work for work in WORKS if work.name == name).job(BEAT).once()

    def read(self, system: System) -> None:
        """Read what one target has logged; nothing is judged yet."""
        call_command("gather", once=True, source=[str(system.pk)])

    def mark(self, system: System) -> None:
        """A marked act on the target, as the running portal does every few seconds."""
        heartbeats.send(system, system.pk)

    def begin_log(self, slug: str) -> None:
        """From now on the log of a system is gathered, with a first sign of life."""
        self.logged.append(slug)
        system = self.organisation.systems[slug]
        self.move(system, self.day)
        self.mark(system)
        self.release(system)

    def mark_all(self) -> None:
        """One on each target, at the time of the day."""
        for system in [self.organisation.systems[slug] for slug in self.logged]:
            self.move(system, self.day)
            self.mark(system)
            self.release(system)

    def pass_days(self, until: datetime) -> None:
        """Let the days go by: on each, one sign of life of each source at the same time, read every few days."""
        while self.day + DAY <= until:
            self.day += DAY
            self.mark_all()
            self.unread += 1
            if self.unread == GATHERED_EVERY:
                self.run("gather")
                self.unread = 0

    def settle(self) -> None:
        """Wait until all is sealed, then let the portal take in what it says."""
        self.sealed()
        self.run("intake", "outbox", "cases")

    def sealed(self) -> None:
        """Wait until all that was written stands in the sealed log."""
        end = time.monotonic() + SEAL_PATIENCE_S
        while position().waiting_since is not None:
            if time.monotonic() > end:
                raise RuntimeError("The log is not being sealed, so the demo cannot be filled.")
            time.sleep(0.1)
