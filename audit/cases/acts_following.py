"""Keeps the list of actions up by following the sealed log, as `audit.cases.projection` does for cases. An outcome that is told later changes its row."""

from collections.abc import Iterable

from django.db import transaction

from audit.cases.done import FAILED
from audit.cases.models import ActRow, ActSession, CaseListPosition
from audit.log.read import LoggedEvent, follow, size

PLACE = 2
RECORDED, LEARNED, STARTED = "activity.recorded", "activity.outcome_learned", "session.started"


@transaction.atomic
def catch_up(limit: int = 2000) -> int:
    """Follow the log by at most ``limit`` entries; how far it went. Nothing where somebody else follows at the moment."""
    CaseListPosition.objects.get_or_create(pk=PLACE)
    place = CaseListPosition.objects.select_for_update(skip_locked=True).filter(pk=PLACE).first()
    if place is None:
        return 0
    start, end = place.next_index, size()
    events = follow(start, (RECORDED, LEARNED, STARTED), limit) if end > start else []
    if len(events) >= limit:
        end = (events[-1].index or 0) + 1
    _keep(event for event in events if event.case and (event.index or 0) < end)
    place.next_index = max(start, end)
    place.save(update_fields=["next_index"])
    return place.next_index - start


def rebuild() -> int:
    """Empty the list and make it again from the log; how many actions it has then."""
    with transaction.atomic():
        CaseListPosition.objects.update_or_create(pk=PLACE, defaults={"next_index": 0})
        ActRow.objects.all().delete()
        ActSession.objects.all().delete()
    while catch_up():
        pass
    return ActRow.objects.count()


def _keep(events: Iterable[LoggedEvent]) -> None:
    """The first entry of an action stands, and the last that tells its outcome."""
    known = list(events)
    sessions = [
        ActSession(case=each.case, session_id=each.fields["session_id"], name=each.fields["source_session"][:120])
        for each in known
        if each.name == STARTED
    ]
    ActSession.objects.bulk_create(sessions, ignore_conflicts=True)
    ActRow.objects.bulk_create([_row(each) for each in known if each.name == RECORDED], ignore_conflicts=True)
    learned = {(each.case, each.fields["activity_id"]): each.fields for each in known if each.name == LEARNED}
    for (case, activity), fields in learned.items():
        ActRow.objects.filter(case=case, activity_id=activity).update(
            outcome=fields["outcome"], state_code=fields.get("state_code", ""), held=fields["outcome"] not in FAILED
        )


def _row(event: LoggedEvent) -> ActRow:
    given = event.fields
    return ActRow(
        index=event.index or 0, event_id=event.id, case=event.case, activity_id=given["activity_id"], session_id=given["session_id"],
        kind=given["class"], outcome=given["outcome"], state_code=given.get("state_code", ""), held=given["outcome"] not in FAILED,
        at=given["happened_at"], number=given["source_number"],
    )  # fmt: skip
