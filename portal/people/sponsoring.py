"""Who here answers for somebody of another company, and until when their contract runs (T-43)."""

from datetime import datetime

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.people.models import Person, Sponsorship
from portal.people.rights import ADMINISTER, need_other, need_permission
from portal.people.strength import need_fresh
from portal.rows import lock_row

ONLY_ADMINISTRATORS = "Only administrators say who answers for people of other companies."
ONLY_OUTSIDE = "Only who works for another company has a sponsor and a contract here."


def may_sponsor(by: Actor, person: Person) -> Sponsorship:
    """Ask who may say it anew: an administrator, freshly confirmed, who is neither the person nor answers for them now. Returns what holds now.

    Raises:
        NotAllowed, StepUpNeeded: who may not.
        RefusedByPolicy: the person works here.
    """
    need_permission(by, ADMINISTER, says=ONLY_ADMINISTRATORS)
    need_fresh(by, about=person)
    present = person.sponsorships.filter(until_at__isnull=True).first()
    if present is None:
        raise RefusedByPolicy(ONLY_OUTSIDE, about=person, kind="works here")
    need_other(by, person.pk, present.sponsor_id, about=person)
    return present


@action(event="person.sponsored", refused="person.act_refused")
def sponsor(*, by: Actor, person: Person, sponsor: Person, contract_end: datetime, reason: str) -> Sponsorship:
    """Say anew who answers for somebody of another company, and when their contract ends. What held before stays on record.

    It gives nobody a right: what ended meanwhile is asked for again and decided as any other.

    Raises:
        NotAllowed, StepUpNeeded: who may not; nobody names themselves either.
        WrongState: the person has left.
        RefusedByPolicy: the person works here; or the sponsor left, or works for another company too; or the contract has ended already.
        ChangedMeanwhile: it stands so already.
    """
    may_sponsor(by, person)
    locked = lock_row(Person, person.pk, no_key=True)
    present = may_sponsor(by, locked)
    need_other(by, sponsor.pk, about=locked)
    if locked.left_at is not None:
        raise WrongState("This person has left.", about=locked)
    if (present.sponsor_id, present.contract_end) == (sponsor.pk, contract_end):
        raise ChangedMeanwhile("It stands so already. Nothing was changed.", about=locked)
    _check(sponsor, contract_end)
    present.until_at = now()
    present.save(update_fields=["until_at"])
    made = begin(locked, sponsor, contract_end, present.until_at)
    append(
        "person.sponsored", by=by, subject=locked.log_subject, person_id=locked.pk, sponsor_id=sponsor.pk, contract_end=ms(contract_end),
        before_sponsor_id=present.sponsor_id, before_contract_end=ms(present.contract_end), reason=reason,
    )  # fmt: skip
    return made


def begin(person: Person, sponsor: Person, contract_end: datetime, at: datetime) -> Sponsorship:
    """Note it, within the action of a caller who has asked who may."""
    return Sponsorship.objects.create(person=person, sponsor=sponsor, contract_end=contract_end, from_at=at)


def check_outside(by: Actor, third_party: bool, sponsor: Person | None, contract_end: datetime | None) -> None:
    """Hold against each other what is said of somebody new.

    Raises:
        NotAllowed: nobody names themselves.
        RefusedByPolicy: sponsor and end of the contract do not fit.
    """
    if not third_party and (sponsor or contract_end):
        raise RefusedByPolicy(ONLY_OUTSIDE)
    if not third_party:
        return
    if sponsor is None or contract_end is None:
        raise RefusedByPolicy("Say who here answers for them, and when their contract ends.", kind="no sponsor")
    need_other(by, sponsor.pk)
    _check(sponsor, contract_end)


def _check(sponsor: Person, contract_end: datetime) -> None:
    locked = lock_row(Person, sponsor.pk, no_key=True)
    if locked.left_at is not None:
        raise RefusedByPolicy("The sponsor has left. Name somebody who is here.", kind="no sponsor")
    if locked.sponsorships.exists():
        raise RefusedByPolicy(
            "The sponsor works for another company too. Name somebody who works here.", kind="no sponsor"
        )
    if contract_end <= now():
        raise RefusedByPolicy("The contract has ended already.", kind="no contract")
