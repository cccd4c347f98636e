"""From the end of the time to the read-back: one grant, fifty real ones in one minute, a thousand simulated ones in one minute."""

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model

from portal.clock import now
from portal.grants.models import Grant
from portal.grants.targets import connector_of, opening_of, target_of
from portal.people.models import Person
from portal.secrets import encrypt
from tests.benchmarks.rows import Row, at_most, percentile
from tests.faults.programs import CELERY, running
from tests.faults.shops import end_at, make_shop, open_anyhow
from tests.servers import running_target, wait_until
from tests.worlds import World, let_ask, make_world, opened, sealing

T = TypeVar("T", bound=Model)
SINGLES, REAL, SIMULATED = 5, 50, 1000
MINUTE = timedelta(minutes=1)
AHEAD = timedelta(seconds=3)


@dataclass(frozen=True)
class Ends:
    """Seconds from each grant's planned end to its read-back."""

    seconds: Sequence[float]

    @property
    def beside(self) -> str:
        """For the row."""
        return (
            f"{len(self.seconds)} ends; median {percentile(self.seconds, 50):.2f} s, longest {max(self.seconds):.2f} s"
        )


def ends_of(grants: Sequence[Grant], patience_s: float = 180) -> Ends:
    """Wait until all are read back."""
    ids = [grant.pk for grant in grants]
    left = Grant.objects.filter(pk__in=ids).exclude(state="ended")
    wait_until(lambda: not left.exists(), "all grants to be read back", patience_s)
    times = Grant.objects.filter(pk__in=ids).values_list("expires_at", "confirmed_at")
    return Ends([(confirmed - expires).total_seconds() for expires, confirmed in times if confirmed and expires])


def one_by_one(world: World) -> Ends:
    """Single ends, one after another."""
    found: list[float] = []
    for _ in range(SINGLES):
        grant = open_anyhow(world)
        end_at(grant, now() + AHEAD)
        found += ends_of([grant]).seconds
    return Ends(found)


def fifty(world: World) -> Ends:
    """Real grants whose ends lie evenly in one minute."""
    let_ask(world, "zoe")
    askers = itertools.islice(itertools.cycle(("ann", "ben", "zoe")), REAL)
    grants = [open_anyhow(world, by) for by in askers]
    first = now() + AHEAD
    for place, grant in enumerate(grants):
        end_at(grant, first + MINUTE * place / REAL)
    return ends_of(grants)


def thousand(people: dict[str, Person]) -> Ends:
    """Simulated grants whose ends lie evenly in one minute. They are copies of one that was opened by the actions."""
    world = make_world(slug="simulated", people=people)
    model = opened(world)
    grants = [another(model) for _ in range(SIMULATED)]
    first = now() + AHEAD
    for place, grant in enumerate(grants):
        _due(grant, first + MINUTE * place / SIMULATED)
    return ends_of(grants, 300)


def another(model: Grant) -> Grant:
    """Another open grant like it, on the target too."""
    connector, target = connector_of(model.system), target_of(model.system)
    grant = _copy(
        model,
        request=_copy(model.request),
        nonce=secrets.token_hex(16),
        planned_expires_at=now() + timedelta(minutes=30),
    )
    login = f"bg_{grant.number}"
    verifier = connector.verifier(target, login, connector.make_secret())
    grant.verifier, grant.login, grant.marker = encrypt(verifier.reveal(), f"verifier:{grant.pk}").hex(), login, login
    grant.marker_ref = connector.open(target, opening_of(grant)).marker_ref
    grant.save()
    return grant


def _copy(row: T, **changes: object) -> T:
    """A row like it, with an id and a number of its own."""
    values = {
        field.name: getattr(row, field.name)
        for field in row._meta.concrete_fields
        if field.name not in ("id", "number")
    }
    made = type(row)._base_manager.create(**{**values, **changes})
    made.refresh_from_db()
    return made


def _due(grant: Grant, when: datetime) -> None:
    Grant.objects.filter(pk=grant.pk).update(expires_at=when, first_expires_at=when, planned_expires_at=when)


def rows() -> list[Row]:
    """With worker, beat and watch; then with broker and workers dead, so that watch alone is left."""
    dead = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    with running_target() as target, sealing():
        world = make_shop(target)
        with (
            running("watch"),
            running(*CELERY, "worker", "--concurrency", "2"),
            running(*CELERY, "beat", "--schedule", f"{world.state.parent}/beat", "--pidfile", ""),
        ):
            single = one_by_one(world)
        with running("watch", environment=dead):
            alone = one_by_one(world)
            many = fifty(world)
            thousands = thousand(world.people)
    return [
        at_most("end to read-back, one grant", max(single.seconds), 3, beside=single.beside),
        at_most("end to read-back, broker and workers dead", max(alone.seconds), 15, beside=alone.beside),
        at_most(
            f"end to read-back, {REAL} real grants in a minute, watch alone, p99",
            percentile(many.seconds, 99),
            30,
            beside=many.beside,
        ),
        at_most(
            f"end to read-back, {SIMULATED} simulated grants in a minute, watch alone, p99",
            percentile(thousands.seconds, 99),
            30,
            beside=thousands.beside,
        ),
    ]
