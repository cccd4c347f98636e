"""Many grants are due at once: what opens never keeps what ends."""

import pytest

from portal.grants import permits, sweep
from portal.grants.models import Grant
from tests.servers import wait_until
from tests.worlds import REASON, authorised, make_world, opened, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)


def test_openings_that_wait_for_the_seal_keep_no_grant_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "SEAL_PATIENCE_S", 60.0)
    world = make_world()
    with sealing():
        due = opened(world)
    others = [make_world(slug=slug, people=world.people) for slug in ("second", "third", "fourth", "fifth")]
    waiting = [authorised(each, reason=f"{REASON} {part}") for each in others for part in range(4)]

    def ended() -> bool:
        sweep.run_due("test", patience_s=0.1)
        due.refresh_from_db()
        return due.state == "ended"

    sweep.run_due("test", patience_s=0.1)
    overdue(due)
    wait_until(ended, "the grant to be ended")
    assert Grant.objects.filter(pk__in=[each.pk for each in waiting], state="active").count() == 0
    with sealing():
        wait_until(lambda: _all_open(waiting), "the openings to come through")


def _all_open(grants: list[Grant]) -> bool:
    return Grant.objects.filter(pk__in=[each.pk for each in grants], state="active").count() == len(grants)
