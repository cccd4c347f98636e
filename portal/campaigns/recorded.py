"""How a decision stands in the log: with what the judge had looked at, and how often they had said the same."""

from collections.abc import Iterable
from uuid import UUID

from audit.log.append import Actor, Entry
from portal.campaigns.models import Campaign, Item
from portal.campaigns.weighing import PLAIN


def decided(
    by: Actor, row: Item, decision: str, reason: str, *, involved: Iterable[str], said: int, **more: object
) -> Entry:
    """The event of one decision. ``said``: how many lines of the campaign the judge has decided with these words, this one included."""
    words = reason.strip()
    fields: dict[str, object] = {
        "item_id": row.pk, "campaign_id": row.campaign_id, "decision": decision, "reason_given": bool(words), "reason": words or None,
        "involved": sorted(involved), "risk": row.facts.get("risk", PLAIN), "evidence_opened": row.opened_at is not None,
        "same_reason": said if words else 0, **more,
    }  # fmt: skip
    return Entry("campaign.item_decided", by, fields, subject=row.log_subject)


def said_before(by: Actor, campaign: Campaign, reason: str) -> int:
    """How many lines of the campaign the person decided with these words."""
    words = reason.strip()
    return Item.objects.filter(campaign=campaign, decided_by=UUID(by.id), reason=words).count() if words else 0
