"""From "there is something to put right" to "somebody else saw that it is". Nobody closes their own."""

from datetime import datetime
from uuid import UUID, uuid4

from django.conf import settings

from audit.log.append import Actor, action, append
from portal.access_requests.alerting import Recipients, of_system
from portal.clock import ms, now, optional_ms
from portal.eligibility.queries import administrators, owner_told
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.findings.dates import USUAL, trouble_with
from portal.findings.models import Finding
from portal.findings.queries import past_of
from portal.findings.retests import passed, waits
from portal.findings.rules import (
    is_concerned,
    may_answer,
    may_ask_retest,
    may_assign,
    may_close,
    may_move_due,
    may_raise,
)
from portal.findings.states import ANSWERED, ASSIGNED, CLOSED, MOVES, RAISED
from portal.moves import make
from portal.notifications.outbox import tell
from portal.parameters import days
from portal.people.models import Person
from portal.people.strength import need_fresh
from portal.policy.alerts import FAILED_END, GAP, OVERDUE
from portal.systems.models import System

ALERTED = {
    **dict.fromkeys(("gap", "loss", "orphan session", "weaker logging", "drift"), GAP), "not ended": FAILED_END, "missed duty": OVERDUE,
}  # fmt: skip
"""Kinds of findings that are alerts of a group of which a policy may tell others."""

OF_THE_PORTAL = frozenset({"backup", "rehearsal", "log late", "log rights"})
"""Kinds of findings about the portal itself, which administrators put right."""

DONE = "This finding is closed."
NO_LATER = "Giving a finding to somebody else does not put its date off. Give it as it is; somebody who never owned it may move the date then."
ALONE = "Who gives a finding to themselves, or had a part in the use that it is about, gives it {} days at most. Somebody else may move the date."
NOT_PASSED = "Its control test has not passed since the answer. Have it run again, or close it without and say why."


@action(event="finding.raised", refused="finding.act_refused")
def raise_finding(
    *,
    by: Actor,
    kind: str,
    title: str,
    about: str,
    details: str = "",
    case: str = "",
    system: System | None = None,
    owner: Person | None = None,
    due_at: datetime | None = None,
    test_id: str = "",
    source_event: UUID | None = None,
    source_index: int | None = None,
    quietly: bool = False,
) -> Finding:
    """Write down what is to be put right, and tell its owner, or the owner of the system while it has none.

    ``about`` is the id of the review, grant, session or window; ``title`` goes into the log in clear, so it names no
    person; ``details`` may. With an owner it has a date, ten days ahead unless one is given. ``quietly``: tell nobody,
    because they were told of the like a moment ago.

    Raises:
        NotAllowed: this person may not raise findings on the system.
        RefusedByPolicy: the date lies further ahead than a year, or than the usual days where somebody gives it to themselves.
    """
    may_raise(by, system)
    at = now()
    due = (due_at or at + days(USUAL)) if owner else None
    if owner and due_at:
        _ahead(due_at, system)
        _not_alone(by, owner, due_at, case, system)
    row = Finding.objects.create(
        kind=kind, test_id=test_id, about=about, case=case, system=system, source_event=source_event, title=title[:200],
        details=details, state=ASSIGNED if owner else RAISED, raised_at=at, owner=owner, due_at=due,
    )  # fmt: skip
    if not quietly:
        _tell(by, row, _recipients(row, owner or (system.owner if system else None)))
    append(
        "finding.raised", by=by, case=case, subject=row.log_subject, finding_id=row.pk, kind=kind, test_id=test_id or None,
        about_id=about, system_id=system.pk if system else None, source_index=source_index, title=row.title,
        owner_id=owner.pk if owner else None, due_at=optional_ms(due), assigned_at=ms(at) if owner else None,
        details=details or None,
    )  # fmt: skip
    return row


@action(event="finding.assigned", refused="finding.act_refused")
def assign(*, by: Actor, finding: Finding, owner: Person, due_at: datetime | None = None) -> Finding:
    """Give it an owner, and a date where it has none. A date that it has stays, also one that is over, or comes sooner; `move_due` alone puts it off.

    Raises:
        NotAllowed: neither owner nor administrator of the system.
        RefusedByPolicy: the date cannot be set by this person; the new owner has left, or moved the date before.
        WrongState: they own it already, or it was answered.
    """
    row = _locked(finding)
    may_assign(by, row)
    due_at = due_at or row.due_at
    if due_at is None:
        raise RefusedByPolicy("Say by when.", about=row)
    if owner.left_at is not None:
        raise RefusedByPolicy("That person has left.", about=row)
    if row.owner_id == owner.pk:
        raise WrongState("That person owns this finding already. To change its date, move the date.", about=row)
    _not_alone(by, owner, due_at, row.case if row.due_at is None else "", row)
    if due_at != row.due_at:
        _ahead(due_at, row)
    if row.due_at is not None and due_at > row.due_at:
        raise RefusedByPolicy(NO_LATER, about=row, kind="date put off")
    if str(owner.pk) in past_of(row).movers:
        raise RefusedByPolicy(
            "That person moved the date of this finding, so it is not theirs to put right.", about=row
        )
    make(row, MOVES["assign"], says="This finding was answered or closed already.", owner=owner, due_at=due_at)
    _tell(by, row, Recipients(people=[owner], addresses=()))
    append(
        "finding.assigned", by=by, case=row.log_case, subject=row.log_subject, finding_id=row.pk, owner_id=owner.pk,
        due_at=ms(due_at),
    )  # fmt: skip
    return row


@action(event="finding.answered", refused="finding.act_refused")
def answer(*, by: Actor, finding: Finding, cause: str, response: str, proof: str = "") -> Finding:
    """The owner says what it came from, what is done about it, and where one sees that. May be said better until it is closed."""
    row = _locked(finding)
    may_answer(by, row)
    cause, response = cause.strip(), response.strip()
    if not cause or not response:
        raise RefusedByPolicy("Say both: what it came from, and what is done about it.", about=row)
    proof = proof.strip()
    make(row, MOVES["answer"], says=DONE, cause=cause, response=response, proof=proof, answered_at=now())
    append(
        "finding.answered", by=by, case=row.log_case, subject=row.log_subject, finding_id=row.pk, cause=cause,
        response=response, cause_given=True, response_given=True, proof=proof or None, proof_given=bool(proof),
    )  # fmt: skip
    return row


@action(event="finding.due_moved", refused="finding.act_refused")
def move_due(*, by: Actor, finding: Finding, due_at: datetime, reason: str = "") -> Finding:
    """Another person than whoever owns or owned it gives it another date.

    Raises:
        NotAllowed, StepUpNeeded: see `portal.findings.rules`, and without a fresh second factor.
        WrongState: it is closed, or has no date.
        RefusedByPolicy: the date does not lie ahead, or lies too far.
    """
    row = _locked(finding)
    may_move_due(by, row)
    need_fresh(by, about=row)
    if row.state == CLOSED or row.due_at is None:
        raise WrongState(DONE if row.state == CLOSED else "This finding has no owner and no date yet.", about=row)
    _ahead(due_at, row)
    row.due_at = due_at
    row.save(update_fields=["due_at"])
    append(
        "finding.due_moved", by=by, case=row.log_case, subject=row.log_subject, finding_id=row.pk, due_at=ms(due_at),
        extended_by=by.id, reason=reason.strip() or None,
    )  # fmt: skip
    return row


@action(event="finding.closed", refused="finding.act_refused")
def close(*, by: Actor, finding: Finding, retest_ok: bool, comment: str = "") -> Finding:
    """Another person than its owner looked at it again. Without a passed retest, they say why it is closed.

    Where a control test stands behind the finding, only that test, run again on the log since the answer, passes it.

    Raises:
        NotAllowed, StepUpNeeded: see `portal.findings.rules`, and without a fresh second factor.
        RefusedByPolicy: no retest passed, and no reason was given; WrongState: it is not answered.
    """
    row = _locked(finding)
    may_close(by, row)
    need_fresh(by, about=row)
    if retest_ok and row.test_id and not passed(row):
        raise RefusedByPolicy(NOT_PASSED, about=row, kind="not retested")
    if not retest_ok and not comment.strip():
        raise RefusedByPolicy("Say why it is closed although no retest passed.", about=row)
    make(row, MOVES["close"], says="Only a finding that was answered can be closed, once.", closed_at=now())
    append(
        "finding.closed", by=by, case=row.log_case, subject=row.log_subject, finding_id=row.pk, retest_ok=retest_ok,
        comment=comment.strip() or None,
    )  # fmt: skip
    return row


@action(event="finding.retest_asked", refused="finding.act_refused")
def ask_retest(*, by: Actor, finding: Finding) -> Finding:
    """Have the control test of the finding run again, over what happened since its answer. The result comes back in the log.

    Raises:
        NotAllowed: who neither owns it nor may close it; WrongState: it is not answered; RefusedByPolicy: it has no test;
        ChangedMeanwhile: it was asked for a moment ago.
    """
    row = _locked(finding)
    may_ask_retest(by, row)
    if row.state != ANSWERED:
        raise WrongState("Only a finding that was answered is tested again.", about=row)
    if not row.test_id:
        raise RefusedByPolicy("No control test stands behind this finding: somebody looks at it again.", about=row)
    if waits(row):
        raise ChangedMeanwhile("The test is being run already.", about=row)
    append(
        "finding.retest_asked", by=by, case=row.log_case, subject=row.log_subject, finding_id=row.pk, retest_id=uuid4(), test_id=row.test_id,
        about_id=row.about, system_id=row.system_id, since=ms(row.answered_at or row.raised_at),
    )  # fmt: skip
    return row


def _locked(finding: Finding) -> Finding:
    """Its owner is read afterwards: joined to the row as it was before it was waited for, one who was named meanwhile would be nobody."""
    rows = Finding.objects.select_for_update(of=("self",)).select_related("system__owner")
    return rows.get(pk=finding.pk)


def _ahead(due_at: datetime, about: Finding | System | None) -> None:
    trouble = trouble_with(due_at, now())
    if trouble:
        raise RefusedByPolicy(trouble, about=about)


def _not_alone(by: Actor, owner: Person, due_at: datetime, case: str, about: Finding | System | None) -> None:
    """More than the usual days is another person's word. ``case``: of what is given its first date."""
    if due_at > now() + days(USUAL) and (str(owner.pk) == by.id or is_concerned(by, case)):
        raise RefusedByPolicy(ALONE.format(days(USUAL).days), about=about, kind="own date")


def _recipients(row: Finding, person: Person | None) -> Recipients:
    """The person, beside whom the system's policy names for such findings; the security list where nobody is known who would be concerned."""
    people = [person] if person else list(administrators()) if row.kind in OF_THE_PORTAL else []
    if person and person.left_at:
        people += owner_told(row.system) if row.system else administrators()
    if row.kind in ALERTED and row.system is not None:
        return of_system(ALERTED[row.kind], row.system, also=people)
    return Recipients(people=people, addresses=() if person else tuple(settings.PORTAL_SECURITY_LIST))


def _tell(by: Actor, row: Finding, to: Recipients) -> None:
    tell(
        by=by, **to, kind="finding.raised",
        case=row.case, about=row.log_subject, path=f"/findings/{row.pk}/",
        facts={
            "title": row.title, "system": row.system.name if row.system else "", "details": row.details,
            "due_at": row.due_at, "test": row.test_id,
        },
    )  # fmt: skip
