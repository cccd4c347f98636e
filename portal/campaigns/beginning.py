"""An attestation begins: the list as it stands, counted twice, each line put to somebody who is not concerned."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from audit.log.append import Actor, Entry, action, append, append_many
from portal.campaigns import rules, subjects
from portal.campaigns.assigning import assign
from portal.campaigns.cadence import closes_at
from portal.campaigns.counting import second_count
from portal.campaigns.lapsing import still_owed
from portal.campaigns.lines import Line, sha256, snapshot
from portal.campaigns.models import Campaign, Duty, Item, Snapshot
from portal.campaigns.states import OPEN, UNDECIDED
from portal.campaigns.telling import tell_of_lines, tell_of_nobody
from portal.campaigns.weighing import weighed
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile
from portal.people.strength import need_fresh
from portal.reconciliation.models import Listing
from portal.rows import lock_row
from portal.systems.models import System
from portal.unique import refuse_doubled

OPEN_ALREADY = "A campaign of this system is open already."
NONE_LEFT = "The sealed accounts of this list are out of use by now. Nothing was begun."


@action(event=("campaign.started", "campaign.item_listed"), refused="campaign.act_refused")
def start(*, by: Actor, duty: Duty, listing: Listing | None) -> Campaign:
    """Take the list as it stands and put each line to somebody who is not concerned. The target was listed before.

    A line on which nobody may decide is put to nobody and escalated to who has to find somebody; the rest does not wait for it.

    Raises:
        NotAllowed, ChangedMeanwhile: who may not; or it has begun, or its list is there no longer.
    """
    if duty.system_id is not None:
        lock_row(System, duty.system_id, no_key=True)
    row = Duty.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=duty.pk)
    rules.may_start(by, row.system)
    need_fresh(by, about=row.system)
    if is_open(row) or Campaign.objects.filter(duty=row).exists():
        raise ChangedMeanwhile(OPEN_ALREADY, about=row)
    if not still_owed([row]):
        raise ChangedMeanwhile(NONE_LEFT, about=row)
    at = now()
    lines = weighed(subjects.lines_of(row.subject_kind, row.system, listing), row.subject_kind, row.system, at)
    campaign = _campaign(row, lines, listing, at)
    items = _items(campaign, lines)
    tell_of_lines(by, campaign, items)
    tell_of_nobody(by, campaign, items)
    append(
        "campaign.started", by=by, subject=campaign.log_subject, campaign_id=campaign.pk, duty_id=row.pk, kind=campaign.kind,
        system_id=row.system_id, snapshot_at=ms(at), snapshot_sha256=campaign.snapshot_sha256, item_count=len(items),
        second_count=campaign.second_count, second_source=campaign.second_source or None, only_listed=campaign.only_listed,
        only_elsewhere=campaign.only_elsewhere, second_says=campaign.second_says or None,
        not_put_to_anyone=sum(item.reviewer_id is None for item in items), due_at=ms(campaign.due_at),
        listing_id=listing.pk if listing else None,
    )  # fmt: skip
    append_many(_listed(by, item) for item in items)
    return campaign


def is_open(duty: Duty) -> bool:
    """Whether the list is being attested."""
    return Campaign.objects.filter(system=duty.system, kind=duty.subject_kind, state=OPEN).exists()


def _campaign(duty: Duty, lines: Sequence[Line], listing: Listing | None, at: datetime) -> Campaign:
    text = snapshot(duty.system_id, at, lines)
    second = second_count(duty.subject_kind, duty.system, listing, lines, at)
    with refuse_doubled(OPEN_ALREADY, about=duty):
        campaign = Campaign.objects.create(
            duty=duty, kind=duty.subject_kind, system=duty.system, snapshot_sha256=sha256(text), snapshot_at=at,
            second_count=second.count, second_source=second.source, second_says=second.says, only_listed=second.only_listed,
            only_elsewhere=second.only_elsewhere, due_at=closes_at(duty.due_at, at),
        )  # fmt: skip
    Snapshot.objects.create(campaign=campaign, text=text)
    return campaign


def _items(campaign: Campaign, lines: Sequence[Line]) -> list[Item]:
    ranks = rules.ranks(campaign.system)
    people = {str(person.pk): person for person in rules.flat(ranks)}
    judges = assign(
        rules.concerned_in_lines(lines), [[str(each.pk) for each in rank] for rank in ranks], waiting_for(people)
    )
    items = []
    for line in lines:
        found = judges[line.subject]
        reviewer = people[found] if found is not None else None
        owner = reviewer or rules.escalated_to(ranks, line.person_id, campaign.system)
        items.append(
            Item(
                campaign=campaign, subject_kind=line.subject_kind, subject=line.subject, person_id=line.person_id,
                privilege_name=line.privilege_name, label=line.label, facts=line.facts, owner=owner, reviewer=reviewer, due_at=campaign.due_at,
            )
        )  # fmt: skip
    return Item.objects.bulk_create(items)


def waiting_for(people: Iterable[str]) -> Counter[str]:
    """How many lines wait for each of the people already, in all that is open."""
    rows = Item.objects.filter(state=UNDECIDED, campaign__state=OPEN, reviewer__in=list(people))
    return Counter(str(reviewer) for reviewer in rows.values_list("reviewer_id", flat=True))


def _listed(by: Actor, item: Item) -> Entry:
    fields = {
        "item_id": item.pk, "campaign_id": item.campaign_id, "subject_id": item.subject, "subject_kind": item.subject_kind,
        "person_id": item.person_id, "privilege_id": item.facts.get("privilege_id"), "owner_id": item.owner_id,
        "reviewer_id": item.reviewer_id, "due_at": ms(item.due_at), "label": item.label,
    }  # fmt: skip
    return Entry("campaign.item_listed", by, fields, subject=item.log_subject)
