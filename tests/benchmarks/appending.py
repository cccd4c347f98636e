"""An audited action, held against `create()` with django-auditlog and plain `create()`, on tables of the same shape.

The action is what ours are: it locks the row that it is about, makes a row, and writes an event with two personal values. `create()`
with django-auditlog is called as its users call it; inside of `atomic()` it stands beside.
"""

import multiprocessing
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from auditlog.context import set_actor
from auditlog.registry import auditlog
from auditlog.signals import post_log
from django.conf import settings
from django.db import connection, connections, models, transaction

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.people.models import Person
from portal.rows import lock_row
from tests.benchmarks.rows import Row, at_least, middle
from tests.servers import role_url

ROUNDS, EACH, CLIENTS, MANY = 40, 50, 4, 16
LONG = {1: 2400, CLIENTS: 2400, MANY: 800}
"""Actions of each client: seconds, so that what a process and its connection cost at first is a small share."""
PEER_BAR, PLAIN_BAR, CLIENTS_BAR, MANY_BAR = 1.2, 0.4, 2.0, 1.5
REASON = "Disk at 98 percent, writes are failing and customers are affected."
BY = Actor("0b0e8a52-7d7e-4ac0-9f10-1a0f3c6f0b11", "Ann Berg", "totp", 1_780_000_000_000)


class About(models.Model):
    """What the rows are about: the row that an action locks."""

    class Meta:
        """Made by the benchmark alone."""

        app_label, db_table, managed = "portal", "bench_about", False


class Shape(models.Model):
    """The shape of the measured rows, much like an extension of a grant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    about_id = models.BigIntegerField()
    minutes = models.PositiveIntegerField()
    reason = models.TextField()
    asked_at = models.DateTimeField()
    decision = models.CharField(max_length=20, default="", blank=True)

    class Meta:
        """A shape alone."""

        abstract = True


class Plain(Shape):
    """For plain `create()`."""

    class Meta:
        """Made by the benchmark alone."""

        app_label, db_table, managed = "portal", "bench_plain", False


class Watched(Shape):
    """For `create()` with django-auditlog."""

    class Meta:
        """Made by the benchmark alone."""

        app_label, db_table, managed = "portal", "bench_watched", False


class Acted(Shape):
    """For the action."""

    class Meta:
        """Made by the benchmark alone."""

        app_label, db_table, managed = "portal", "bench_acted", False


MODELS: tuple[type[models.Model], ...] = (About, Plain, Watched, Acted)
Call = Callable[[int], object]
SOMEBODY = Person(email="ann@example.org", name="Ann Berg")


def _values(about: int) -> dict[str, Any]:
    return {"about_id": about, "minutes": 15, "reason": REASON, "asked_at": now()}


def _create(model: type[Shape], about: int) -> Shape:
    return model._base_manager.create(**_values(about))


def plain(about: int) -> Shape:
    """One row and nothing else."""
    return _create(Plain, about)


def nameless(about: int) -> Shape:
    """One row, and django-auditlog's entry."""
    return _create(Watched, about)


def watched(about: int) -> Shape:
    """The same with who acted, as django-auditlog's middleware sees to for each request."""
    with set_actor(SOMEBODY):
        return _create(Watched, about)


def together(about: int) -> Shape:
    """That in one transaction."""
    with transaction.atomic():
        return watched(about)


@action(event="grant.extension_asked")
def acted(*, by: Actor, about: int) -> Shape:
    """Lock, row, event."""
    locked = lock_row(About, about)
    row = _create(Acted, locked.pk)
    append(
        "grant.extension_asked", by=by, case="3c1f5d7e-2f0a-4a0e-8f3e-5f3f0f1c2a10", subject="grant:8a5a1c34-9a8d-4d0e-a7f5-6a2d8b0f4c11",
        grant_id="8a5a1c34-9a8d-4d0e-a7f5-6a2d8b0f4c11", extension_id=row.pk, minutes=row.minutes, reason=row.reason,
    )  # fmt: skip
    return row


def _act(about: int) -> Shape:
    return acted(by=BY, about=about)


class Ready:
    """The tables, made as the owner; then this process works as the web role does."""

    calls: ClassVar[dict[str, Call]] = {
        "plain": plain, "nameless": nameless, "watched": watched, "together": together, "acted": _act,
    }  # fmt: skip

    def __enter__(self) -> "Ready":
        """Make the tables and become the web role."""
        with connection.schema_editor() as editor:
            for model in MODELS:
                editor.create_model(model)
        with connection.cursor() as cursor:
            for model in MODELS:
                cursor.execute(f"GRANT SELECT, INSERT, UPDATE ON {model._meta.db_table} TO breakglass_web")
        SOMEBODY.added_at = now()
        SOMEBODY.save()
        About._base_manager.bulk_create([About() for _ in range(MANY + 1)])
        self.owner = dict(connection.settings_dict)
        become("web")
        auditlog.register(Watched)
        # The portal puts what auditlog sees into its own log too; here auditlog is measured by itself.
        post_log.disconnect(dispatch_uid="portal.configuration.forward")
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the database as it was."""
        from portal.configuration import forward

        auditlog.unregister(Watched)
        post_log.connect(forward, dispatch_uid="portal.configuration.forward")
        connection.close()
        connection.settings_dict.update(self.owner)
        with connection.schema_editor() as editor:
            for model in MODELS:
                editor.delete_model(model)


def become(role: str) -> None:
    """Let this thread's connection be that of one of the portal's roles."""
    from portal.environment import database

    connection.close()
    given = database(role_url(role, str(settings.DATABASES["default"]["NAME"])))
    connection.settings_dict.update({key: given[key] for key in ("USER", "PASSWORD")})


def seconds_for_each(call: Call, about: int, times: int) -> float:
    """Mean time of one call."""
    begun = time.perf_counter()
    for _ in range(times):
        call(about)
    return (time.perf_counter() - begun) / times


def side_by_side(calls: dict[str, Call], *, rounds: int, each: int) -> dict[str, list[float]]:
    """Each round's mean for each call. Rounds are short and calls alternate, so that what else the machine does hits all alike."""
    for call in calls.values():
        seconds_for_each(call, 1, 30)
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            found[name].append(seconds_for_each(call, 1, each))
    return found


def ratio(took: dict[str, list[float]], peer: str, ours: str = "acted") -> float:
    """How many times the peer's time is ours: the median over the rounds."""
    return middle([theirs / own for theirs, own in zip(took[peer], took[ours], strict=True)])


def _client(about: int, times: int, gate: Any, ends: Any) -> None:
    seconds_for_each(_act, about, 30)
    gate.wait()
    for _ in range(times):
        _act(about)
    ends.put(time.perf_counter())
    connections.close_all()


def throughput(clients: int, each: int) -> float:
    """Actions a second of so many processes, each on rows of its own."""
    connections.close_all()
    forking = multiprocessing.get_context("fork")
    gate, ends = forking.Barrier(clients + 1), forking.Queue()
    workers = [forking.Process(target=_client, args=(about + 1, each, gate, ends)) for about in range(clients)]
    for worker in workers:
        worker.start()
    gate.wait()
    begun = time.perf_counter()
    last: float = max(ends.get() for _ in workers)
    for worker in workers:
        worker.join()
    return clients * each / (last - begun)


def rows() -> list[Row]:
    """The four figures of appending."""
    with Ready() as ready:
        took = side_by_side(ready.calls, rounds=ROUNDS, each=EACH)
        rates = [{clients: throughput(clients, each) for clients, each in LONG.items()} for _ in range(5)]
    ms = {name: f"{middle(means) * 1000:.2f} ms" for name, means in took.items()}
    beside = (
        f"action {ms['acted']}; create() with django-auditlog, who acted kept as by its middleware, {ms['watched']}\n"
        f"against the same without who acted ({ms['nameless']}) {ratio(took, 'nameless'):.2f} x, "
        f"in one transaction ({ms['together']}) {ratio(took, 'together'):.2f} x"
    )
    return [
        at_least("audited action, against create() with django-auditlog", ratio(took, "watched"), PEER_BAR, beside=beside),
        at_least("audited action, against plain create()", ratio(took, "plain"), PLAIN_BAR, beside=f"create() {ms['plain']}"),
        _gain(rates, CLIENTS, CLIENTS_BAR),
        _gain(rates, MANY, MANY_BAR),
    ]  # fmt: skip


def _gain(rates: list[dict[int, float]], clients: int, bar: float) -> Row:
    gain = middle([each[clients] / each[1] for each in rates])
    one, many = middle([each[1] for each in rates]), middle([each[clients] for each in rates])
    return at_least(
        f"audited actions of {clients} clients, against one", gain, bar, beside=f"{one:.0f}/s and {many:.0f}/s"
    )
