"""Erasing what the log holds of a person: who may, what a hold forbids, and that the log stays whole."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from audit.cases.presenters import line
from audit.cases.reading import record_of
from audit.log.append import append, clock
from audit.log.canonical import encode
from audit.log.commitments import commit
from audit.log.examination import examine
from audit.log.keys import load_verifiers
from audit.log.models import Event, PersonalValue, QueueEntry
from audit.log.read import named
from audit.packs import known as evidence_known
from audit.packs import reading as evidence
from portal.access_requests.models import AccessRequest, Approval
from portal.clock import ms, now
from portal.erasing import actions, carrying_out, holding
from portal.erasing.models import Erasure, LegalHold
from portal.errors import NotAllowed, Refused, RefusedByPolicy, WrongState
from portal.people.models import Person
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.erasing.conftest import EMAIL, NAME, TYPED
from tests.servers import role_url, wait_until
from tests.worlds import World, actor, let_ask, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Asked for by letter."


# NUL in a text, bytes that are no text, no JSON, no map; one that names nobody where a person stands.
ANY_BYTES = (
    b'{"fields":{"a":"\\u0000"}}',
    b"\xff",
    b"",
    b"{",
    b"[]",
    b'{"fields":[]}',
    b'{"fields":{"person_id":{}}}',
    b"[" * 60_000,
)


def confirmed(world: World, person: Person) -> Erasure:
    asked = actions.ask(by=actor(world.pia), person=person, basis="asked", reason=WHY)
    return actions.confirm(by=actor(world.quinn), erasure=asked)


def values() -> list[tuple[str, str, str]]:
    """What is held: event, field, value."""
    return list(PersonalValue.objects.order_by("event__name", "field").values_list("event__name", "field", "value"))


def speaks_of_her(value: str) -> bool:
    return any(word in value for word in (NAME, EMAIL, TYPED))


@pytest.mark.usefixtures("eraser")
@pytest.mark.parametrize("body", ANY_BYTES, ids=list(map(str, range(len(ANY_BYTES)))))
def test_no_bytes_that_somebody_wrote_as_an_entry_end_erasure(world: World, left: Person, body: bytes) -> None:
    for name, field in (("person.added", "email"), ("request.made", "reason"), ("personal_value.erased", "name")):
        event = uuid4()
        Event.objects.create(id=event, name=name, at=1, by="p", subject="entry:x", body=body)
        PersonalValue.objects.create(event_id=event, field=field, salt=b"", value=f"of {EMAIL}")
    erasure = confirmed(world, left)
    assert carrying_out.run_due() == 1
    erasure.refresh_from_db()
    assert (erasure.state, [each for each in values() if speaks_of_her(each[2])]) == ("done", [])


def test_a_case_is_shown_beside_an_entry_that_the_database_cannot_read(asked: AccessRequest) -> None:
    case, event, salt = str(asked.pk), uuid4(), b"s" * 32
    said = {"search_id": "\0", "list": "l", "shared": 1}
    commitments = {"name": commit(salt, "name", "a value"), "query": commit(salt, "query", "q")}
    body: dict[str, Any] = {
        "id": str(event),
        "name": "search.saved",
        "at": ms(now()),
        "by": "p",
        "case": case,
        "fields": said,
    }
    Event.objects.create(
        id=event, name="search.saved", at=body["at"], by="p", case=case, body=encode(body | {"personal": commitments})
    )
    PersonalValue.objects.create(event_id=event, field="name", salt=salt, value="a value")
    record = record_of(case)
    assert record is not None
    assert [each.personal for each in record.events if each.id == event] == [{"name": "a value"}]


@pytest.mark.usefixtures("eraser")
def test_values_about_a_person_go_and_the_log_stays_whole(world: World, left: Person, settings: Any) -> None:
    with sealing():
        request_of(world, "ann")
        before = values()
        erasure = confirmed(world, left)
        assert carrying_out.run_due() == 1
        wait_until(lambda: not QueueEntry.objects.exists(), "everything to be sealed")
    kept = [each for each in before if not speaks_of_her(each[2])]
    after = values()
    assert [each for each in after if speaks_of_her(each[2])] == []
    assert [each for each in kept if each not in after] == [each for each in kept if each[0].startswith("signin.")]
    erased = [
        (event.fields["field"], event.fields["basis"], event.fields["erasure_id"])
        for event in named(["personal_value.erased"])
    ]
    assert sorted(erased) == sorted(
        [("name", "asked", str(erasure.pk)), ("email", "asked", str(erasure.pk)), ("reason", "asked", str(erasure.pk))]
        + [("by_name", "asked", str(erasure.pk))] * Event.objects.filter(by=str(left.pk)).count()
    )
    erasure.refresh_from_db()
    (done,) = named(["erasure.done"])
    assert (erasure.state, done.fields["values"], done.fields["asked_by"], done.fields["approved_by"]) == (
        "done", len(erased), str(world.pia.pk), str(world.quinn.pk),
    )  # fmt: skip
    report = examine(load_verifiers(settings.PORTAL_LOG_PUBLIC_KEY))
    assert (report.ok, report.personal_erased) == (True, len(erased))


@pytest.mark.usefixtures("eraser")
def test_pages_and_evidence_say_when_it_was_erased(world: World, left: Person, asked: AccessRequest) -> None:
    confirmed(world, left)
    with clock(lambda: ms(datetime(2031, 2, 3, 12, tzinfo=UTC))), sealing():
        assert carrying_out.run_due() == 1
        wait_until(lambda: not QueueEntry.objects.exists(), "everything to be sealed")
    here, pseudonym = "(erased on 3 Feb 2031)", str(left.pk)[:8]
    case = record_of(asked.pk)
    assert case is not None
    assert case.case.asked is not None
    assert (case.case.asked.reason, case.names[str(left.pk)]) == (here, f"{here} {pseudonym}")
    assert {line(event, case.names).by for event in case.events if event.by == str(left.pk)} == {f"{here} {pseudonym}"}
    (written,) = list(evidence.of_case(10_000, str(asked.pk), ["request.made"], 1))
    assert (written.says("reason"), evidence_known.known_at(10_000).people[str(left.pk)]) == (here, here)
    sealed = named(["request.made"])[0].index
    assert sealed is not None
    shown = browser_of(world.otto).get(f"/log/{sealed}/").content.decode()
    assert shown.count("<em>erased on <time") == 2


@pytest.mark.usefixtures("eraser")
@pytest.mark.parametrize("held", ["person", "case"])
def test_nothing_is_erased_under_legal_hold_until_two_have_lifted_it(
    world: World, left: Person, asked: AccessRequest, held: str
) -> None:
    erasure = confirmed(world, left)
    thing: dict[str, Person | AccessRequest] = {held: left if held == "person" else asked}
    hold = holding.set_hold(by=actor(world.pia), reason="A court case.", **thing)  # type: ignore[arg-type]  # one of the two
    before = values()
    assert carrying_out.run_due() == 0
    holding.ask_lift(by=actor(world.pia), hold=hold, reason="It is over.")
    with pytest.raises(NotAllowed):
        holding.lift(by=actor(world.pia), hold=hold)
    assert carrying_out.run_due() == 0
    erasure.refresh_from_db()
    assert (erasure.state, [each for each in before if each not in values()]) == ("confirmed", [])
    holding.lift(by=actor(world.quinn), hold=hold)
    assert carrying_out.run_due() == 1
    assert [each for each in values() if speaks_of_her(each[2])] == []


@pytest.mark.usefixtures("eraser")
def test_a_hold_on_somebody_else_keeps_their_words_in_entries_about_the_erased_person(
    world: World, left: Person, asked: AccessRequest
) -> None:
    """An approver's comment in her case speaks of her; the approver is under hold."""
    Approval.objects.create(request=asked, approver=world.mo, decision="decline", comment="Not hers.", decided_at=now())
    with transaction.atomic():
        append("request.declined", by=actor(world.mo), case=str(asked.pk), approval_id=uuid4(), comment="Not hers.")
    erasure = confirmed(world, left)
    hold = holding.set_hold(by=actor(world.pia), person=world.mo, reason="A court case.")
    before = values()
    assert carrying_out.run_due() == 0
    assert ([each for each in before if each not in values()], Approval.objects.get().comment) == ([], "Not hers.")
    assert "Legal holds are in force" in browser_of(world.otto).get(f"/erasing/{erasure.pk}/").content.decode()
    holding.lift(by=actor(world.quinn), hold=holding.ask_lift(by=actor(world.pia), hold=hold, reason="It is over."))
    assert carrying_out.run_due() == 1
    erasure.refresh_from_db()
    assert (erasure.state, [each for each in values() if each[2] == "Not hers."]) == ("done", [])


@pytest.mark.usefixtures("eraser")
@pytest.mark.parametrize("held", ["person", "case", "somebody else"])
def test_a_hold_that_comes_between_the_log_and_the_rows_keeps_the_rows(
    world: World, left: Person, asked: AccessRequest, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eraser's transaction ends first; whoever waited for it sets the hold then. The next run finds no value more, and sees the hold all the same."""
    erasure = confirmed(world, left)
    things: dict[str, Any] = {
        "person": {"person": left},
        "case": {"case": asked},
        "somebody else": {"person": world.pia},
    }
    really = carrying_out._need_still_unheld
    holds: list[LegalHold] = []

    def first(row: Erasure) -> None:
        if not holds:
            with ThreadPoolExecutor(1) as other:
                holds.append(other.submit(_held_by_another, world, things[held]).result())
        really(row)

    monkeypatch.setattr(carrying_out, "_need_still_unheld", first)
    assert carrying_out.run_due() == 0
    assert carrying_out.run_due() == 0
    asked.refresh_from_db()
    erasure.refresh_from_db()
    assert (asked.reason, Person.objects.get(pk=left.pk).name, erasure.state) == (TYPED, NAME, "confirmed")
    if held != "somebody else":  # who is one of the two administrators
        asking = holding.ask_lift(by=actor(world.quinn), hold=holds[0], reason="It is over.")
        holding.lift(by=actor(world.pia), hold=asking)
        assert carrying_out.run_due() == 1


def _held_by_another(world: World, thing: dict[str, Any]) -> LegalHold:
    try:
        return holding.set_hold(by=actor(world.quinn), reason="A court case.", **thing)
    finally:
        connection.close()


def test_nobody_whom_a_hold_concerns_begins_or_ends_its_lifting(world: World) -> None:
    """Of a case: who asked, and who decided. Of a person: that person."""
    let_ask(world, "quinn")
    hers, decided = request_of(world, "quinn"), request_of(world)
    Approval.objects.create(request=decided, approver=world.pia, decision="approve", decided_at=now())
    on_hers, on_decided = (
        holding.set_hold(by=actor(world.pia), case=each, reason="A court case.") for each in (hers, decided)
    )
    on_pia = holding.set_hold(by=actor(world.quinn), person=world.pia, reason="A court case.")
    for hold, who in ((on_hers, world.quinn), (on_decided, world.pia), (on_pia, world.pia)):
        with pytest.raises(NotAllowed) as refused:
            holding.ask_lift(by=actor(who), hold=hold, reason="Mine.")
        assert refused.value.kind == "own"
    for hold, asks, lifts in ((on_hers, world.pia, world.quinn), (on_decided, world.quinn, world.pia)):
        asking = holding.ask_lift(by=actor(asks), hold=hold, reason="It is over.")
        with pytest.raises(NotAllowed) as refused:
            holding.lift(by=actor(lifts), hold=asking)
        assert refused.value.kind == "own"
    page = browser_of(world.pia).get(f"/holds/{on_pia.pk}/").content.decode()
    assert "ask-lift" not in page
    assert "ask-lift" in browser_of(world.quinn).get(f"/holds/{on_pia.pk}/").content.decode()


def test_a_hold_on_a_person_forbids_asking_and_confirming(world: World, left: Person) -> None:
    erasure = actions.ask(by=actor(world.pia), person=left, basis="asked", reason=WHY)
    holding.set_hold(by=actor(world.pia), person=left, reason="A court case.")
    with pytest.raises(RefusedByPolicy) as refused:
        actions.confirm(by=actor(world.quinn), erasure=erasure)
    assert refused.value.kind == "legal hold"
    actions.decline(by=actor(world.pia), erasure=erasure)
    with pytest.raises(RefusedByPolicy):
        actions.ask(by=actor(world.pia), person=left, basis="asked", reason=WHY)


def test_neither_the_person_nor_who_asked_nor_anybody_else_confirms(world: World, left: Person) -> None:
    with pytest.raises(NotAllowed):
        actions.ask(by=actor(world.mo), person=left, basis="asked", reason=WHY)
    erasure = actions.ask(by=actor(world.pia), person=left, basis="asked", reason=WHY)
    for who in (world.pia, world.otto, world.mo, left):
        with pytest.raises(NotAllowed):
            actions.confirm(by=actor(who), erasure=erasure)
    erasure.refresh_from_db()
    assert erasure.state == "asked"


@pytest.mark.parametrize(
    ("basis", "reason", "error"),
    [("asked", " ", RefusedByPolicy), ("fancy", WHY, RefusedByPolicy), ("asked", f"{NAME} wrote.", RefusedByPolicy)],
)
def test_what_is_asked_is_whole_and_names_nobody(
    world: World, left: Person, basis: str, reason: str, error: type[Refused]
) -> None:
    with pytest.raises(error):
        actions.ask(by=actor(world.pia), person=left, basis=basis, reason=reason)
    assert not Erasure.objects.exists()


def test_somebody_who_works_here_is_not_erased(world: World) -> None:
    with pytest.raises(WrongState):
        actions.ask(by=actor(world.pia), person=world.ursula, basis="asked", reason=WHY)


@pytest.mark.usefixtures("eraser")
def test_without_its_events_nothing_is_erased(world: World, left: Person) -> None:
    erasure = confirmed(world, left)
    before = values()
    with broken_log():
        assert carrying_out.run_due() == 0
    erasure.refresh_from_db()
    assert (values(), erasure.state) == (before, "confirmed")


def test_login_of_the_web_tier_erases_nothing(world: World, left: Person, settings: Any) -> None:
    erasure = confirmed(world, left)
    before = values()
    settings.ERASER_DATABASE_URL = role_url("web", connection.settings_dict["NAME"])
    with pytest.raises(DatabaseError):
        carrying_out.carry_out(erasure=erasure)
    assert values() == before


def test_one_hold_of_a_thing_and_no_hold_without_its_event(world: World, left: Person) -> None:
    holding.set_hold(by=actor(world.pia), person=left, reason="A court case.")
    with pytest.raises(RefusedByPolicy):
        holding.set_hold(by=actor(world.quinn), person=left, reason="Another.")
    with broken_log(), pytest.raises(Exception, match="log"):
        holding.set_hold(by=actor(world.pia), person=world.ann, reason="A court case.")
    assert LegalHold.objects.count() == 1
