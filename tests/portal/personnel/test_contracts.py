"""The contract of somebody of another company ends, and with it, that day, all that rests on it: no personnel list is waited for."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from audit.log.append import LogUnavailable, process
from audit.log.read import of_subject
from portal.access_requests.queries import would_end
from portal.clock import ms, now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed
from portal.grants import ending
from portal.grants.narrowing import note_contract_end
from portal.notifications.messages import message_of
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.people.sponsoring import begin, sponsor
from portal.personnel.sweep import end_contracts_due
from tests.factories import broken_log
from tests.worlds import World, actor, make_world, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> Iterator[World]:
    """Ann works for another company; Mo answers for her, and her contract ends tomorrow."""
    with sealing():
        made = make_world()
        RoleAssignment.objects.filter(person__in=[made.pia, made.quinn]).update(system=None)
        begin(made.ann, made.mo, now() + DAY, now())
        yield made


def left_of(person: Person) -> list[str]:
    rows = [*RoleAssignment.objects.filter(person=person), *Eligibility.objects.filter(person=person)]
    return [each.ended_cause for each in rows]


def test_everything_ends_the_day_it_is_reached_and_the_end_is_read_back(world: World) -> None:
    grant, at = opened(world), now()
    assert end_contracts_due(at + DAY - timedelta(minutes=1)) == 0
    assert left_of(world.ann) == ["", ""]
    assert [end_contracts_due(at + DAY + timedelta(minutes=each)) for each in (1, 2)] == [1, 0]
    assert left_of(world.ann) == ["contract ended"] * 2
    assert ending.run(grant.pk).state == "ended"  # which it is only once the target was read back
    (revoked,) = of_subject(grant.log_subject, ["grant.revoked"])
    assert revoked.says("reason") == "The person's contract has ended."
    contract = world.ann.sponsorships.get()
    (over,) = of_subject(world.ann.log_subject, ["person.contract_ended"])
    assert over.fields == {
        "person_id": str(world.ann.pk), "sponsor_id": str(world.mo.pk), "contract_end": ms(contract.contract_end),
    }  # fmt: skip
    (told,) = Alert.objects.filter(kind="person.contract_ended")
    assert (told.recipient, told.facts) == (world.mo, {"person": "Ann", "ended_at": ms(contract.contract_end)})
    assert "The contract of Ann ended" in message_of(told).text
    world.ann.refresh_from_db()
    assert world.ann.left_at is None, "the contract may be prolonged"
    assert left_of(world.ben) == ["", ""]


def test_administrators_are_told_where_who_answered_has_left(world: World) -> None:
    Person.objects.filter(pk=world.mo.pk).update(left_at=now())
    assert end_contracts_due(now() + 2 * DAY) == 1
    told = Alert.objects.filter(kind="person.contract_ended")
    assert {each.recipient for each in told} == {world.pia, world.quinn}
    assert {tuple(each.facts["gone"]) for each in told} == {("Mo",)}


def test_contract_that_was_prolonged_and_a_log_that_is_not_written_end_nothing(world: World) -> None:
    at = now() + 2 * DAY
    with broken_log(), pytest.raises(LogUnavailable):
        note_contract_end(by=process("sweep"), person=world.ann, at=at)
    sponsor(by=actor(world.pia), person=world.ann, sponsor=world.mo, contract_end=now() + 9 * DAY, reason="Prolonged.")
    with pytest.raises(ChangedMeanwhile):
        note_contract_end(by=process("sweep"), person=world.ann, at=at)
    assert (left_of(world.ann), end_contracts_due(at)) == (["", ""], 0)


def test_no_access_outlives_the_contract_and_none_is_asked_for_after_it(world: World) -> None:
    ends = now() + timedelta(minutes=20)
    world.ann.sponsorships.update(contract_end=ends)
    end = would_end(world.ann.pk, world.privilege, 60)
    assert (end.at, end.cut) == (ends, True)
    world.ann.sponsorships.update(contract_end=now())
    with pytest.raises(NotAllowed, match="not on the list"):
        request_of(world)
    assert request_of(world, "ben").state == "awaiting"
