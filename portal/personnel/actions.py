"""From a file to people who have left or moved: read, looked at, confirmed once or by two. All of it, or nothing."""

import hashlib
from datetime import datetime

from audit.log.append import Actor, action, append
from audit.log.locks import until_commit
from portal.clock import ms, now
from portal.eligibility.queries import owner_told
from portal.errors import RefusedByPolicy
from portal.grants import narrowing
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people import reporting
from portal.people.actions import gone
from portal.people.models import Person
from portal.people.reporting import note_manager
from portal.personnel import rules, words
from portal.personnel.models import PersonnelList
from portal.personnel.plan import Change, Plan, plan_of
from portal.personnel.reading import BrokenList, Line, ReadList, parse_list
from portal.personnel.states import MOVES, READ, UNDECIDED
from portal.rows import lock_row

ONE_AT_A_TIME = 0x62677065  # "bgpe"
DECIDED = "This list was imported or discarded already."
TOUCHES = (
    "person.left", "person.moved", "person.placed", "person.manager_set", "signin.ended", "role.ended", "role.declined",
    "eligibility.revoked", "eligibility.declined", "eligibility.shortened", *narrowing.ENDED_TOO,
)  # fmt: skip


@action(event=("personnel.read", "personnel.discarded"), refused="personnel.act_refused")
def read(*, by: Actor, content: bytes, query: str, taken_at: datetime) -> PersonnelList:
    """Read a list and keep it until somebody decides on it; one that was read before and is not decided on is discarded.

    Args:
        query: How the list was taken: the query, or the name of the report.

    Raises:
        NotAllowed: only administrators, and the operator's command line.
        RefusedByPolicy: the file is broken, each fault with its line; or it is an old one.
    """
    rules.may_read(by)
    _one_at_a_time()
    lines = _parsed(content)
    sha256 = hashlib.sha256(content).hexdigest()
    rules.check_taken(taken_at, sha256)
    if not query.strip():
        raise RefusedByPolicy("Say how the list was taken: the query, or the name of the report.")
    for earlier in PersonnelList.objects.select_for_update().filter(state__in=UNDECIDED):
        _discard(by, earlier, "another list was read")
    row = PersonnelList.objects.create(
        sha256=sha256,
        query=query.strip(),
        taken_at=taken_at,
        rows=len(lines.lines),
        content=content,
        read_at=now(),
        read_by=by.id,
    )
    append(
        "personnel.read", by=by, subject=row.log_subject, list_id=row.pk, sha256=sha256, bytes=len(content), rows=row.rows,
        taken_at=ms(taken_at), query=row.query,
    )  # fmt: skip
    return row


@action(event=("personnel.imported", "personnel.second_asked", *TOUCHES), refused="personnel.act_refused")
def confirm(*, by: Actor, row: PersonnelList, shown: str, leavers: int | None = None) -> PersonnelList:
    """Do what was looked at. Where more than a fifth of the people would leave, a second administrator does it after the first.

    Lists of the last days count with it, so that a large one in slices needs the second administrator as well.

    Args:
        shown: The fingerprint of the plan that was looked at.
        leavers: How many people leave, typed anew; the command line's second look at a large one.

    Raises:
        NotAllowed, StepUpNeeded, WrongState, ChangedMeanwhile: who may not; too late; other people than were looked at.
        RefusedByPolicy: nobody would administer the portal; or the number of leavers is not the one.
    """
    _one_at_a_time()
    locked = lock_row(PersonnelList, row.pk)
    rules.may_confirm(by, locked)
    rules.still_undecided(locked)
    rules.check_taken(locked.taken_at, locked.sha256)
    lines = _parsed(bytes(locked.content or b""))
    plan = _locked_plan(lines)
    rules.check_plan(by, locked, plan, shown)
    if plan.is_large and by.is_person and locked.state == READ:
        return _ask_second(by, locked, plan)
    if plan.is_large and not by.is_person and leavers != len(plan.leavers):
        raise RefusedByPolicy(f"{words.large(plan)} Say how many leave by this one to confirm it.", about=locked)
    return _carry_out(by, locked, plan)


@action(event="personnel.discarded", refused="personnel.act_refused")
def discard(*, by: Actor, row: PersonnelList, cause: str = "discarded") -> PersonnelList:
    """Lay a list aside; nothing was done with it, and the file is not kept."""
    rules.may_read(by)
    return _discard(by, lock_row(PersonnelList, row.pk), cause)


# --- what they share


def _one_at_a_time() -> None:
    until_commit(ONE_AT_A_TIME)
    reporting.one_at_a_time()


def _parsed(content: bytes) -> ReadList:
    try:
        return parse_list(content)
    except BrokenList as broken:
        raise RefusedByPolicy("\n".join(broken.sentences), kind="broken list") from broken


def _locked_plan(lines: ReadList) -> Plan:
    """The plan, and its people locked so that it stays true."""
    before = plan_of(lines)
    touched = [each.person.pk for each in (*before.leavers, *before.movers)]
    list(Person.objects.select_for_update(no_key=True).filter(pk__in=touched).order_by("pk"))
    return plan_of(lines)


def _ask_second(by: Actor, locked: PersonnelList, plan: Plan) -> PersonnelList:
    make(locked, MOVES["ask_second"], says=DECIDED, asked_at=now(), asked_by=by.id)
    append(
        "personnel.second_asked", by=by, subject=locked.log_subject, list_id=locked.pk, sha256=locked.sha256, leavers=len(plan.leavers),
        people=plan.here, lately=plan.lately,
    )  # fmt: skip
    return locked


def _discard(by: Actor, locked: PersonnelList, cause: str) -> PersonnelList:
    make(locked, MOVES["discard"], says=DECIDED, content=None, decided_at=now(), decided_by=by.id)
    append(
        "personnel.discarded", by=by, subject=locked.log_subject, list_id=locked.pk, sha256=locked.sha256, cause=cause
    )
    return locked


def _carry_out(by: Actor, locked: PersonnelList, plan: Plan) -> PersonnelList:
    said = [list(each) for each in words.sentences(plan)]
    for change in sorted(plan.leavers, key=lambda each: each.person.pk):
        gone(by, change.person, change.at, locked.pk)
        narrowing.end_everything_of(by, change.person)
    for change in sorted(plan.movers, key=lambda each: each.person.pk):
        _move(by, locked, change, plan)
    for person, line in plan.placed:
        _place(by, locked, person, line, plan)
    outcome = {**plan.counts(), "unchanged": plan.unchanged, "sentences": said}
    make(locked, MOVES["carry_out"], says=DECIDED, content=None, decided_at=now(), decided_by=by.id, outcome=outcome)
    append(
        "personnel.imported", by=by, subject=locked.log_subject, list_id=locked.pk, sha256=locked.sha256, query=locked.query,
        taken_at=ms(locked.taken_at), rows=locked.rows, asked_by=locked.asked_by or None, **plan.counts(),
    )  # fmt: skip
    return locked


def _move(by: Actor, row: PersonnelList, change: Change, plan: Plan) -> None:
    person, line = change.person, change.line
    assert line is not None  # noqa: S101 - who moved is on the list
    before, person.unit, person.moved_at = person.unit, line.unit, change.at
    person.save(update_fields=["unit", "moved_at"])
    _report_to(by, person, plan)
    ended = narrowing.end_lists_of_one_who_moved(by, person, change.ends_at)
    if ended:
        tell(
            by=by, people=[person, *(who for each in ended for who in owner_told(each.privilege.system))], kind="person.moved",
            about=person.log_subject, path="/",
            facts={"person": person.name, "before": before, "unit": person.unit, "lists": len(ended), "ends_at": max(change.ends_at, now())},
        )  # fmt: skip
    append(
        "person.moved", by=by, subject=person.log_subject, person_id=person.pk, moved_at=ms(change.at), unit=person.unit, before=before,
        list_id=row.pk,
    )  # fmt: skip


def _place(by: Actor, row: PersonnelList, person: Person, line: Line, plan: Plan) -> None:
    if line.unit and not person.unit:
        person.unit = line.unit
        person.save(update_fields=["unit"])
        append(
            "person.placed", by=by, subject=person.log_subject, person_id=person.pk, unit=person.unit, list_id=row.pk
        )
    _report_to(by, person, plan)


def _report_to(by: Actor, person: Person, plan: Plan) -> None:
    """Whom they report to, where the list names somebody of the portal."""
    manager = plan.managers.get(person.pk)
    if manager is not None:
        note_manager(by, person, manager)
