"""The small organisation with one receiver of webhooks that really listens."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from portal.eligibility.models import ADMINISTRATOR, RoleAssignment
from portal.notifications.channels.webhook import actions
from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.kinds import TOPICS
from portal.notifications.models import Alert
from tests.receivers import Server, running_receiver
from tests.worlds import World, actor, make_world


@dataclass
class Listening:
    """A receiver's row and the server behind it."""

    row: Receiver
    server: Server


@pytest.fixture
def world(transactional_db: None, settings: object) -> World:
    """Pia and Quinn administer everything; loopback may be reached."""
    settings.PORTAL_WEBHOOK_NETWORKS = ["127.0.0.0/8"]  # type: ignore[attr-defined]
    made = make_world()
    RoleAssignment.objects.filter(role=ADMINISTRATOR).update(system=None)
    return made


@pytest.fixture
def listening(world: World) -> Iterator[Listening]:
    with running_receiver() as server:
        yield added(world, server)


def added(world: World, server: Server, topics: tuple[str, ...] = tuple(TOPICS)) -> Listening:
    """A receiver of all topics, by the real action; what was told of it is cleared away."""
    row, server.secret = actions.add(by=actor(world.pia), name="Pager", url=server.url, topics=topics)
    Alert.objects.all().delete()
    return Listening(row, server)
