"""After a decision to remove: end the grants on the target, list it, and say whether a login of theirs can still act.

A process, not an action: it calls the target outside of any transaction, and every step may be repeated after a crash.
What stands on the target without the portal is removed by the target's owner; it is looked at until it is gone.
"""

from datetime import timedelta
from uuid import UUID

from audit.log.append import Actor, action, append, process
from portal.campaigns import subjects
from portal.campaigns.models import Item
from portal.campaigns.states import MODIFIED, REVOKED
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile
from portal.findings.actions import raise_finding
from portal.grants import ending
from portal.grants.states import CLOSING, MAY_BE_LIVE
from portal.locks import alone
from portal.reconciliation.listings import NotListed, take
from portal.reconciliation.models import Listing

CAMPAIGNS = process("campaigns")
AGAIN = timedelta(minutes=5)  # between two listings for one that is still there


def run(item_id: UUID) -> Item:
    """Go on as far as it goes; safe to call at any time, by anybody, any number of times."""
    item = _read(item_id)
    if is_settled(item):
        return item
    with alone(f"removal:{item.pk}") as held:
        return _go_on(_read(item_id)) if held else item


def is_settled(item: Item) -> bool:
    """Nothing was to be removed, or the target showed that it is gone."""
    return item.state not in (REVOKED, MODIFIED) or item.access_present is False


def _read(item_id: UUID) -> Item:
    return Item.objects.select_related("campaign__system__owner", "person").get(pk=item_id)


def _go_on(item: Item) -> Item:
    if item.removed_at is None and not _remove(item):
        return item
    asks = subjects.of(item).needs_listing(item)
    listing = _listing_after(item) if asks else None
    if asks and listing is None:
        return item
    present = subjects.of(item).present(item, listing)
    if present and item.access_present:
        return item
    return note_read_back(by=CAMPAIGNS, item=item, listing=listing, present=present)


def _remove(item: Item) -> bool:
    """Take it away, or see that somebody did; whether it is away."""
    subject, system = subjects.of(item), item.campaign.system
    if not _grants_ended(item) or not subject.finish(CAMPAIGNS, item):
        return False
    done_by = str(item.decided_by_id)
    if subject.left_to_owner(item) and system is not None:
        listing = _listing_after(item)
        if listing is None or subject.present(item, listing):
            return False
        done_by = f"owner of {system.slug}"
    note_removed(by=CAMPAIGNS, item=item, done_by=done_by)
    item.refresh_from_db(fields=["removed_at"])
    return True


def _grants_ended(item: Item) -> bool:
    rest = subjects.of(item).grants(item)
    for grant in rest.filter(state=CLOSING):
        ending.run(grant.pk)
    live = {CLOSING} if item.state == MODIFIED else MAY_BE_LIVE
    return not rest.filter(state__in=live).exists()


def _listing_after(item: Item) -> Listing | None:
    """A listing taken after what is to be shown by it; an older one of the last minutes does not do for what is new."""
    since = item.removed_at or item.decided_at or now()
    system = item.campaign.system
    if system is None:
        return None
    recent = Listing.objects.filter(system=system, taken_at__gt=max(since, now() - AGAIN)).order_by("-taken_at").first()
    if recent is not None:
        return recent
    try:
        return take(by=CAMPAIGNS, system=system, campaign_id=item.campaign_id)
    except NotListed:
        return None


@action(event="campaign.removal_done")
def note_removed(*, by: Actor, item: Item, done_by: str) -> None:
    """It was taken away. `done_by`: whose decision it was, or the target's owner."""
    at = now()
    if Item.objects.filter(pk=item.pk, removed_at__isnull=True).update(removed_at=at) != 1:
        raise ChangedMeanwhile("Noted already.", about=item)
    append(
        "campaign.removal_done",
        by=by,
        subject=item.log_subject,
        item_id=item.pk,
        campaign_id=item.campaign_id,
        done_at=ms(at),
        done_by=done_by,
    )


@action(event=("campaign.removal_read_back", "finding.raised"))
def note_read_back(*, by: Actor, item: Item, listing: Listing | None, present: bool) -> Item:
    """What the target, or without a listing the portal's own rows, showed afterwards. Still there is a finding, once."""
    row = Item.objects.select_for_update(of=("self",)).select_related("campaign__system__owner").get(pk=item.pk)
    if row.access_present is False or row.access_present is present:
        raise ChangedMeanwhile("Noted already.", about=row)
    row.read_back_at, row.access_present = listing.taken_at if listing else now(), present
    row.save(update_fields=["read_back_at", "access_present"])
    if present:
        system = row.campaign.system
        raise_finding(
            by=by, kind="removal_failed", title=f"What a campaign revoked on {row.campaign.name} can still act", about=str(row.pk),
            details=row.label, system=system, owner=system.owner if system else row.owner, test_id="T-23",
        )  # fmt: skip
    append(
        "campaign.removal_read_back", by=by, subject=row.log_subject, item_id=row.pk, campaign_id=row.campaign_id,
        listing_id=listing.pk if listing else None, read_back_at=ms(row.read_back_at), read_back_by=by.id, access_present=present,
    )  # fmt: skip
    return row
