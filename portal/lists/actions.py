"""Saving a search, and taking it away again."""

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy
from portal.lists.kinds import KINDS
from portal.lists.models import SavedSearch
from portal.lists.queries import cleaned, has_name, how_many
from portal.people.models import Person
from portal.rows import lock_row
from portal.unique import refuse_doubled

MOST = 50
DOUBLED = "A search of this list has that name already. Choose another one."
NOTHING = "Narrow the list first: there is nothing to save of a whole list."


@action(event="search.saved", refused="search.act_refused")
def save_search(*, by: Actor, kind: str, name: str, query: str, shared: bool = False) -> SavedSearch:
    """Save what a list is narrowed to, for oneself or for everybody.

    Raises:
        RefusedByPolicy: it narrows nothing, the name is taken or missing, or there are too many.
    """
    if kind not in KINDS or not by.is_person:
        raise NotAllowed("There is no such list.", kind="no list")
    person = lock_row(Person, by.id, no_key=True)
    kept, title = cleaned(kind, query), " ".join(name.split())
    if not kept:
        raise RefusedByPolicy(NOTHING, kind="no search")
    if not title:
        raise RefusedByPolicy("Give the search a name.", kind="no name")
    if how_many(person) >= MOST:
        raise RefusedByPolicy(f"Nobody keeps more than {MOST} searches. Remove one first.", kind="too many")
    if has_name(person, kind, title):
        raise RefusedByPolicy(DOUBLED, kind="doubled")
    with refuse_doubled(DOUBLED):
        row = SavedSearch.objects.create(
            owner=person, list=kind, name=title[:80], query=kept, shared=shared, saved_at=now()
        )
    append(
        "search.saved",
        by=by,
        subject=row.log_subject,
        search_id=row.pk,
        list=kind,
        name=row.name,
        query=kept,
        shared=shared,
    )
    return row


@action(event="search.removed", refused="search.act_refused")
def remove_search(*, by: Actor, search: SavedSearch) -> None:
    """Remove a search of one's own.

    Raises:
        NotAllowed: it is somebody else's; ChangedMeanwhile: it was removed a moment ago.
    """
    try:
        row = lock_row(SavedSearch, search.pk)
    except SavedSearch.DoesNotExist:
        raise ChangedMeanwhile("This search was removed already.", about=search) from None
    if by.id != str(row.owner_id):
        raise NotAllowed("Whoever saved a search removes it.", about=row)
    append("search.removed", by=by, subject=row.log_subject, search_id=row.pk, list=row.list)
    row.delete()
