"""Since when a system has sealed accounts without a break. What is owed of them counts from there, and nothing is owed between two runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.log.read import last_of_subjects
from portal.clock import moment
from portal.sealed.models import SealedAccount
from portal.sealed.states import IN_USE, RETIRED


@dataclass(frozen=True)
class Run:
    """From the first account of a system to the end of the last; no ``over`` while there are any."""

    began: datetime
    over: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether there were accounts at a time."""
        return self.began <= at and (self.over is None or at < self.over)


def runs_of(systems: Iterable[UUID]) -> dict[UUID, list[Run]]:
    """The runs of each system in their order; of when an account was retired the log tells. Two queries."""
    rows = list(SealedAccount.objects.filter(system__in=set(systems), state__in=[*IN_USE, RETIRED]))
    ended = last_of_subjects([row.log_subject for row in rows if row.state == RETIRED], "sealed.retired")
    spans: dict[UUID, list[Run]] = {}
    for row in rows:
        if row.decided_at is not None:
            told = ended.get(row.log_subject)
            over = None if row.state in IN_USE else moment(told.at) if told else row.decided_at
            spans.setdefault(row.system_id, []).append(Run(row.decided_at, over))
    return {system: joined(each) for system, each in spans.items()}


def joined(spans: Iterable[Run]) -> list[Run]:
    """Times that touch or overlap, as one."""
    found: list[Run] = []
    for span in sorted(spans, key=lambda each: each.began):
        last = found[-1] if found else None
        if last is None or (last.over is not None and last.over < span.began):
            found.append(span)
        else:
            over = None if last.over is None or span.over is None else max(last.over, span.over)
            found[-1] = Run(last.began, over)
    return found


def present_run(system: UUID) -> Run | None:
    """That which lasts; nothing where no account is in use."""
    runs = runs_of([system]).get(system)
    return runs[-1] if runs and runs[-1].over is None else None
