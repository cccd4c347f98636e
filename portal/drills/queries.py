"""Drills as a viewer may see them, and what a sweep must do."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from portal.access_requests.states import APPROVED, AWAITING
from portal.drills.duties import SOON_MARK, Due, due_of
from portal.drills.models import Drill
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, OWNER, RESPONDER, REVIEWER
from portal.eligibility.queries import systems_where
from portal.grants.states import ENDED, FAILED
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.systems.models import System

READERS = (RESPONDER, APPROVER, OWNER, REVIEWER, ADMINISTRATOR, AUDITOR)
PATIENCE = timedelta(minutes=30)
"""So long after its end, what has not come back is taken as missing."""
RELATED = ("system__owner", "request__responder", "request__privilege", "request__policy", "request__grant", "repeats")


def systems_of(viewer: Person) -> QuerySet[System]:
    """Systems in scope in which the viewer has a part."""
    seen = Q(pk__in=systems_where(viewer.pk, READERS)) | Q(owner=viewer)
    return System.objects.filter(seen, in_scope_to__isnull=True).select_related("owner").distinct()


def visible(viewer: Person) -> QuerySet[Drill]:
    """Drills of those systems, and the viewer's own."""
    systems = systems_where(viewer.pk, READERS)
    seen = Q(system__in=systems) | Q(system__owner=viewer) | Q(request__responder=viewer)
    return Drill.objects.filter(seen).select_related(*RELATED).order_by("-started_at")


def owed_by(viewer: Person, at: datetime) -> list[Due]:
    """What the viewer, as an owner, is to see drilled within two weeks, or should have. Three queries."""
    owned = Q(pk__in=systems_where(viewer.pk, (OWNER,))) | Q(owner=viewer)
    return [each for each in due_of(System.objects.filter(owned, in_scope_to__isnull=True).distinct()) if each.mark(at)]


def is_over(drill: Drill) -> bool:
    """Nothing of it goes on: nobody opened it, or its access is gone."""
    request = drill.request
    if request.state == AWAITING:
        return False
    grant = getattr(request, "grant", None)
    return request.state != APPROVED or (grant is not None and grant.state in (ENDED, FAILED))


def over_at(drill: Drill) -> datetime | None:
    """When its access was over, or it was clear that there would be none."""
    grant = getattr(drill.request, "grant", None)
    return grant.ended_at if grant is not None else drill.request.decided_at


def to_judge() -> list[Drill]:
    """What is over and not judged."""
    waiting = Drill.objects.filter(judged_at__isnull=True).exclude(request__state=AWAITING)
    over = ~Q(request__state=APPROVED) | Q(request__grant__state__in=(ENDED, FAILED))
    return list(waiting.filter(over).select_related(*RELATED))


def to_remind(now: datetime) -> list[tuple[Due, str]]:
    """Duties of which the owner is to be told that they come near, once; `portal.duties` tells of those that are late."""
    owed = [(due, due.mark(now)) for due in due_of(System.objects.select_related("owner"))]
    marked = [(due, mark) for due, mark in owed if mark == SOON_MARK]
    told = set(
        Alert.objects.filter(kind="drill.due", about__in=[about(*each) for each in marked]).values_list(
            "about", flat=True
        )
    )
    return [(due, mark) for due, mark in marked if about(due, mark) not in told]


def was_told(due: Due, mark: str) -> bool:
    """Whether that reminder went out."""
    return Alert.objects.filter(kind="drill.due", about=about(due, mark)).exists()


def about(due: Due, mark: str) -> str:
    """How a reminder names the duty and itself, so that it is sent once."""
    return f"system:{due.system.pk}:drill:{due.due_at:%Y-%m-%d}:{mark}"
