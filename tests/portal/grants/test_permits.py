"""Log before open: a column that says so opens nothing, and neither does the proof of something else."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from audit.log import checkpoints
from audit.log.errors import NotVerified
from audit.log.models import Event, QueueEntry, SealedEntry
from audit.log.read import last_named
from portal.grants import opening
from portal.grants.models import Grant
from portal.grants.permits import Permit
from portal.policy.rules import Policy
from tests.worlds import authorised, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)


def by_a_row(grant: Grant) -> None:
    """As a database administrator would: the intent stands in the table of what is sealed, and no checkpoint covers it."""
    assert grant.opening_event is not None
    SealedEntry.objects.create(
        index=SealedEntry.objects.count(), event_id=grant.opening_event, leaf_hash=bytes(32), sealed_at=0
    )
    QueueEntry.objects.filter(event_id=grant.opening_event).delete()


def by_another_event(grant: Grant) -> None:
    """The grant names an event that is in the log indeed."""
    sealed = Event.objects.get(name="grant.authorised", sealed__isnull=False)
    Grant.objects.filter(pk=grant.pk).update(opening_event=sealed.pk)
    grant.opening_event = sealed.pk


@pytest.mark.parametrize("at_once", [0, 1])
@pytest.mark.parametrize("doctored", [by_a_row, by_another_event])
def test_what_is_set_by_hand_opens_nothing(
    doctored: Callable[[Grant], None], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(policy=Policy(open_unsealed=at_once))
    with sealing():
        grant = authorised(world)
        checkpoints.wait_for_inclusion(Event.objects.get(name="grant.authorised").pk, 10)
    begin = opening.begin

    def begun(**given: Any) -> Grant:
        row = begin(**given)
        doctored(row)
        return row

    monkeypatch.setattr(opening, "begin", begun)
    row = opening.run(grant.pk)
    (failed,) = last_named(["grant.opening_failed"])
    assert (row.state, failed.fields["code"], world.state.exists()) == ("opening", "log_not_verified", False)


def test_a_permit_is_for_the_grant_whose_intent_is_proved() -> None:
    with sealing():
        row = opening.begin(by=opening.PORTAL, grant=authorised(make_world()))
        assert row.opening_event is not None
        proof = checkpoints.wait_for_inclusion(row.opening_event, 10)
    assert Permit(row.pk, proof).proof is proof
    with pytest.raises(NotVerified, match="not the intent"):
        Permit(uuid.uuid4(), proof)
