"""Declared uses of offline cards, which are reviewed as any use."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.log.read import of_case
from portal.clock import moment
from portal.errors import WrongState
from portal.reviews.models import Review
from portal.reviews.queries import RELATED
from portal.sealed.models import OfflineSet


def review_for_act(pk: UUID) -> Review | None:
    """For the act alone, which says who may."""
    return Review.objects.select_related(*RELATED).filter(pk=pk, of_set__isnull=False).first()


def cards_of(review: Review) -> OfflineSet:
    """The pair that was used.

    Raises:
        WrongState: the portal opened this use.
    """
    if review.of_set is None:
        raise WrongState("No offline cards were used here.", about=review)
    return review.of_set


@dataclass(frozen=True)
class Declared:
    """What was declared, as the log has it; with the sessions that the target showed later."""

    from_at: datetime
    to_at: datetime
    sessions: tuple[str, ...]


def declared_in(review: Review) -> Declared | None:
    """``None`` where the portal opened the use, or the log does not say it. One query, and none for a grant."""
    told = of_case(review.log_case, ["offline.used", "offline.sessions_bound"]) if review.of_set_id else []
    said = next((each.fields for each in told if each.name == "offline.used"), None)
    if said is None:
        return None
    sessions = dict.fromkeys(session for each in told for session in each.fields["sessions"])
    return Declared(moment(said["from_at"]), moment(said["to_at"]), tuple(sessions))
