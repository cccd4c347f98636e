"""A use is put up for review, judged by somebody who had no part in it, and what is adverse is put right by somebody."""

from datetime import timedelta

import pytest

from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings.models import Finding
from portal.grants.models import Grant
from portal.notifications.models import Alert
from portal.reviews import actions, sweep
from portal.reviews.models import Review
from portal.reviews.questions import questions, statement_sha256
from portal.reviews.tasks import sweep as sweep_task
from tests.portal.reviews.used import FINE, events_of, submitted, taken, used
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def test_use_that_is_over_is_put_up_once(world: World) -> None:
    grant = used(world)
    assert (sweep_task(), sweep_task()) == (1, 0)
    review = Review.objects.get(grant=grant)
    assert review.due_at == grant.ended_at + timedelta(hours=72)
    (event,) = events_of(review, "review.due")
    assert set(event.fields["pool"]) == {str(world.kim.pk), str(world.lea.pk)}
    assert {each.recipient for each in Alert.objects.filter(kind="review.due")} == {world.kim, world.lea}
