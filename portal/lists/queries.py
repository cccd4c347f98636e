"""Saved searches as a viewer may use them, and addresses of lists."""

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from portal.lists.kinds import KINDS
from portal.lists.models import SavedSearch
from portal.people.models import Person

LONGEST = 1000


def cleaned(kind: str, query: str) -> str:
    """Of what follows an address, that which narrows the list, in one order; nothing of pages and nothing unknown."""
    keys = KINDS[kind].keys
    said = [(key, value) for key, value in parse_qsl(query[: LONGEST * 4]) if key in keys and value.strip()]
    return urlencode(sorted(said, key=lambda each: keys.index(each[0])))[:LONGEST]


def searches_of(viewer: Person, kind: str | None = None) -> list[SavedSearch]:
    """One's own and those for everybody, by name. One query."""
    found = SavedSearch.objects.filter(Q(owner=viewer) | Q(shared=True)).select_related("owner")
    found = found.filter(list=kind) if kind is not None else found
    return list(found.order_by("name", "pk"))


def search_for_act(pk: UUID) -> SavedSearch | None:
    """For the act only, which itself refuses everybody but the owner."""
    return SavedSearch.objects.filter(pk=pk).first()


def address_of(search: SavedSearch) -> str:
    """The plain address that it stands for."""
    return f"{reverse(KINDS[search.list].page)}?{search.query}"


def has_name(person: Person, kind: str, name: str) -> bool:
    """Whether one of theirs, or one for everybody, has that name."""
    return SavedSearch.objects.filter(Q(owner=person) | Q(shared=True), list=kind, name=name).exists()


def how_many(person: Person) -> int:
    """Searches that somebody keeps."""
    return SavedSearch.objects.filter(owner=person).count()
