"""What a use leaves to be done outside the portal: its changes go back into change control, and somebody decides whether personal data was exposed.

Both may be said by any reviewer or owner of the system who had no part in the use, before the review is taken or after: their times run from the end
of the use (catalogue: change_hours, privacy_triage_hours, breach_notice_hours after GDPR article 33(1)).
"""

from collections.abc import Sequence
from datetime import datetime

from audit.log.append import Actor, action, append
from audit.log.read import count_of_case
from portal.clock import ms, now, optional_ms
from portal.eligibility.models import OWNER, REVIEWER
from portal.eligibility.queries import holds
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.parameters import hours
from portal.people.models import Person
from portal.reviews.actions import locked
from portal.reviews.models import DISPOSITIONS, ChangeRecord, PrivacyDecision, Review
from portal.reviews.rules import involved_in

CHANGES = ("data_change", "schema_change", "config_change", "permission_change")


def may_say(by: Actor, review: Review) -> None:
    """A reviewer or the owner of the system, without a part in the use.

    Raises:
        NotAllowed: of kind ``involved`` for who had a part in it.
    """
    system = review.request.system
    if str(system.owner_id) != by.id and not any(holds(by.id, role, system) for role in (REVIEWER, OWNER)):
        raise NotAllowed(
            "Only a reviewer or an owner of this system may say that.", about=review, kind="not a reviewer"
        )
    if by.id in involved_in(review):
        raise NotAllowed("You had a part in this use. Somebody else says that.", about=review, kind="involved")


def _ended_at(review: Review) -> datetime | None:
    return review.grant.ended_at if review.grant else None


def change_due(review: Review) -> datetime | None:
    """By when change control is to know of the changes."""
    return ended + hours("change_hours") if (ended := _ended_at(review)) else None


def decision_due(review: Review) -> datetime | None:
    """By when the privacy decision is to be made."""
    return ended + hours("privacy_triage_hours") if (ended := _ended_at(review)) else None


def unnamed_changes(review: Review) -> list[str]:
    """The kinds of change that were made without an error, and that no change record of the use holds."""
    named = {kind for record in review.change_records.all() for kind in record.kinds}
    return [
        kind
        for kind in CHANGES
        if kind not in named
        and count_of_case(review.log_case, "activity.recorded", None, **{"class": kind, "outcome": "no_error_seen"})
    ]


@action(event="change.recorded", refused="review.act_refused")
def record_change(*, by: Actor, review: Review, reference: str, raised_at: datetime, disposition: str, upto: int,
                  approved_by: Person | None = None, kinds: Sequence[str] = CHANGES) -> ChangeRecord:  # fmt: skip
    """Name the change record that holds the changes of a use, all of some classes up to an entry of the log.

    Raises:
        NotAllowed: see `may_say`; RefusedByPolicy: it cannot be so; ChangedMeanwhile: the reference stands already.
    """
    row, reference = locked(review), reference.strip()
    may_say(by, row)
    if not reference or disposition not in DISPOSITIONS or not kinds or set(kinds) - set(CHANGES):
        raise RefusedByPolicy(
            "Give the reference, what became of the changes, and which kinds of change it holds.", about=row
        )
    if raised_at > now():
        raise RefusedByPolicy("A change record cannot have been raised in the future.", about=row)
    if approved_by is not None and approved_by.pk == row.request.responder_id:
        raise RefusedByPolicy("Whoever made the changes does not approve them.", about=row)
    if row.change_records.filter(reference=reference).exists():
        raise ChangedMeanwhile("This change record is named already.", about=row)
    count = sum(count_of_case(row.log_case, "activity.recorded", upto, **{"class": kind}) for kind in kinds)
    if not count:
        raise RefusedByPolicy("This use has no changes of these kinds.", about=row)
    kept = ChangeRecord.objects.create(
        review=row, reference=reference, raised_at=raised_at, approved_by=approved_by, disposition=disposition, kinds=sorted(set(kinds)),
        upto=upto, count=count, recorded_at=now(), recorded_by=Person.objects.get(pk=by.id),
    )  # fmt: skip
    append(
        "change.recorded", by=by, case=row.log_case, subject=row.log_subject, change_record_id=kept.pk, review_id=row.pk, grant_id=row.grant_id,
        reference=reference, raised_at=ms(raised_at), approved_by=approved_by.pk if approved_by else None, disposition=disposition,
        kinds=kept.kinds, upto=upto, count=count,
    )  # fmt: skip
    return kept


@action(event="privacy.decided", refused="review.act_refused")
def decide_privacy(*, by: Actor, review: Review, breach: bool, reason: str, risk_unlikely: bool = False,
                   aware_at: datetime | None = None) -> PrivacyDecision:  # fmt: skip
    """Decide whether the use exposed personal data. May be decided otherwise later; the first time stands for "in time".

    A breach that is a risk to people is to be notified within 72 hours of ``aware_at`` (now, unless said).

    Raises:
        NotAllowed: see `may_say`; RefusedByPolicy: no reason, or it cannot be so; WrongState: it was notified already.
    """
    row = locked(review)
    may_say(by, row)
    before = PrivacyDecision.objects.filter(review=row).first()
    if before is not None and before.notified_at is not None:
        raise WrongState("The breach was notified already, so the decision stands.", about=row)
    if not reason.strip():
        raise RefusedByPolicy("Say why.", about=row)
    if aware_at is not None and aware_at > now():
        raise RefusedByPolicy("Nobody can have learned of it in the future.", about=row)
    known = (aware_at or now()) if breach else None
    due = known + hours("breach_notice_hours") if known and not risk_unlikely else None
    kept, _ = PrivacyDecision.objects.update_or_create(
        review=row, defaults={
            "breach": breach, "risk_unlikely": breach and risk_unlikely, "reason": reason.strip(), "aware_at": known, "notice_due_at": due,
            "decided_at": now(), "decided_by": Person.objects.get(pk=by.id),
        },
    )  # fmt: skip
    append(
        "privacy.decided", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id, breach=breach,
        risk_unlikely=kept.risk_unlikely, reason=kept.reason, reason_given=True, due_at=ms(decision_due(row) or kept.decided_at),
        aware_at=optional_ms(known), notice_due_at=optional_ms(due),
    )  # fmt: skip
    return kept


@action(event="privacy.notified", refused="review.act_refused")
def record_notice(*, by: Actor, review: Review, notified_at: datetime, delay_reason: str = "") -> PrivacyDecision:
    """The breach was notified to the authority; after its time, with the reason for the delay.

    Raises:
        NotAllowed: see `may_say`; WrongState: nothing is to be notified, or it was; RefusedByPolicy: it cannot be so.
    """
    row = locked(review)
    may_say(by, row)
    kept = PrivacyDecision.objects.filter(review=row).first()
    if kept is None or not kept.breach or kept.aware_at is None:
        raise WrongState("No breach was found in this use.", about=row)
    if kept.notified_at is not None:
        raise ChangedMeanwhile("The notice is on record already.", about=row)
    if not kept.aware_at <= notified_at <= now():
        raise RefusedByPolicy("The notice lies between when it became known and now.", about=row)
    if kept.notice_due_at is not None and notified_at > kept.notice_due_at and not delay_reason.strip():
        raise RefusedByPolicy("It was notified late: say why.", about=row)
    kept.notified_at, kept.delay_reason = notified_at, delay_reason.strip()
    kept.save(update_fields=["notified_at", "delay_reason"])
    append(
        "privacy.notified", by=by, case=row.log_case, subject=row.log_subject, review_id=row.pk, grant_id=row.grant_id,
        notified_at=ms(notified_at), delay_reason=kept.delay_reason or None, delay_reason_given=bool(kept.delay_reason),
    )  # fmt: skip
    return kept
