"""Uses that are over are put up for review, and what waits is brought to mind. Whoever runs it, how often, changes nothing."""

from datetime import datetime

from audit.log.append import process
from portal.clock import now
from portal.reviews.actions import remind, set_due
from portal.reviews.delegating import hand_to_stand_in
from portal.reviews.late import give_next, given_mark, next_of, take_back
from portal.reviews.models import Review
from portal.reviews.offline.confirming import bind, to_bind
from portal.reviews.queries import held_by_who_is_away, stuck, to_remind, without_review
from portal.reviews.rounds import round_of
from portal.sweeping import done

SWEEP, ROOM = process("sweep"), "reviews"


def run_due() -> int:
    """Do what is due now; returns how much was done."""
    count = sum(done(ROOM, set_due, by=SWEEP, grant=grant) for grant in without_review())
    at = now()
    count += sum(done(ROOM, take_back, by=SWEEP, review=review) for review in stuck())
    count += sum(done(ROOM, hand_to_stand_in, by=SWEEP, review=review) for review in held_by_who_is_away())
    for review in to_remind(at):
        mark = mark_of(review, at)
        if mark and mark not in review.reminded:
            count += done(ROOM, remind, by=SWEEP, review=review, mark=mark)
        if at >= review.owed_at and given_mark(review) not in review.reminded and next_of(review) is not None:
            count += done(ROOM, give_next, by=SWEEP, review=review)
    return count + sum(done(ROOM, bind, by=SWEEP, review=review, sessions=new) for review, new in to_bind())


def mark_of(review: Review, at: datetime) -> str:
    """The newest reminder that has come due: half the time is gone, three quarters (the owner's), all of it, or a number of days more."""
    begun = review.submitted_at or review.over_at or review.owed_at
    if at < review.owed_at:
        gone = (at - begun) / (review.owed_at - begun)
        word = "owner" if gone >= 0.75 else "before" if gone >= 0.5 else ""
    else:
        days = (at - review.owed_at).days
        word = f"after-{days}" if days else "at"
    return word and f"{round_of(review).mark}{word}"
