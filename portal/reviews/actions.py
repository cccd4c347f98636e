"""From "a use is to be reviewed" to a judgement. Nobody judges what they had a part in; that is asked under lock each time."""

from datetime import datetime, timedelta
from uuid import UUID

from audit.log.append import Actor, action, append
from portal.access_requests.models import AccessRequest
from portal.clock import moment, ms, now
from portal.eligibility.queries import owner_told
from portal.errors import ChangedMeanwhile, NotAllowed, WrongState
from portal.grants.actions import locked as locked_grant
from portal.grants.actions import over_at
from portal.grants.models import Grant
from portal.grants.states import CLOSING, ENDED
from portal.moves import make
from portal.people.models import Person
from portal.policy.queries import rules_of
from portal.policy.strength import need_factor
from portal.reviews import leave, rounds, rules
from portal.reviews.from_log import answers_from_log
from portal.reviews.judging import judged, kept, raise_for, version_of
from portal.reviews.models import Review
from portal.reviews.questions import questions
from portal.reviews.sittings import for_the_log
from portal.reviews.states import CLAIMED, MOVES, SUBMITTED, TAKEN_STATES
from portal.reviews.telling import OVERDUE_KIND, tell_of, tell_pool
from portal.rows import lock_row

TAKEN = "This review is not waiting: somebody took it, or it is done."
KEPT_ELSEWHERE = "Other answers were kept since you opened this page, in another window perhaps. They stand below."
NOT_CLAIMED = "Nobody is working on this review, or it was submitted already."
AROUND = ("request__policy", "request__responder", "request__system__owner", "request__privilege", "grant")
AWAY = "Somebody stands in for you on this system now. Take that back first: Reviews, then While you are away."
HANDED_OVER = ("review.handed_over", "review.second_handed_over")


def locked(review: Review) -> Review:
    """The review's row, locked, with what stands around it.

    Who has it is read afterwards: joined to the row as it was before it was waited for, one who took it meanwhile would be nobody.
    """
    return Review.objects.select_for_update(of=("self",)).select_related(*AROUND).get(pk=review.pk)


@action(event="review.due")
def set_due(*, by: Actor, grant: Grant) -> Review:
    """A use is over: it is to be reviewed, and the pool is told. Where there is no pool, the owner is."""
    row = locked_grant(grant)
    if row.state not in (CLOSING, ENDED) or row.opened_at is None or row.ended_at is None:
        raise WrongState("This access is not over.", about=row)
    if Review.objects.filter(grant=row).exists():
        raise ChangedMeanwhile("This use is up for review already.", about=row)
    hours = rules_of(row.request.policy).review_hours_for(row.request.mode, row.system.criticality)
    return put_up(by=by, review=Review(request=row.request, grant=row, due_at=moment(over_at(row) + hours * 3_600_000)))


def put_up(*, by: Actor, review: Review) -> Review:
    """A part of the action that finds a use over, or is told of one: its review waits, and the pool is told; where there is no pool, the owner."""
    review.save(force_insert=True)
    pool = rules.pool_of(review)
    tell_pool(by, review, pool)
    append(
        "review.due", by=by, case=review.log_case, subject=review.log_subject, review_id=review.pk, grant_id=review.grant_id,
        set_id=review.of_set_id, system_id=review.request.system_id, due_at=ms(review.due_at), pool=[str(person.pk) for person in pool],
    )  # fmt: skip
    return review


@action(event=("review.claimed", "review.second_claimed"), refused="review.act_refused")
def claim(*, by: Actor, review: Review) -> Review:
    """Take a review from the pool, in the round that it is in."""
    row = locked(review)
    rules.may_review(by, row)
    if UUID(by.id) in leave.stand_ins(row.request.system):
        raise NotAllowed(AWAY, about=row, kind="away")
    this = rounds.give(row, "claim", Person.objects.get(pk=by.id), says=TAKEN)
    append(
        f"{this.event}claimed",
        by=by,
        case=row.log_case,
        subject=row.log_subject,
        review_id=row.pk,
        grant_id=row.grant_id,
        reviewer_id=by.id,
    )
    return row


@action(event=HANDED_OVER, refused="review.act_refused")
def hand_over(*, by: Actor, review: Review, comment: str = "") -> Review:
    """Give a review back to the pool, and tell it. What was answered stays for who takes it next."""
    row = locked(review)
    _may_give_away(by, row)
    this = rounds.give(row, "hand_over", None, says=NOT_CLAIMED)
    tell_pool(by, row, rules.pool_of(row))
    append_handed_over(by, row, this, None, comment)
    return row


@action(event=HANDED_OVER, refused="review.act_refused")
def pass_on(*, by: Actor, review: Review, to: Person, comment: str = "") -> Review:
    """Give a review to another reviewer by name, who is told; where they are away, to who stands in for them."""
    row = locked(review)
    _may_give_away(by, row)
    named, stand_in = to, leave.stand_ins(row.request.system).get(to.pk)
    to = stand_in or to
    if to == row.holder or to.pk not in {person.pk for person in rules.pool_of(row)}:
        raise NotAllowed(
            "That person may not review this use: choose a reviewer of the system who had no part in it.", about=row
        )
    this = rounds.give(row, "pass_on", to, says=NOT_CLAIMED)
    tell_of(by, row, [to], "review.due")
    append_handed_over(by, row, this, to, comment, away=named if stand_in else None)
    return row


def _may_give_away(by: Actor, row: Review) -> None:
    """Whoever has it, even if they are involved by now or lost the role: otherwise it would be stuck with them."""
    if row.state not in TAKEN_STATES:
        raise WrongState(NOT_CLAIMED, about=row)
    if row.holder is None or str(row.holder.pk) != by.id:
        raise NotAllowed("Another reviewer has this review.", about=row, kind="not its reviewer")


def append_handed_over(
    by: Actor, row: Review, this: rounds.Round, to: Person | None, comment: str = "", *, away: Person | None = None
) -> None:
    """To whom it went, or that it is back in the pool, and in whose place where that one is away; within the caller's action."""
    append(
        f"{this.event}handed_over", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        to_id=to.pk if to else None, comment=comment.strip() or None,
        delegated_by=away.pk if away else None,
    )  # fmt: skip


@action(event="review.saved", refused="review.act_refused")
def save(*, by: Actor, review: Review, answers: rules.Answers, since: str = "") -> Review:
    """Keep what was answered so far. Decides nothing. ``since`` names what was kept when the page was made (`version_of`); nothing: it is not asked.

    Raises:
        NotAllowed: not its reviewer; WrongState: it is not claimed; ChangedMeanwhile: other answers were kept since.
    """
    row = locked(review)
    rules.is_its_reviewer(by, row)
    still_claimed(row)
    rules.check_known(answers, row)
    if since and since != version_of(row.answers) and kept(answers) != row.answers:
        raise ChangedMeanwhile(KEPT_ELSEWHERE, about=row)
    row.answers = kept(answers)
    row.save(update_fields=["answers"])
    answered = len(questions()) - len(rules.unanswered(row.answers))
    append(
        "review.saved",
        by=by,
        case=row.log_case,
        subject=row.log_subject,
        review_id=row.pk,
        grant_id=row.grant_id,
        answered=answered,
    )
    return row


@action(event=("review.submitted", "review.second_asked", "finding.raised"), refused="review.act_refused")
def submit(*, by: Actor, review: Review, answers: rules.Answers, outcome: str,
           owner: Person | None = None, due_at: datetime | None = None) -> Review:  # fmt: skip
    """Judge the use, with the catalogue's statement. Each adverse answer opens a finding, in this transaction; several grave ones ask for a second reviewer.

    ``owner`` and ``due_at`` are the findings' (the owner of the system, and the catalogue's days, unless named). What was
    outside the intent is accepted before, see `portal.reviews.accepting`.

    Raises:
        NotAllowed, StepUpNeeded, WrongState, RefusedByPolicy: see `portal.reviews.rules`.
    """
    row = locked(review)
    rules.is_its_reviewer(by, row)
    need_factor(by, rules_of(row.request.policy), about=row)
    still_claimed(row)
    rules.is_over(row)
    rules.check_known(answers, row)
    rules.check_whole(answers, outcome, row)
    lock_row(AccessRequest, row.request_id)  # what its bypass owes is given before this, or not at all
    grave = rules.needs_second(answers)
    make(
        row, MOVES["ask_second" if grave else "submit"], says=NOT_CLAIMED, answers=kept(answers), outcome=outcome,
        submitted_at=now(), second_due_at=_second_due(row) if grave else None,
    )  # fmt: skip
    raise_for(by, row, row.request.system, owner or row.request.system.owner, due_at)
    _append_submitted(by, row)
    if grave:
        _ask_second(by, row)
    return row


def _second_due(row: Review) -> datetime:
    """A second look has as long as the first, from now on."""
    request = row.request
    return now() + timedelta(hours=rules_of(request.policy).review_hours_for(request.mode, request.system.criticality))


def _ask_second(by: Actor, row: Review) -> None:
    pool = rules.pool_of(row)
    tell_pool(by, row, pool)
    append(
        "review.second_asked", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        system_id=row.request.system_id, due_at=ms(row.owed_at), pool=[str(person.pk) for person in pool],
        questions=[each.id for each in rules.adverse(row.answers) if each.severe],
    )  # fmt: skip


def still_claimed(row: Review) -> None:
    """Somebody has it, and it is not submitted.

    Raises:
        ChangedMeanwhile, WrongState: it is not so.
    """
    if row.submitted_at is not None:
        raise ChangedMeanwhile("This review was submitted already. Nothing was changed.", about=row)
    if row.state != CLAIMED:
        raise WrongState(NOT_CLAIMED, about=row)


def _append_submitted(by: Actor, row: Review) -> None:
    append(
        "review.submitted", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        system_id=row.request.system_id, accepted_activities=_accepted(row), **judged(by, row, rules.involved_in(row)),
        **for_the_log(row, by.id), log_says={key: said.answer for key, said in answers_from_log(row).items()},
    )  # fmt: skip


def _accepted(row: Review) -> list[str]:
    """What was accepted one by one; groups are told by events of their own, and may be large."""
    return sorted({each for known in row.acceptances.all() for each in known.activities})


@action(event="alert.queued")
def remind(*, by: Actor, review: Review, mark: str) -> None:
    """Tell once for each mark: ``before``, ``owner``, ``at``, and ``after-<n>`` for each whole day that it is late; each round has its own."""
    row = locked(review)
    if row.state == SUBMITTED or mark in row.reminded:
        raise ChangedMeanwhile("Told already.", about=row)
    row.reminded = [*row.reminded, mark]
    row.save(update_fields=["reminded"])
    word = mark.removeprefix(rounds.round_of(row).mark)
    pool = [row.holder] if row.holder else rules.pool_of(row)
    late = word not in ("before", "owner")
    tell_of(
        by,
        row,
        pool if late or (word == "before" and pool) else [*pool, *owner_told(row.request.system)],
        OVERDUE_KIND if late else "review.reminder",
    )
