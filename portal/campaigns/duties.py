"""What is owed: each list is attested again and again, so long after the last time. What was not done stays a row."""

from datetime import datetime

from audit.log.append import Actor, action, append
from portal.campaigns import rules
from portal.campaigns.cadence import Last, is_missed, next_owed
from portal.campaigns.figures import attestation_interval
from portal.campaigns.lapsing import owed_when_due, still_owed
from portal.campaigns.lists import LISTS
from portal.campaigns.models import Campaign, Duty
from portal.clock import ms, now
from portal.eligibility.models import RoleAssignment
from portal.errors import ChangedMeanwhile, WrongState
from portal.notifications.outbox import tell
from portal.rows import lock_row
from portal.sealed.runs import present_run
from portal.systems.models import System
from portal.unique import refuse_doubled

CAMPAIGN = "campaign"
SET_ALREADY = "The next campaign is set already."


@action(event="duty.set")
def set_duty(*, by: Actor, system: System | None, kind: str) -> Duty:
    """Say when a list is to be attested next: so long after the last time, or after it came to be.

    Raises:
        ChangedMeanwhile: it is set.
        WrongState: there is no such list yet.
    """
    rules.is_attested(kind, system)
    row = lock_row(System, system.pk, no_key=True) if system is not None else None
    last = last_of(row, kind)
    begun = began(row, kind)
    counts = last is not None and bool(still_owed([last]))  # not one of accounts that are all out of use by now
    before = Last(last.due_at, closed_at(last)) if last is not None and counts else None
    owed = next_owed(begun, before, attestation_interval(kind), now())
    if owed is None:
        raise ChangedMeanwhile(SET_ALREADY, about=last)
    with refuse_doubled(SET_ALREADY, about=row):
        duty = Duty.objects.create(
            kind=CAMPAIGN, subject_kind=kind, system=row, starts_at=owed.starts_at, due_at=owed.due_at,
            days_since_previous=owed.days_since_previous,
        )  # fmt: skip
    append(
        "duty.set", by=by, subject=duty.log_subject, duty_id=duty.pk, kind=CAMPAIGN, subject_kind=kind,
        system_id=duty.system_id, days_since_previous=duty.days_since_previous, due_at=ms(duty.due_at),
    )  # fmt: skip
    return duty


def last_of(system: System | None, kind: str) -> Duty | None:
    """The newest duty of a list."""
    rows = Duty.objects.filter(system=system, kind=CAMPAIGN, subject_kind=kind)
    return rows.select_related("campaign", "system").order_by("-due_at").first()


def began(system: System | None, kind: str) -> datetime:
    """Since when there is a list: the system is in scope, has had accounts under seal without a break, or somebody holds a role for all systems.

    Raises:
        WrongState: nobody does, or it has none.
    """
    if system is not None and LISTS[kind].of_accounts:
        run = present_run(system.pk)
        if run is None:
            raise WrongState("No account of this system is under seal.", about=system)
        return max(run.began, system.in_scope_from)
    if system is not None:
        return system.in_scope_from
    held = RoleAssignment.objects.filter(system__isnull=True, approved_at__isnull=False).order_by("from_at")
    first = held.values_list("from_at", flat=True).first()
    if first is None:
        raise WrongState("Nobody holds a role for all systems yet.")
    return first


def closed_at(duty: Duty) -> datetime | None:
    """When it was done."""
    campaign = getattr(duty, "campaign", None)  # the other end of a one-to-one, absent until it begins
    return campaign.closed_at if campaign else None


@action(event="duty.missed")
def note_missed(*, by: Actor, duty: Duty) -> Duty:
    """Its time is over and it was not done by then. It may still be done late, or may have been since."""
    row = Duty.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=duty.pk)
    campaign = Campaign.objects.select_for_update().filter(duty=row).first()  # it may be closing just now
    done = campaign.closed_at if campaign else None
    if row.missed_at is not None or not is_missed(row.due_at, done, now()) or not owed_when_due([row]):
        raise ChangedMeanwhile("This was noted, or done in time, or is owed no longer.", about=row)
    row.missed_at = now()
    row.save(update_fields=["missed_at"])
    sentence = f"{row.title}: the list of {row.name} was not attested by its time. " + (
        "It was afterwards." if done else "It is owed until it is done."
    )
    tell(
        by=by, people=rules.attesters(row.system), kind="system.problem", about=row.log_subject, path="/campaigns/",
        facts={"title": "Campaign not done in time", "sentence": sentence, "system": row.name, "at": row.due_at},
    )  # fmt: skip
    append(
        "duty.missed", by=by, subject=row.log_subject, duty_id=row.pk, kind=row.kind, system_id=row.system_id,
        due_at=ms(row.due_at),
    )  # fmt: skip
    return row
