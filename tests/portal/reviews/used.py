"""Uses that are over, for tests of what comes afterwards. The grant goes by the real actions up to its authorisation;
what the target would have said is set, so that no sealer is needed."""

from datetime import timedelta
from itertools import count
from typing import Any

from audit.cases.acts_following import catch_up
from audit.log.models import QueueEntry
from audit.log.read import LoggedEvent, of_subject
from portal.clock import now
from portal.grants import authorising
from portal.grants.models import Grant
from portal.grants.states import ENDED
from portal.reviews import actions, sweep
from portal.reviews.models import Review
from portal.reviews.questions import NO, UNSURE, YES, questions
from tests.servers import wait_until
from tests.worlds import REASON, World, actor, authorised, sealing

_disks = count(1)


def used(world: World, by: str = "ann", *, ended_h: float = 1, state: str = ENDED, **changes: Any) -> Grant:
    """A use that ended some hours ago, for a reason of its own: the same one twice in a row is refused."""
    changes.setdefault("reason", f"{REASON} Disk {next(_disks)}.")
    if changes.get("mode") == "bypass":
        grant = authorising.bypass(by=actor(world.people[by]), privilege=world.privilege, asked=world.asked(**changes))
    else:
        grant = authorised(world, by, **changes)
    end = now() - timedelta(hours=ended_h)
    opened = end - timedelta(minutes=30)
    Grant.objects.filter(pk=grant.pk).update(
        state=state, opened_at=opened, first_expires_at=end, expires_at=end, ended_at=end, end_cause="expired", login=f"bg_{grant.number}",
        confirmed_at=end if state == ENDED else None, removed_at=end, secret=None, verifier="",
    )  # fmt: skip
    grant.refresh_from_db()
    return grant


def grant_of(review: Review) -> Grant:
    """Of a use that the portal opened."""
    assert review.grant is not None
    return review.grant


def due(world: World, **changes: Any) -> Review:
    """A review that waits."""
    grant = used(world, **changes)
    sweep.run_due()
    return Review.objects.get(grant=grant)


def taken(world: World, who: str = "kim", **changes: Any) -> Review:
    """A review that somebody has taken."""
    return actions.claim(by=actor(world.people[who]), review=due(world, **changes))


def _fine(adverse: frozenset[str]) -> str:
    return next(each for each in (YES, NO, UNSURE) if each not in adverse)


FINE = {each.id: {"answer": _fine(each.adverse), "comment": ""} for each in questions()}


def submitted(world: World, who: str = "kim", **changes: Any) -> Review:
    """A review that found nothing."""
    return actions.submit(
        by=actor(world.people[who]), review=taken(world, who, **changes), answers=FINE, outcome="accepted"
    )


def events_of(review: Review, *names: str) -> list[LoggedEvent]:
    """What the log says about a review."""
    return of_subject(review.log_subject, names)


def state_of(review: Review) -> dict[str, Any]:
    """The row as it stands."""
    return dict(Review.objects.filter(pk=review.pk).values().get())


def follow_all() -> None:
    """Seal what was written, and let the list of actions follow."""
    with sealing():
        wait_until(lambda: not QueueEntry.objects.exists(), "the sealer")
    while catch_up():
        pass
