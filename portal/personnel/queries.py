"""Personnel lists, for administrators of all systems."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from portal.people.models import Person
from portal.people.rights import ADMINISTER
from portal.personnel.models import PersonnelList
from portal.personnel.states import DONE, UNDECIDED, WAITS


def lists(viewer: Person) -> QuerySet[PersonnelList]:
    """All of them, the newest first; the file itself is not loaded."""
    rows = PersonnelList.objects.defer("content")
    return rows.order_by("-read_at") if viewer.has_perm(ADMINISTER) else rows.none()


def list_of(viewer: Person, pk: UUID) -> PersonnelList | None:
    """One of them, with its file while it is kept."""
    return PersonnelList.objects.filter(pk=pk).first() if viewer.has_perm(ADMINISTER) else None


def list_for_act(pk: UUID) -> PersonnelList | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return PersonnelList.objects.filter(pk=pk).first()


def lists_naming(words: Iterable[str]) -> list[PersonnelList]:
    """Undecided lists whose file holds one of the words."""
    wanted = [each.lower() for each in words]
    rows = PersonnelList.objects.filter(state__in=UNDECIDED)
    return [
        row
        for row in rows
        if any(word in bytes(row.content or b"").decode(errors="replace").lower() for word in wanted)
    ]


def waiting_for(viewer: Person) -> list[PersonnelList]:
    """Those on which the viewer may decide as the second administrator."""
    return list(lists(viewer).filter(state=WAITS).exclude(asked_by=str(viewer.pk)))


def names_of(rows: list[PersonnelList]) -> dict[str, str]:
    """Who read and decided, by pseudonym. One query."""
    ids = {each for row in rows for each in (row.read_by, row.asked_by, row.decided_by) if each and ":" not in each}
    return {str(pk): name for pk, name in Person.objects.filter(pk__in=ids).values_list("pk", "name")}


def forgotten(before: datetime) -> list[PersonnelList]:
    """Lists that were read before and that nobody has decided on; for the sweep."""
    return list(PersonnelList.objects.defer("content").filter(state__in=UNDECIDED, read_at__lt=before))


def last_imported() -> PersonnelList | None:
    """The list that holds now: the second source that attestations are counted against."""
    return PersonnelList.objects.defer("content").filter(state=DONE).order_by("-taken_at").first()
