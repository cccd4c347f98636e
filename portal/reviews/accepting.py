"""A reviewer accepts what was outside the intent, one by one or a class at once, each time with a note of their own.

A group is accepted up to the entry of the log that stood on the page: what comes to it later was not looked at, and is not accepted.
"""

from collections.abc import Sequence

from audit.log.append import Actor, action, append
from audit.log.read import count_of_case, size, values_of_case
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.errors import ChangedMeanwhile, RefusedByPolicy
from portal.people.models import Person
from portal.reviews import rules
from portal.reviews.actions import locked, still_claimed
from portal.reviews.models import Acceptance, Review

RECORDED = "activity.recorded"
ALWAYS_MEANT = ("session", "catalogue_read")  # belong to every intent
MOST_AT_ONCE, MOST_IN_ALL = 200, 500  # ids; the last are named together in one event, which holds 65,535 bytes
SAY_WHY = "Say why this is acceptable."


@action(event="review.acts_accepted", refused="review.act_refused")
def accept(*, by: Actor, review: Review, activities: Sequence[str], note: str) -> Acceptance:
    """Accept actions of the use by their ids; those that were accepted before stay as they were.

    Raises:
        NotAllowed, WrongState: see `portal.reviews.rules`.
        RefusedByPolicy: no note, too many, or an action that is not of this use.
        ChangedMeanwhile: all of them are accepted already.
    """
    row, words = _begun(by, review, note)
    before = {each for known in row.acceptances.all() for each in known.activities}
    chosen = sorted(set(activities) - before)
    if activities and not chosen:
        raise ChangedMeanwhile("You accepted these already.", about=row)
    if not 0 < len(chosen) <= MOST_AT_ONCE or len(before) + len(chosen) > MOST_IN_ALL:
        raise RefusedByPolicy(
            f"Choose between one action and {MOST_AT_ONCE}, in all at most {MOST_IN_ALL}; accept more of a kind as a group.", about=row
        )  # fmt: skip
    if not all(map(_looks_like_an_id, chosen)) or set(chosen) - values_of_case(
        row.log_case, RECORDED, "activity_id", chosen
    ):
        raise RefusedByPolicy(
            "Some of the actions that you accept are not of this use.", about=row, kind="foreign activity"
        )
    return _keep(by, row, words, activities=chosen, count=len(chosen))


@action(event=("review.acts_accepted", "review.acceptance_taken_back"), refused="review.act_refused")
def accept_group(*, by: Actor, review: Review, kind: str, upto: int, note: str, session: str = "") -> Acceptance:
    """Accept all actions of a class, in one session or in all, up to an entry of the log. What was accepted of it before is replaced.

    Raises:
        NotAllowed, WrongState: see `portal.reviews.rules`.
        RefusedByPolicy: no note, no such actions, or a class that was meant anyway.
        ChangedMeanwhile: so much of it is accepted already.
    """
    row, words = _begun(by, review, note)
    if kind in meant(row.request):
        raise RefusedByPolicy("Actions of this kind were meant: there is nothing to accept.", about=row)
    upto = min(upto, max(0, size() - 1))  # what is not sealed yet nobody can have looked at
    narrowed = {"class": kind} | ({"session_id": session} if session else {})
    count = count_of_case(row.log_case, RECORDED, upto, **narrowed)
    if not count:
        raise RefusedByPolicy("There are no such actions in this use.", about=row, kind="foreign activity")
    for known in row.acceptances.filter(kind=kind, session=session):
        if (known.upto or 0) >= upto:
            raise ChangedMeanwhile("You accepted these already.", about=row)
        _forget(by, row, known)
    return _keep(by, row, words, session=session, kind=kind, upto=upto, count=count)


@action(event="review.acceptance_taken_back", refused="review.act_refused")
def take_back(*, by: Actor, acceptance: Acceptance) -> Review:
    """The reviewer no longer accepts it.

    Raises:
        NotAllowed, WrongState: see `portal.reviews.rules`.
        ChangedMeanwhile: it was taken back already.
    """
    row = locked(acceptance.review)
    rules.is_its_reviewer(by, row)
    still_claimed(row)
    known = row.acceptances.filter(pk=acceptance.pk).first()
    if known is None:
        raise ChangedMeanwhile("This was taken back already.", about=row)
    _forget(by, row, known)
    return row


def _looks_like_an_id(word: str) -> bool:
    return 0 < len(word) <= 80 and word.isascii() and word.isprintable()


def meant(request: AccessRequest) -> frozenset[str]:
    """Classes of action that were meant."""
    return frozenset({*ALWAYS_MEANT, *request.intended_classes})


def _begun(by: Actor, review: Review, note: str) -> tuple[Review, str]:
    row = locked(review)
    rules.is_its_reviewer(by, row)
    still_claimed(row)
    if not note.strip():
        raise RefusedByPolicy(SAY_WHY, about=row, kind="uncommented")
    return row, note.strip()


def _keep(by: Actor, row: Review, note: str, *, count: int, activities: Sequence[str] = (), session: str = "",
          kind: str = "", upto: int | None = None) -> Acceptance:  # fmt: skip
    kept = Acceptance.objects.create(
        review=row, activities=list(activities), session=session, kind=kind, upto=upto, count=count, note=note, accepted_at=now(),
        accepted_by=Person.objects.get(pk=by.id),
    )  # fmt: skip
    append(
        "review.acts_accepted", by=by, case=row.log_case, subject=row.log_subject, acceptance_id=kept.pk, review_id=row.pk,
        grant_id=row.grant_id, activities=list(activities), session_id=session or None, upto=upto, count=count, note=note,
        **{"class": kind or None},
    )  # fmt: skip
    return kept


def _forget(by: Actor, row: Review, known: Acceptance) -> None:
    append(
        "review.acceptance_taken_back", by=by, case=row.log_case, subject=row.log_subject, acceptance_id=known.pk,
        review_id=row.pk, grant_id=row.grant_id,
    )  # fmt: skip
    known.delete()
