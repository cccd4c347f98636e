"""A log that began eight years ago, and what cuts it: the two administrators, the eraser's job and the sealer in turn."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.cases import projection
from audit.events.retention import DAY_MS
from audit.log.append import Entry, append_many, clock, process
from audit.log.cutting import cut_published
from audit.log.erasing import erasing as carrying_cuts_erasing
from audit.log.publishing import publish_once
from audit.log.stores.directory import DirectoryStore
from portal.access_requests.actions import withdraw
from portal.access_requests.models import AccessRequest
from portal.eligibility.models import RoleAssignment
from portal.erasing import carrying_cuts, cutting
from portal.erasing.models import Cut
from tests.audit.log.logged import sealed
from tests.worlds import World, actor, make_world, request_of

TYPED, TICKET = "The mandarin orange queue is stuck; let me look.", "Report of Ursula Vogelweide"
WHY = "They have been kept for seven years."
THEN = int(time.time() * 1000) - 3000 * DAY_MS


@pytest.fixture
def world() -> World:
    """Made eight years ago: row changes of configuration are entries too."""
    with clock(lambda: THEN):
        made = make_world()
    RoleAssignment.objects.filter(person__in=[made.pia, made.quinn, made.otto]).update(system=None)
    return made


def publish(folder: Path) -> None:
    """What the sealer's publisher does."""
    from audit.log.checkpoints import public_keys

    store = DirectoryStore(folder)
    head = publish_once(connection, store, public_keys())
    assert head is not None
    with connection.cursor() as cursor:
        cut_published(cursor, store, head.checkpoint.size)


def looked(count: int) -> None:
    from django.db import transaction

    with transaction.atomic():
        append_many([Entry("page.viewed", process("test"), {"person_id": "p", "page": "a page", "quarter": 0})] * count)
    sealed(0)


@pytest.fixture
def old(world: World, settings: Any, tmp_path: Path) -> AccessRequest:
    """Someone asked eight years ago and withdrew; 300 looks since."""
    settings.PORTAL_LOG_STORE = str(tmp_path / "log")
    with clock(lambda: THEN):
        asked = request_of(world, reason=TYPED, incident_ref=TICKET)
        withdraw(by=actor(world.ann), request=asked)
        looked(1)
        looked(299)
    AccessRequest.objects.filter(pk=asked.pk).update(requested_at=datetime.fromtimestamp(THEN / 1000, UTC))
    publish(tmp_path / "log")
    projection.rebuild()
    return asked


def carried_out(folder: Path) -> Cut:
    """The eraser's job and the sealer in turn."""
    for _ in range(2):
        carrying_cuts.run_due()
        sealed(0)
        publish(folder)
    return Cut.objects.latest("proposed_at")


def approved(world: World, minimum: int = 256) -> Cut:
    cut = cutting.propose(by=actor(world.pia), minimum=minimum, reason=WHY)
    sealed(0)
    return cutting.approve(by=actor(world.quinn), cut=cut)


def below(minimum: int) -> int:
    """Entries that the database holds below an index."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT count(*) FROM audit_sealed_entry WHERE "index" < %s', [minimum])
        return int(cursor.fetchone()[0])


class Killed(BaseException):
    """What stands for the end of the process."""


def killed_in(turn: int, *, committed: bool) -> Any:
    """``erasing``, of which the given turn ends before its commit, or right after it."""
    turns = iter(range(1, 1000))

    @contextmanager
    def erasing() -> Iterator[str]:
        mine = next(turns)
        with carrying_cuts_erasing() as alias:
            yield alias
            if mine == turn and not committed:
                raise Killed
        if mine == turn:
            raise Killed

    return erasing
