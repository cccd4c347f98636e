"""What is done with the lines of a campaign: they are seen, each is decided under lock, and the statement closes it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from audit.log.append import Actor, Entry, action, append, append_many
from portal.campaigns import rules, subjects
from portal.campaigns.figures import statement
from portal.campaigns.lines import again, sha256
from portal.campaigns.models import Campaign, Item
from portal.campaigns.recorded import decided, said_before
from portal.campaigns.states import ITEM_MOVES, KEPT, MODIFIED, MOVES, OPEN, REVOKED, UNDECIDED
from portal.campaigns.subjects import roles
from portal.campaigns.telling import tell_of_lines, tell_of_nobody
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile, RefusedByPolicy
from portal.moves import make
from portal.people.models import Person
from portal.people.strength import need_fresh


@action(event="alert.queued")
def remind(*, by: Actor, campaign: Campaign, mark: str) -> None:
    """Tell once for each mark everybody with undecided lines: ``half``, ``at``, ``after-<n>`` for each day that it is late."""
    row, items = _to_remind(campaign, mark, reviewer__isnull=False)
    tell_of_lines(by, row, items, "campaign.item_reminder")


@action(event="alert.queued")
def remind_of_nobody(*, by: Actor, campaign: Campaign, mark: str) -> None:
    """Tell once for each mark, ``nobody-<n>`` for each day, whoever has to find somebody for lines that nobody may decide."""
    row, items = _to_remind(campaign, mark, reviewer__isnull=True)
    tell_of_nobody(by, row, items, "campaign.nobody_reminder")


def _to_remind(campaign: Campaign, mark: str, **which: bool) -> tuple[Campaign, list[Item]]:
    row = locked_campaign(campaign)
    items = list(Item.objects.filter(campaign=row, state=UNDECIDED, **which).select_related("reviewer", "owner"))
    if row.state != OPEN or mark in row.reminded or not items:
        raise ChangedMeanwhile("Told already.", about=row)
    row.reminded = [*row.reminded, mark]
    row.save(update_fields=["reminded"])
    return row, items


@action(event="campaign.item_shown")
def show(*, by: Actor, campaign: Campaign, only: Collection[UUID] | None = None) -> int:
    """Note which undecided lines (of ``only`` some, where a page shows no more) stand before their reviewer for the first time; returns how many."""
    rows = Item.objects.select_for_update(of=("self",)).filter(
        campaign=campaign, reviewer=UUID(by.id), state=UNDECIDED, shown_at__isnull=True
    )
    rows = rows.filter(pk__in=only) if only is not None else rows
    shown = list(rows.order_by("pk"))
    if not shown:
        raise ChangedMeanwhile("All were shown.", about=campaign)
    Item.objects.filter(pk__in=[item.pk for item in shown]).update(shown_at=now())
    append_many(
        Entry("campaign.item_shown", by, {"item_id": item.pk, "campaign_id": campaign.pk}, subject=item.log_subject)
        for item in shown
    )
    return len(shown)


@action(event="campaign.evidence_opened")
def open_evidence(*, by: Actor, item: Item) -> Item:
    """Note that who is to judge a line looks at its evidence for the first time.

    Raises:
        ChangedMeanwhile: it was noted, or the line does not wait for them.
    """
    row = _locked(item)
    if str(row.reviewer_id) != by.id or row.state != UNDECIDED or row.opened_at is not None:
        raise ChangedMeanwhile("There is nothing to note.", about=row)
    row.opened_at = now()
    row.save(update_fields=["opened_at"])
    append("campaign.evidence_opened", by=by, subject=row.log_subject, item_id=row.pk, campaign_id=row.campaign_id)
    return row


@action(event=("campaign.item_decided", *subjects.EVENTS), refused="campaign.act_refused")
def keep(*, by: Actor, item: Item, reason: str = "") -> Item:
    """The right stays as it is. Needs a reason where it was neither used nor drilled for long."""
    row = _decidable(by, item)
    rules.need_reason(row, reason, kept=True)
    subjects.of(row).keep(by, [row])
    return _decide(by, row, "keep", reason)


@action(event=("campaign.item_decided", *subjects.EVENTS), refused="campaign.act_refused")
def modify(*, by: Actor, item: Item, to_at: datetime, reason: str) -> Item:
    """The right ends earlier, and with it what would outlast it."""
    row = _decidable(by, item)
    rules.need_reason(row, reason, kept=False)
    if rules.needs_second(by, row, to_at):
        return _ask_second(by, row, reason, to_at)
    subjects.of(row).narrow(by, row, to_at)
    return _decide(by, row, "modify", reason, expires_at=ms(to_at))


@action(event=("campaign.item_decided", *subjects.EVENTS), refused="campaign.act_refused")
def revoke(*, by: Actor, item: Item, reason: str) -> Item:
    """The right goes at once, and that person's open grants of it with it. What stands on the target by itself, its owner removes.

    `portal.campaigns.removal` then ends the grants on the target and lists it.
    """
    row = _decidable(by, item)
    rules.need_reason(row, reason, kept=False)
    if rules.needs_second(by, row, None):
        return _ask_second(by, row, reason, None)
    subjects.of(row).revoke(by, row, reason)
    return _decide(by, row, "revoke", reason)


@action(event="campaign.item_decided", refused="campaign.act_refused")
def transfer(*, by: Actor, item: Item, to: Person, reason: str = "") -> Item:
    """Somebody else owns this; they are told. It does not count as a decision."""
    row = _locked(item)
    rules.may_transfer(by, row)
    need_fresh(by, about=row)
    if row.state != UNDECIDED or row.campaign.state != OPEN:
        raise ChangedMeanwhile(rules.DECIDED, about=row)
    rules.may_receive(to, row)
    return _hand_on(by, row, to, reason)


@action(event="campaign.closed", refused="campaign.act_refused")
def close(*, by: Actor, campaign: Campaign) -> Campaign:
    """Close it with the catalogue's statement, once every line is decided. The list is made again and hashed: a change would show."""
    row = locked_campaign(campaign)
    rules.may_close(by, row)
    need_fresh(by, about=row)
    if row.state != OPEN:
        raise ChangedMeanwhile("This campaign was closed already. Nothing was changed.", about=row)
    counts = {state: row.items.filter(state=state).count() for state in (KEPT, MODIFIED, REVOKED, UNDECIDED)}
    if counts[UNDECIDED]:
        raise RefusedByPolicy(
            f"Lines that are still undecided: {counts[UNDECIDED]}. Each needs its decision first.", about=row
        )
    at, text = now(), closing_statement(row)
    make(row, MOVES["close"], says="This campaign is not open.", closed_at=at, closed_by_id=UUID(by.id), statement=text)
    append(
        "campaign.closed", by=by, subject=row.log_subject, campaign_id=row.pk, duty_id=row.duty_id, kind=row.kind, system_id=row.system_id,
        closed_at=ms(at), recomputed_sha256=sha256(again(row)), statement_sha256=sha256(text), kept=counts[KEPT],
        modified=counts[MODIFIED], revoked=counts[REVOKED], undecided=counts[UNDECIDED],
    )  # fmt: skip
    return row


def closing_statement(campaign: Campaign) -> str:
    """What is stated, with the list's fingerprint."""
    return (
        f"{statement()}\nSystem: {campaign.name}\nList: {campaign.title}, {campaign.snapshot_at:%-d %b %Y, %H:%M:%S} UTC\n"
        f"SHA-256: {campaign.snapshot_sha256}"
    )


# --- what they share


def _locked(item: Item) -> Item:
    """Who judges it is read afterwards: joined to the row as it was before it was waited for, one who got it meanwhile would be nobody."""
    around = ("campaign__system__owner", "person")
    return Item.objects.select_for_update(of=("self",)).select_related(*around).get(pk=item.pk)


def locked_campaign(campaign: Campaign) -> Campaign:
    """The row, locked until the transaction ends."""
    return Campaign.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=campaign.pk)


def _decidable(by: Actor, item: Item) -> Item:
    row = _locked(item)
    rules.may_decide(by, row)
    need_fresh(by, about=row)
    rules.still_undecided(row)
    return row


def _ask_second(by: Actor, row: Item, reason: str, to_at: datetime | None) -> Item:
    """Two have to agree before this is taken away, or ends earlier: the line goes to another with what the first wants, and why."""
    if to_at is not None:
        roles.may_narrow(row, to_at)  # nothing but a role is for all systems
    asked = {"removal_asked_by_id": UUID(by.id), "removal_asked_to_at": to_at, "reason": reason.strip()}
    return _hand_on(by, row, rules.second_for(by, row), reason, asked)


def _hand_on(by: Actor, row: Item, to: Person, reason: str, asked: Mapping[str, object] | None = None) -> Item:
    changes = {"reviewer": to, "owner": to, "shown_at": None, "opened_at": None, **(asked or {})}
    make(row, ITEM_MOVES["transfer"], says=rules.DECIDED, **changes)
    tell_of_lines(by, row.campaign, [row])
    ends = row.removal_asked_to_at if asked else None
    _append_decided(
        by, row, "transfer", reason, to_id=to.pk, removal_asked=True if asked else None, expires_at=ms(ends) if ends else None
    )  # fmt: skip
    return row


def _decide(by: Actor, row: Item, decision: str, reason: str, **more: object) -> Item:
    said = said_before(by, row.campaign, reason)
    make(
        row,
        ITEM_MOVES[decision],
        says=rules.DECIDED,
        reason=reason.strip(),
        decided_by_id=UUID(by.id),
        decided_at=now(),
    )
    _append_decided(by, row, decision, reason, said + 1, **more)
    return row


def _append_decided(by: Actor, row: Item, decision: str, reason: str, said: int = 0, **more: object) -> None:
    append_many([decided(by, row, decision, reason, involved=rules.concerned_in(row), said=said, **more)])
