"""From raised to closed: who may, when, and what the log says of it."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from audit.log.append import Actor, process
from audit.log.read import of_subject
from portal.clock import ms, now
from portal.eligibility.models import RoleAssignment
from portal.errors import NotAllowed, Refused, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings import actions
from portal.findings.models import Finding
from portal.findings.queries import waiting_for
from portal.findings.states import ANSWERED, ASSIGNED, CLOSED, MOVES, RAISED
from portal.notifications.models import Alert
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)
LATER, SOONER = timedelta(days=3), timedelta(days=2)


@pytest.fixture
def world() -> World:
    return make_world()


def raised(world: World, owner: str | None = None, by: Actor | None = None) -> Finding:
    return actions.raise_finding(
        by=by or process("test"), kind="gap", title="Records are missing", about="w-1", details="Of Ann.", system=world.system,
        owner=world.people[owner] if owner else None,
    )  # fmt: skip


def at_state(world: World, state: str) -> Finding:
    """Walked there by the real actions; Ben owns it."""
    row = raised(world)
    if state != RAISED:
        row = actions.assign(by=actor(world.mo), finding=row, owner=world.ben, due_at=now() + LATER)
    if state in (ANSWERED, CLOSED):
        row = actions.answer(by=actor(world.ben), finding=row, cause="A full disk.", response="A bigger one.")
    if state == CLOSED:
        row = actions.close(by=actor(world.mo), finding=row, retest_ok=True)
    return row


def names(row: Finding) -> list[str]:
    return [event.name for event in of_subject(row.log_subject)]


def test_way_from_raised_to_closed_leaves_each_event_once(world: World) -> None:
    row = at_state(world, CLOSED)
    row.refresh_from_db()
    assert (row.state, row.owner, row.cause, row.response) == (CLOSED, world.ben, "A full disk.", "A bigger one.")
    assert names(row) == ["finding.raised", "finding.assigned", "finding.answered", "finding.closed"]
    last = of_subject(row.log_subject)[-1]
    assert (last.fields["retest_ok"], last.by) == (1, str(world.mo.pk))


def test_raising_tells_the_owner_of_the_system_while_nobody_owns_it(world: World) -> None:
    row = raised(world)
    alert = Alert.objects.get()
    assert (alert.recipient, alert.kind, alert.about, alert.path) == (
        world.mo,
        "finding.raised",
        row.log_subject,
        f"/findings/{row.pk}/",
    )


def test_raising_with_an_owner_gives_the_catalogues_ten_days(world: World) -> None:
    row = raised(world, "ben")
    assert row.due_at is not None
    assert (row.state, row.due_at - row.raised_at) == (ASSIGNED, timedelta(days=10))
    fields = of_subject(row.log_subject)[0].fields
    assert (fields["owner_id"], fields["due_at"], fields["assigned_at"]) == (
        str(world.ben.pk),
        ms(row.due_at),
        ms(row.raised_at),
    )
    assert {each.recipient for each in Alert.objects.all()} == {world.ben, world.mo}


def test_details_are_personal_and_the_title_is_not(world: World) -> None:
    event = of_subject(raised(world).log_subject)[0]
    assert (event.fields["title"], event.personal["details"], "details" in event.fields) == (
        "Records are missing",
        "Of Ann.",
        False,
    )


PAIRS = {  # written down by hand: from which states each act is taken
    "assign": {RAISED, ASSIGNED},
    "answer": {ASSIGNED, ANSWERED},
    "due": {ASSIGNED, ANSWERED},
    "close": {ANSWERED},
}
DO = {
    "assign": lambda world, row: actions.assign(
        by=actor(world.mo), finding=row, owner=world.kim, due_at=now() + SOONER
    ),
    "answer": lambda world, row: actions.answer(by=actor(world.ben), finding=row, cause="c", response="r"),
    "due": lambda world, row: actions.move_due(by=actor(world.mo), finding=row, due_at=now() + 2 * LATER),
    "close": lambda world, row: actions.close(by=actor(world.mo), finding=row, retest_ok=True),
}


@pytest.mark.parametrize("state", [RAISED, ASSIGNED, ANSWERED, CLOSED])
@pytest.mark.parametrize("act", PAIRS)
def test_each_act_in_each_state(world: World, act: str, state: str) -> None:
    row = at_state(world, state)
    row.refresh_from_db()
    before = {key: value for key, value in vars(row).items() if not key.startswith("_")}
    written = names(row)
    if state in PAIRS[act]:
        DO[act](world, row)
        assert len(names(row)) == len(written) + 1
        return
    refusal = (
        NotAllowed if (act, state) == ("answer", RAISED) else WrongState
    )  # nobody owns it yet, so nobody may answer
    with pytest.raises(refusal):
        DO[act](world, row)
    row = Finding.objects.get(pk=row.pk)
    assert {key: value for key, value in vars(row).items() if not key.startswith("_")} == before
    assert names(row) == [*written, "finding.act_refused"]


def test_table_of_moves_is_the_one_written_here() -> None:
    assert {name: set(move.sources) for name, move in MOVES.items()} == {name: PAIRS[name] for name in MOVES}


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        ("assign", {"mo", "pia", "quinn"}),
        ("answer", {"ben"}),
        ("due", {"mo", "pia", "quinn"}),
        ("close", {"mo", "pia", "quinn", "kim", "lea"}),
    ],
)
def test_who_may(world: World, act: str, allowed: set[str]) -> None:
    may = set()
    for name, person in world.people.items():
        row, by = at_state(world, ANSWERED if act != "assign" else ASSIGNED), actor(person)
        try:
            if act == "assign":
                actions.assign(by=by, finding=row, owner=world.lea, due_at=now() + SOONER)
            elif act == "answer":
                actions.answer(by=by, finding=row, cause="c", response="r")
            elif act == "due":
                actions.move_due(by=by, finding=row, due_at=now() + 2 * LATER)
            else:
                actions.close(by=by, finding=row, retest_ok=True)
        except NotAllowed:
            continue
        may.add(name)
    assert may == allowed


def test_who_may_raise(world: World) -> None:
    may = set()
    for name, person in world.people.items():
        try:
            raised(world, by=actor(person))
        except NotAllowed:
            continue
        may.add(name)
    assert may == {"ines", "jon", "kim", "lea", "mo", "pia", "quinn"}


@pytest.mark.parametrize("act", ["close", "due"])
def test_owner_of_a_finding_neither_closes_it_nor_moves_its_date(world: World, act: str) -> None:
    row = raised(world, "mo")  # owns the system too
    actions.answer(by=actor(world.mo), finding=row, cause="c", response="r")
    with pytest.raises(NotAllowed) as refusal:
        DO[act](world, row)
    assert refusal.value.kind == "own finding"


@pytest.mark.parametrize("act", ["close", "due"])
def test_who_owned_a_finding_before_neither_closes_it_nor_moves_its_date(world: World, act: str) -> None:
    row = raised(world, "mo")
    actions.assign(by=actor(world.mo), finding=row, owner=world.ben, due_at=now() + timedelta(days=5))
    actions.answer(by=actor(world.ben), finding=row, cause="c", response="r")
    with pytest.raises(NotAllowed) as refusal:
        DO[act](world, row)
    assert refusal.value.kind == "own finding"
    DO[act](dataclasses.replace(world, people={**world.people, "mo": world.pia}), row)  # another who manages the system


@pytest.mark.parametrize("act", ["close", "due"])
def test_who_used_the_access_neither_closes_what_was_found_of_it_nor_moves_its_date(world: World, act: str) -> None:
    request = request_of(world)
    RoleAssignment.objects.filter(person=world.mo, role="owner").update(person=world.ann)  # and she is an owner besides
    row = actions.raise_finding(
        by=actor(world.kim), kind="review", title="Not as asked", about="r-1", case=str(request.pk), system=world.system,
        owner=world.ben,
    )  # fmt: skip
    actions.answer(by=actor(world.ben), finding=row, cause="c", response="r")
    assert (waiting_for(world.ann), waiting_for(world.kim)) == ([], [row])
    with pytest.raises(NotAllowed) as refusal:
        DO[act](dataclasses.replace(world, people={**world.people, "mo": world.ann}), row)
    assert refusal.value.kind == "own use"
    DO[act](world, row)  # who is named as the owner, and did not use it


@pytest.mark.parametrize(("cause", "response"), [("", "r"), ("c", ""), ("  ", "r")])
def test_answer_needs_cause_and_response(world: World, cause: str, response: str) -> None:
    with pytest.raises(RefusedByPolicy):
        actions.answer(by=actor(world.ben), finding=raised(world, "ben"), cause=cause, response=response)


def test_closing_without_a_passed_retest_needs_a_reason(world: World) -> None:
    row = at_state(world, ANSWERED)
    with pytest.raises(RefusedByPolicy):
        actions.close(by=actor(world.mo), finding=row, retest_ok=False, comment=" ")
    assert actions.close(by=actor(world.mo), finding=row, retest_ok=False, comment="Retired.").state == CLOSED


def test_date_lies_ahead_and_the_owner_is_present(world: World) -> None:
    row = raised(world)
    with pytest.raises(RefusedByPolicy):
        actions.assign(by=actor(world.mo), finding=row, owner=world.ben, due_at=now())
    world.ben.left_at = now()
    with pytest.raises(Refused):
        actions.assign(by=actor(world.mo), finding=row, owner=world.ben, due_at=now() + LATER)


def test_assigning_to_the_same_owner_is_no_way_to_move_the_date(world: World) -> None:
    row = at_state(world, ASSIGNED)
    with pytest.raises(WrongState, match="That person owns this finding already"):
        actions.assign(by=actor(world.mo), finding=row, owner=world.ben, due_at=now() + 2 * LATER)


def test_date_cannot_be_put_off_by_giving_the_finding_away_and_taking_it_back(world: World) -> None:
    row, mo, pia = raised(world, "mo"), actor(world.mo), actor(world.pia)
    with pytest.raises(RefusedByPolicy, match="does not put its date off"):
        actions.assign(by=mo, finding=row, owner=world.ben, due_at=now() + timedelta(days=11))
    actions.assign(by=mo, finding=row, owner=world.ben)
    with pytest.raises(NotAllowed, match="is or was their own"):
        actions.move_due(by=mo, finding=row, due_at=now() + timedelta(days=11))
    actions.move_due(by=pia, finding=row, due_at=now() + timedelta(days=11))
    with pytest.raises(RefusedByPolicy, match="moved the date"):
        actions.assign(by=mo, finding=row, owner=world.pia)
    with pytest.raises(RefusedByPolicy, match="10 days at most"):
        actions.assign(by=mo, finding=row, owner=world.mo)
    assert actions.assign(by=mo, finding=row, owner=world.mo, due_at=now() + timedelta(days=9)).owner == world.mo


def test_finding_that_is_overdue_goes_to_somebody_else_with_its_date(world: World) -> None:
    row = raised(world, "ben")
    Finding.objects.filter(pk=row.pk).update(due_at=now() - LATER)
    row.refresh_from_db()
    given = actions.assign(by=actor(world.mo), finding=row, owner=world.kim)
    assert (given.owner, given.due_at) == (world.kim, row.due_at)
    assert of_subject(row.log_subject)[-1].fields["due_at"] == ms(row.due_at or now())


@pytest.mark.parametrize(
    ("owner", "days", "holds"), [("mo", 11, False), ("mo", 9, True), ("ben", 11, True), ("ben", 366, False)]
)
def test_first_date_that_one_gives_oneself_is_the_usual_one_at_most(
    world: World, owner: str, days: int, holds: bool
) -> None:
    row = raised(world)
    given: dict[str, Any] = {"owner": world.people[owner], "due_at": now() + timedelta(days=days)}
    if holds:
        assert actions.assign(by=actor(world.mo), finding=row, **given).due_at == given["due_at"]
        return
    with pytest.raises(RefusedByPolicy):
        actions.assign(by=actor(world.mo), finding=row, **given)


def test_who_had_a_part_in_the_use_gives_others_no_longer_than_usual(world: World) -> None:
    case = str(request_of(world).pk)
    RoleAssignment.objects.filter(person=world.mo, role="owner").update(person=world.ann)
    row = actions.raise_finding(
        by=actor(world.kim), kind="review", title="t", about="r-1", case=case, system=world.system
    )
    with pytest.raises(RefusedByPolicy, match="10 days at most"):
        actions.assign(by=actor(world.ann), finding=row, owner=world.ben, due_at=now() + timedelta(days=11))
    assert (
        actions.assign(by=actor(world.pia), finding=row, owner=world.ben, due_at=now() + timedelta(days=11)).owner
        == world.ben
    )


@pytest.mark.parametrize("act", ["close", "due"])
def test_closing_and_moving_the_date_ask_for_a_fresh_factor(world: World, act: str) -> None:
    row, old = at_state(world, ANSWERED), {"by": actor(world.mo, age_s=16 * 60)}
    tries: dict[str, Any] = {
        "close": (actions.close, {"retest_ok": True}),
        "due": (actions.move_due, {"due_at": now() + 2 * LATER}),
    }
    do, given = tries[act]
    with pytest.raises(StepUpNeeded):
        do(**old, finding=row, **given)
    assert names(row)[-1] == "finding.act_refused"
    DO[act](world, row)


def test_answered_finding_waits_only_for_who_may_close_it(world: World) -> None:
    """Mo owns the system, and owned the finding before it was handed on."""
    row = actions.raise_finding(
        by=actor(world.kim), kind="review", title="Not as asked", about="r-1", case="", system=world.system, owner=world.mo
    )  # fmt: skip
    other = actions.raise_finding(
        by=actor(world.kim), kind="review", title="Nor this", about="r-2", case="", system=world.system, owner=world.ben
    )  # fmt: skip
    actions.assign(by=actor(world.pia), finding=row, owner=world.ben)
    for each in (row, other):
        actions.answer(by=actor(world.ben), finding=each, cause="c", response="r")
    assert (waiting_for(world.mo), waiting_for(world.ben)) == ([other], [row, other])
    assert waiting_for(world.kim) == [row, other]
