"""A world whose system reports its activity."""

import pytest
from django.db import transaction

from audit.log.append import append, process
from portal.clock import ms, now
from tests.worlds import World, make_world


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def declare(world: World, *, counting: str = "dense", **settings: object) -> None:
    """As an administrator's approved proposal would."""
    with transaction.atomic():
        append(
            "source.declared", by=process("test"), subject=f"source:{world.system.pk}", source_id=world.system.pk, system_id=world.system.pk,
            kind="simulated", counting=counting, settings=settings, narrows=False, changed_by="process:test", effective_at=ms(now()),
        )  # fmt: skip


def withdraw(world: World) -> None:
    with transaction.atomic():
        append(
            "source.withdrawn", by=process("test"), subject=f"source:{world.system.pk}", source_id=world.system.pk, system_id=world.system.pk,
            narrows=True, changed_by="process:test", effective_at=ms(now()),
        )  # fmt: skip
