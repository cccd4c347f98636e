"""From an alert's commit until its channel has taken it: mail and webhook, with a worker at work and with no broker and no worker at all."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from django.db import transaction

from audit.log.append import process
from portal.eligibility.models import ADMINISTRATOR, RoleAssignment
from portal.embedded import ports
from portal.hints import hint
from portal.notifications.channels.webhook.actions import add
from portal.notifications.kinds import TOPICS
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from tests.benchmarks.rows import Row, at_most, percentile
from tests.faults.programs import CELERY, running
from tests.receivers import running_receiver
from tests.servers import new_folder, running_mail_sink, wait_until
from tests.worlds import World, actor, make_world

TIMES, PACE_S, ALIVE_S, DEAD_S = 100, 0.23, 2.0, 10.0  # the pace is no divisor of any interval
CHANNELS = ("mail", "webhook")
FACTS = {"title": "The target does not answer", "sentence": "It was asked five times."}


def delays(world: World, times: int, patience_s: float = 60) -> dict[str, Sequence[float]]:
    """Seconds of each alert, by channel: one after another, hinted at as pages do."""
    told: list[Alert] = []
    for _ in range(times):
        with transaction.atomic():
            told += tell(by=process("bench"), people=[world.ines], kind="system.problem", path="/", facts=FACTS)
            hint("portal.outbox")
        time.sleep(PACE_S)
    rows = Alert.objects.filter(pk__in=[each.pk for each in told])
    wait_until(lambda: not rows.filter(sent_at__isnull=True).exists(), "all alerts to be taken", patience_s)
    found: dict[str, list[float]] = {each: [] for each in CHANNELS}
    for channel, queued, sent in rows.values_list("channel", "queued_at", "sent_at"):
        found[channel].append((sent - queued).total_seconds() if sent else patience_s)
    return dict(found)


def listened_to(world: World, servers: ExitStack) -> dict[str, str]:
    """A mail server and a receiver of webhooks that take everything; the environment of processes that reach them."""
    port = ports.free_port()
    servers.enter_context(running_mail_sink(new_folder("bench-mail"), port))
    receiver = servers.enter_context(running_receiver())
    RoleAssignment.objects.filter(role=ADMINISTRATOR).update(system=None)
    _, receiver.secret = add(by=actor(world.pia), name="Pager", url=receiver.url, topics=tuple(TOPICS))
    Alert.objects.all().delete()
    return {"PORTAL_MAIL_HOST": "127.0.0.1", "PORTAL_MAIL_PORT": str(port), "PORTAL_WEBHOOK_NETWORKS": "127.0.0.0/8"}


def rows() -> list[Row]:
    """First with worker and beat, then with `manage.py watch` alone."""
    found = []
    with ExitStack() as servers:
        world = make_world()
        around = listened_to(world, servers)
        with (
            running(*CELERY, "worker", "--concurrency", "2", environment=around),
            running(*CELERY, "beat", "--schedule", f"{world.state.parent}/beat", "--pidfile", "", environment=around),
        ):
            delays(world, 5)  # both are there
            alive = delays(world, TIMES)
        dead = {**around, "REDIS_URL": "redis://127.0.0.1:1/0"}
        with running("watch", "--only", "outbox", "receivers", environment=dead):
            delays(world, 2)  # it has started
            alone = delays(world, TIMES)
    for took, name, bar in ((alive, "worker alive", ALIVE_S), (alone, "no worker, no broker", DEAD_S)):
        for channel in CHANNELS:
            beside = f"{len(took[channel])} alerts; median {percentile(took[channel], 50):.2f} s, longest {max(took[channel]):.2f} s"
            found.append(
                at_most(f"alert handed to {channel}, {name}, p99", percentile(took[channel], 99), bar, beside=beside)
            )
    return found
