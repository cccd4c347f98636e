"""A line never stays with who cannot judge it any longer: who left, lost the role, or came to be concerned. And what waited for somebody finds them."""

from collections.abc import Iterable
from uuid import UUID

from audit.log.append import Actor, Entry, action, append_many
from portal.campaigns import rules
from portal.campaigns.assigning import assign
from portal.campaigns.beginning import waiting_for
from portal.campaigns.models import Campaign, Item
from portal.campaigns.states import OPEN, UNDECIDED
from portal.campaigns.telling import tell_of_lines, tell_of_nobody
from portal.errors import ChangedMeanwhile
from portal.people.models import Person

NOBODY_BEFORE, NO_ATTESTER, CONCERNED = "nobody before", "attests no longer", "became concerned"


@action(event="campaign.item_reassigned")
def reassign(*, by: Actor, campaign: Campaign) -> list[Item]:
    """Put lines anew whose judge may not judge them, to somebody who may, or to nobody with whom it is escalated to.

    Raises:
        ChangedMeanwhile: there is none, or there is nobody to put it to and nobody had it.
    """
    row = Campaign.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=campaign.pk)
    ranks, moved = rules.ranks(row.system), []
    if row.state == OPEN:
        locked = Item.objects.select_for_update(of=("self",)).select_related("reviewer", "owner")
        waiting = list(locked.filter(campaign=row, state=UNDECIDED).order_by("pk"))
        moved = _moved(row, waiting, ranks)
    if not moved:
        raise ChangedMeanwhile("Every line is with somebody who may judge it, or waits for one.", about=row)
    Item.objects.bulk_update([item for item, _, _ in moved], ["reviewer", "owner", "shown_at", "opened_at"])
    items = [item for item, _, _ in moved]
    tell_of_lines(by, row, items)
    tell_of_nobody(by, row, items)
    append_many(_entry(by, *each) for each in moved)
    return items


def _moved(campaign: Campaign, items: list[Item], ranks: rules.Ranks) -> list[tuple[Item, UUID | None, str]]:
    """Lines that change hands, with who had them and why; the items hold who has them now."""
    people = {str(person.pk): person for person in rules.flat(ranks)}
    out = rules.concerned_in_each(items)
    causes = {item.pk: cause for item in items if (cause := _cause(item, people, out[item.pk]))}
    homeless = {str(item.pk): out[item.pk] for item in items if item.pk in causes}
    judges = assign(homeless, [[str(each.pk) for each in rank] for rank in ranks], waiting_for(people))
    moved = []
    for item in items:
        if item.pk in causes:
            before, found = item.reviewer_id, judges[str(item.pk)]
            if found is None and before is None:
                continue
            _put(item, people[found] if found else None, ranks, campaign)
            moved.append((item, before, causes[item.pk]))
    return moved


def _cause(item: Item, people: Iterable[str], out: frozenset[str]) -> str:
    """Why who has the line may not judge it; nothing where they may."""
    if item.reviewer_id is None:
        return NOBODY_BEFORE
    if str(item.reviewer_id) not in people:
        return NO_ATTESTER
    return CONCERNED if str(item.reviewer_id) in out else ""


def _put(item: Item, reviewer: Person | None, ranks: rules.Ranks, campaign: Campaign) -> None:
    item.reviewer = reviewer
    item.owner = reviewer or rules.escalated_to(ranks, item.person_id, campaign.system)
    item.shown_at = item.opened_at = None


def _entry(by: Actor, item: Item, before: UUID | None, cause: str) -> Entry:
    fields = {
        "item_id": item.pk, "campaign_id": item.campaign_id, "from_id": before, "to_id": item.reviewer_id,
        "owner_id": item.owner_id, "cause": cause,
    }  # fmt: skip
    return Entry("campaign.item_reassigned", by, fields, subject=item.log_subject)
