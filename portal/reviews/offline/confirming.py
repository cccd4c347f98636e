"""A declared use gets its second source: a second person's word, or a session that the target showed later."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed
from portal.people.rights import MANAGE, need_other, need_permission
from portal.people.strength import need_fresh
from portal.reviews.models import Review
from portal.reviews.offline.declaring import seen_on_target
from portal.reviews.offline.queries import cards_of, declared_in
from portal.reviews.queries import RELATED
from portal.sealed.cards import facts_of, is_holder
from portal.sealed.queries import locked
from portal.sealed.states import CARDS_ALIVE
from portal.sealed.uses import burn

LOOKED_FOR = timedelta(days=30)  # after a use; records that come later than that are a gap of their own


def may_confirm(by: Actor, review: Review) -> None:
    """One of its custodians, the owner of the system or an administrator, who did not declare it.

    Raises:
        NotAllowed: anybody else.
    """
    need_other(by, review.request.responder_id, about=review)
    try:
        is_holder(by, cards_of(review).account)
    except NotAllowed:
        need_permission(
            by, MANAGE, review.request.system, says="A custodian, the owner or an administrator says whether it was so."
        )


@action(event=("offline.use_confirmed", "sealed.rotation_owed"), refused="sealed.act_refused")
def confirm_use(*, by: Actor, review: Review) -> Review:
    """A second person says that the cards were used: its secret counts as known, and is replaced at once.

    Raises:
        ChangedMeanwhile: the pair is worth nothing already.
    """
    made = cards_of(review)
    locked(made.account_id)
    may_confirm(by, review)
    need_fresh(by, about=review)
    burn(by=by, made=made, case=review.log_case, word_of=by.id)
    return review


@action(event=("offline.sessions_bound", "offline.use_confirmed", "sealed.rotation_owed"))
def bind(*, by: Actor, review: Review, sessions: Sequence[str]) -> None:
    """Sessions that the target's log brought after the use was declared belong to its case, and confirm it.

    Raises:
        ChangedMeanwhile: they were bound just now.
    """
    made = cards_of(review)
    row = locked(made.account_id)
    said = declared_in(review)
    new = [each for each in sessions if said is None or each not in said.sessions]
    if not new:
        raise ChangedMeanwhile("These sessions were bound already.", about=row)
    made.refresh_from_db(fields=["state"])
    if made.state in CARDS_ALIVE:
        burn(by=by, made=made, case=review.log_case, sessions=new)
    append(
        "offline.sessions_bound", by=by, case=review.log_case, subject=row.log_subject, **facts_of(made), sessions=new[:200]
    )  # fmt: skip


def to_bind() -> list[tuple[Review, list[str]]]:
    """Declared uses of the last month with sessions that came later."""
    found = []
    for review in Review.objects.filter(
        of_set__isnull=False, request__requested_at__gte=now() - LOOKED_FOR
    ).select_related(*RELATED):
        said = declared_in(review)
        seen = seen_on_target(cards_of(review).account, said.from_at, said.to_at) if said else {}
        new = [each for each in seen if said and each not in said.sessions]
        if new:
            found.append((review, new))
    return found


def unconfirmed(account_id: UUID) -> list[Review]:
    """Declared uses of an account's present pair that nothing else says. One query."""
    rows = Review.objects.filter(of_set__account=account_id, of_set__state__in=CARDS_ALIVE)
    return list(rows.select_related(*RELATED).order_by("request__requested_at"))
