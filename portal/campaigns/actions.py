"""Campaigns: the duty, the list as it stands, each decision under lock, the statement that closes it."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from audit.log.append import Actor, Entry, action, append, append_many
from portal.campaigns import rules
from portal.campaigns.figures import LEAD, attestation_interval, statement
from portal.campaigns.lines import ELIGIBILITY, Line, again, lines_of, sha256, snapshot
from portal.campaigns.models import Campaign, Duty, Item
from portal.campaigns.states import ITEM_MOVES, KEPT, MODIFIED, MOVES, OPEN, REVOKED, UNDECIDED
from portal.clock import ms, now
from portal.eligibility.actions import reconfirm_eligibility
from portal.eligibility.models import Eligibility
from portal.errors import ChangedMeanwhile, RefusedByPolicy
from portal.findings.actions import raise_finding
from portal.grants import narrowing
from portal.moves import make
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.people.strength import need_fresh
from portal.reconciliation.models import Listing
from portal.rows import lock_row
from portal.systems.models import System

CAMPAIGN, LIST = "campaign", "eligibility"
CANNOT_BEGIN = "Campaign cannot begin"
NARROWED = ("grant.revoked", "grant.failed")


@action(event="duty.set")
def set_duty(*, by: Actor, system: System) -> Duty:
    """Say when the list of a system is to be attested next: so long after the last time, or after the system came into scope."""
    row = lock_row(System, system.pk, no_key=True)
    last = Duty.objects.filter(system=row, kind=CAMPAIGN).select_related("campaign").order_by("-due_at").first()
    if last is not None and not is_past(last):
        raise ChangedMeanwhile("The next campaign is set already.", about=last)
    begun = row.in_scope_from if last is None else (closed_at(last) or last.due_at)
    due_at = begun + attestation_interval()
    duty = Duty.objects.create(
        kind=CAMPAIGN,
        subject_kind=LIST,
        system=row,
        starts_at=due_at - LEAD,
        due_at=due_at,
        days_since_previous=(due_at - begun).days,
    )
    append(
        "duty.set", by=by, subject=duty.log_subject, duty_id=duty.pk, kind=CAMPAIGN, subject_kind=LIST, system_id=row.pk,
        days_since_previous=duty.days_since_previous, due_at=ms(due_at),
    )  # fmt: skip
    return duty


def is_past(duty: Duty) -> bool:
    """Done, or its time is over: the next one can be set."""
    return closed_at(duty) is not None or duty.due_at <= now()


def closed_at(duty: Duty) -> datetime | None:
    """When it was done."""
    campaign = getattr(duty, "campaign", None)  # the other end of a one-to-one, absent until it begins
    return campaign.closed_at if campaign else None


@action(event="duty.missed")
def note_missed(*, by: Actor, duty: Duty) -> Duty:
    """Its time is over and it was not done. It may still be done late."""
    row = Duty.objects.select_for_update(of=("self",)).select_related("system__owner", "campaign").get(pk=duty.pk)
    if row.missed_at is not None or closed_at(row) is not None or row.due_at > now():
        raise ChangedMeanwhile("This was noted, or done in time.", about=row)
    row.missed_at = now()
    row.save(update_fields=["missed_at"])
    sentence = f"The list of {row.system.name} was not attested by its time. It is owed until it is done."
    tell(
        by=by, people=rules.attesters(row.system), kind="system.problem", about=row.log_subject, path="/campaigns/",
        facts={"title": "Campaign not done in time", "sentence": sentence, "system": row.system.name, "at": row.due_at},
    )  # fmt: skip
    append(
        "duty.missed",
        by=by,
        subject=row.log_subject,
        duty_id=row.pk,
        kind=row.kind,
        system_id=row.system_id,
        due_at=ms(row.due_at),
    )
    return row


@action(event=("campaign.started", "campaign.item_listed"), refused="campaign.act_refused")
def start(*, by: Actor, duty: Duty, listing: Listing | None) -> Campaign:
    """Take the list as it stands and put each line to somebody who is not concerned. The target was listed before.

    Raises:
        NotAllowed, ChangedMeanwhile: who may not, or it has begun.
        RefusedByPolicy: a line has nobody who could decide on it; then an administrator must name somebody.
    """
    lock_row(System, duty.system_id, no_key=True)
    row = Duty.objects.select_related("system__owner").get(pk=duty.pk)
    rules.may_start(by, row.system)
    need_fresh(by, about=row.system)
    if Campaign.objects.filter(Q(duty=row) | Q(system=row.system, state=OPEN)).exists():
        raise ChangedMeanwhile("A campaign of this system is open already.", about=row)
    at, lines = now(), lines_of(row.system, listing)
    text = snapshot(row.system_id, at, lines)
    campaign = Campaign.objects.create(
        duty=row, system=row.system, snapshot=text, snapshot_sha256=sha256(text), snapshot_at=at, due_at=_due(row, at)
    )
    items = _items(campaign, lines)
    _tell(by, campaign, items)
    append(
        "campaign.started", by=by, subject=campaign.log_subject, campaign_id=campaign.pk, duty_id=row.pk, kind=LIST, system_id=row.system_id,
        snapshot_at=ms(at), snapshot_sha256=campaign.snapshot_sha256, item_count=len(items), not_put_to_anyone=len(lines) - len(items),
        due_at=ms(campaign.due_at), listing_id=listing.pk if listing else None,
    )  # fmt: skip
    append_many(_listed(by, item) for item in items)
    return campaign


def _due(duty: Duty, at: datetime) -> datetime:
    """The duty's time, and never less or more than a fortnight away when it begins early or late."""
    latest = at + LEAD
    return duty.due_at if at < duty.due_at < latest else latest


def _items(campaign: Campaign, lines: list[Line]) -> list[Item]:
    people = rules.attesters(campaign.system)
    items = []
    for line in lines:
        reviewer = rules.attester_for(line.concerned, people)
        if reviewer is None:
            raise RefusedByPolicy(nobody_for(line), about=campaign.system, logged=nobody_for(None))
        items.append(
            Item(
                campaign=campaign, subject_kind=line.subject_kind, subject=line.subject, person_id=line.person_id,
                privilege_name=line.privilege_name, label=line.label, facts=line.facts, owner=reviewer, reviewer=reviewer, due_at=campaign.due_at,
            )
        )  # fmt: skip
    return Item.objects.bulk_create(items)


def nobody_for(line: Line | None) -> str:
    """What to do about a line on which nobody may decide; without the line, which names a person, for the log."""
    which = f"this line: {line.label}" if line else "one of its lines"
    return (
        f"Nobody can decide on {which}. Everybody who attests for this system holds, proposed or approved it. "
        "Make somebody else an owner or reviewer of the system first."
    )


@action(event="alert.queued")
def tell_of_nobody(*, by: Actor, duty: Duty, line: Line) -> None:
    """Tell once that the campaign of a duty cannot begin, since nobody may decide on a line."""
    row = Duty.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=duty.pk)
    if Alert.objects.filter(kind="system.problem", about=row.log_subject, facts__title=CANNOT_BEGIN).exists():
        raise ChangedMeanwhile("Told already.", about=row)
    tell(
        by=by, people=rules.attesters(row.system), kind="system.problem", about=row.log_subject, path="/campaigns/",
        facts={"title": CANNOT_BEGIN, "sentence": nobody_for(line), "system": row.system.name, "at": row.due_at},
    )  # fmt: skip


def _tell(by: Actor, campaign: Campaign, items: list[Item], kind: str = "campaign.item_due") -> None:
    for person in {item.reviewer_id: item.reviewer for item in items}.values():
        tell(
            by=by, people=[person], kind=kind, about=campaign.log_subject, path=f"/campaigns/{campaign.pk}/",
            facts={"system": campaign.system.name, "due_at": campaign.due_at, "lines": sum(item.reviewer_id == person.pk for item in items)},
        )  # fmt: skip


def _listed(by: Actor, item: Item) -> Entry:
    fields = {
        "item_id": item.pk, "campaign_id": item.campaign_id, "subject_id": item.subject, "subject_kind": item.subject_kind,
        "person_id": item.person_id, "privilege_id": item.facts.get("privilege_id"), "owner_id": item.owner_id,
        "reviewer_id": item.reviewer_id, "due_at": ms(item.due_at), "label": item.label,
    }  # fmt: skip
    return Entry("campaign.item_listed", by, fields, subject=item.log_subject)


@action(event="alert.queued")
def remind(*, by: Actor, campaign: Campaign, mark: str) -> None:
    """Tell once for each mark everybody with undecided lines: ``half``, ``at``, ``after-<n>`` for each day that it is late."""
    row = _locked_campaign(campaign)
    items = list(Item.objects.filter(campaign=row, state=UNDECIDED).select_related("reviewer"))
    if row.state != OPEN or mark in row.reminded or not items:
        raise ChangedMeanwhile("Told already.", about=row)
    row.reminded = [*row.reminded, mark]
    row.save(update_fields=["reminded"])
    _tell(by, row, items, "campaign.item_reminder")


@action(event="campaign.item_shown")
def show(*, by: Actor, campaign: Campaign) -> int:
    """Note which undecided lines stand before their reviewer for the first time; returns how many."""
    rows = Item.objects.select_for_update(of=("self",)).filter(
        campaign=campaign, reviewer=UUID(by.id), state=UNDECIDED, shown_at__isnull=True
    )
    shown = list(rows.order_by("pk"))
    if not shown:
        raise ChangedMeanwhile("All were shown.", about=campaign)
    Item.objects.filter(pk__in=[item.pk for item in shown]).update(shown_at=now())
    append_many(
        Entry("campaign.item_shown", by, {"item_id": item.pk, "campaign_id": campaign.pk}, subject=item.log_subject)
        for item in shown
    )
    return len(shown)


@action(event=("campaign.item_decided", "eligibility.reconfirmed"), refused="campaign.act_refused")
def keep(*, by: Actor, item: Item, reason: str = "") -> Item:
    """The right stays as it is. Needs a reason where it was neither used nor drilled for long."""
    row = _decidable(by, item)
    rules.need_reason(row, reason, kept=True)
    eligibility = _in_force(row)
    if eligibility is not None:
        reconfirm_eligibility(by=by, eligibility=eligibility)
    return _decide(by, row, "keep", reason)


@action(event=("campaign.item_decided", "eligibility.shortened", *NARROWED), refused="campaign.act_refused")
def modify(*, by: Actor, item: Item, to_at: datetime, reason: str) -> Item:
    """The right ends earlier, and with it what would outlast it."""
    row = _decidable(by, item)
    rules.need_reason(row, reason, kept=False)
    eligibility = _in_force(row)
    if eligibility is None:
        raise RefusedByPolicy(
            "Only an eligibility that is in force can end earlier. Keep or revoke this line.", about=row
        )
    narrowing.shorten_eligibility(by=by, eligibility=eligibility, to_at=to_at)
    return _decide(by, row, "modify", reason, expires_at=ms(to_at))


@action(
    event=("campaign.item_decided", "eligibility.revoked", "finding.raised", *NARROWED), refused="campaign.act_refused"
)
def revoke(*, by: Actor, item: Item, reason: str) -> Item:
    """The right goes at once, and that person's open grants of it with it. What stands on the target by itself, its owner removes.

    `portal.campaigns.removal` then ends the grants on the target and lists it.
    """
    row = _decidable(by, item)
    rules.need_reason(row, reason, kept=False)
    eligibility = _in_force(row)
    if eligibility is not None:
        narrowing.revoke_eligibility(by=by, eligibility=eligibility, cause="attestation")
    elif row.subject_kind != ELIGIBILITY:
        _raise_standing(by, row, reason)
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
    make(row, ITEM_MOVES["transfer"], says=rules.DECIDED, reviewer=to, owner=to, shown_at=None)
    _tell(by, row.campaign, [row])
    _append_decided(by, row, "transfer", reason, to_id=to.pk)
    return row


@action(event="campaign.closed", refused="campaign.act_refused")
def close(*, by: Actor, campaign: Campaign) -> Campaign:
    """Close it with the catalogue's statement, once every line is decided. The list is made again and hashed: a change would show."""
    row = _locked_campaign(campaign)
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
        "campaign.closed", by=by, subject=row.log_subject, campaign_id=row.pk, duty_id=row.duty_id, kind=LIST, system_id=row.system_id,
        closed_at=ms(at), recomputed_sha256=sha256(again(row)), statement_sha256=sha256(text), kept=counts[KEPT],
        modified=counts[MODIFIED], revoked=counts[REVOKED], undecided=counts[UNDECIDED],
    )  # fmt: skip
    return row


def closing_statement(campaign: Campaign) -> str:
    """What is stated, with the list's fingerprint."""
    return f"{statement()}\nSystem: {campaign.system.name}\nList of {campaign.snapshot_at:%-d %b %Y, %H:%M:%S} UTC\nSHA-256: {campaign.snapshot_sha256}"


# --- what they share


def _locked(item: Item) -> Item:
    around = ("campaign__system__owner", "person", "reviewer")
    return Item.objects.select_for_update(of=("self",)).select_related(*around).get(pk=item.pk)


def _locked_campaign(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=campaign.pk)


def _decidable(by: Actor, item: Item) -> Item:
    row = _locked(item)
    rules.may_decide(by, row)
    need_fresh(by, about=row)
    rules.still_undecided(row)
    return row


def _in_force(row: Item) -> Eligibility | None:
    """The eligibility of the line, if nobody ended it meanwhile."""
    if row.subject_kind != ELIGIBILITY:
        return None
    found = Eligibility.objects.filter(pk=row.subject, approved_at__isnull=False, ended_at__isnull=True)
    return found.select_related("privilege__system", "person").first()


def _raise_standing(by: Actor, row: Item, reason: str) -> None:
    system = row.campaign.system
    raise_finding(
        by=by, kind="standing_access", title=f"Standing access on {system.name} is to be removed by the target's owner", about=str(row.pk),
        details=f"{row.label}\n{reason.strip()}", system=system, owner=system.owner, test_id="T-23",
    )  # fmt: skip


def _decide(by: Actor, row: Item, decision: str, reason: str, **more: object) -> Item:
    make(
        row,
        ITEM_MOVES[decision],
        says=rules.DECIDED,
        reason=reason.strip(),
        decided_by_id=UUID(by.id),
        decided_at=now(),
    )
    _append_decided(by, row, decision, reason, **more)
    return row


def _append_decided(by: Actor, row: Item, decision: str, reason: str, **more: object) -> None:
    append(
        "campaign.item_decided", by=by, subject=row.log_subject, item_id=row.pk, campaign_id=row.campaign_id, decision=decision,
        reason_given=bool(reason.strip()), reason=reason.strip() or None, involved=sorted(rules.concerned_in(row)), **more,
    )  # fmt: skip


__all__ = [
    "close", "closing_statement", "keep", "modify", "note_missed", "remind", "revoke", "set_duty", "show", "start", "tell_of_nobody", "transfer",
]  # fmt: skip
