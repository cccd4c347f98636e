"""Who approved for a system at a past moment, worked out from the dated roles of one query: as `lending` says it of now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from portal.eligibility.lending import seats
from portal.eligibility.models import APPROVER, RoleAssignment
from portal.eligibility.queries import covers
from portal.people.models import Person
from portal.systems.models import System


@dataclass(frozen=True)
class Then:
    """Approvers who could be asked, who of them stood in for whom, and the group of each who had one."""

    approvers: tuple[Person, ...]
    in_place: Mapping[UUID, UUID] = field(default_factory=dict)
    groups: Mapping[UUID, str] = field(default_factory=dict)


class PastApprovers:
    """Every role of approver of a system that ever held, its loans included."""

    def __init__(self, system: System) -> None:
        """Read them all. One query."""
        held = RoleAssignment.objects.filter(covers(system), role=APPROVER, approved_at__isnull=False)
        self._rows = list(held.select_related("person").order_by("person__name", "-group", "pk"))

    def at(self, at: datetime, responder_id: UUID) -> Then:
        """Those who could have been asked about this responder's request at that moment."""
        held = [each for each in self._rows if _held(each, at)]
        seated = seats(((each.person_id, each.lent_by_id) for each in held), responder_id)
        people = {each.person_id: each.person for each in held if each.person_id not in seated.not_asked}
        return Then(tuple(people.values()), seated.in_place, _groups(held, seated.in_place))


def _held(row: RoleAssignment, at: datetime) -> bool:
    """Whether the role held at the moment, of somebody who was here."""
    begun = row.from_at <= at and row.approved_at is not None and row.approved_at <= at
    ends = (row.to_at, row.ended_at, row.person.left_at)
    return begun and all(end is None or end > at for end in ends)


def _groups(held: Iterable[RoleAssignment], in_place: Mapping[UUID, UUID]) -> dict[UUID, str]:
    own: dict[UUID, str] = {}
    for each in held:
        if each.lent_by_id is None and each.group:
            own.setdefault(each.person_id, each.group)
    return own | {who: own[lender] for who, lender in in_place.items() if lender in own}
