"""Who is away from a rota: covered, told, ended earlier, each with its event."""

from datetime import timedelta
from typing import Any

import pytest

from audit.log.read import named, of_subject
from portal.clock import ms, now
from portal.eligibility.models import RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.rotas import absences
from portal.rotas.models import Absence, Rota
from portal.rotas.queries import plan_of
from portal.rotas.schedule import on_call
from tests.at_once import at_once
from tests.browsing import browser_of
from tests.portal.access_requests.test_asking import text
from tests.portal.rotas.set_up import rota_of, told
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return make_world()


def test_absence_of_a_member_is_covered_told_and_ended_earlier(world: World) -> None:
    rota, at = rota_of(world), now()
    absence = absences.say_away(by=actor(world.ines), rota=rota, person=world.ines, from_at=at, to_at=at + 3 * DAY)
    assert [on_call(plan_of(rota), now() + each * DAY) for each in (0, 1)] == [str(world.jon.pk)] * 2
    assert told("rota.away") == {"Jon"}
    absences.say_away(by=actor(world.quinn), rota=rota, person=world.jon, from_at=at, to_at=at + DAY)
    assert on_call(plan_of(rota), now()) is None
    (said, others) = of_subject(rota.log_subject, ["rota.away_said"])
    assert (said.fields["person_id"], said.fields["to_at"], others.by) == (
        str(world.ines.pk),
        ms(at + 3 * DAY),
        str(world.quinn.pk),
    )
    with pytest.raises(NotAllowed):
        absences.come_back(by=actor(world.jon), absence=absence)
    absences.come_back(by=actor(world.ines), absence=absence)
    assert on_call(plan_of(rota), now()) == str(world.ines.pk)
    with pytest.raises(WrongState):
        absences.come_back(by=actor(world.ines), absence=absence)


def test_absence_that_was_taken_back_before_it_began_says_nothing(world: World) -> None:
    rota, at = rota_of(world), now()
    absence = absences.say_away(
        by=actor(world.ines), rota=rota, person=world.ines, from_at=at + DAY, to_at=at + 2 * DAY
    )
    absences.come_back(by=actor(world.pia), absence=absence)
    assert plan_of(rota).absences == ()
    with pytest.raises(WrongState):
        absences.come_back(by=actor(world.ines), absence=absence)


def test_absence_of_who_is_on_no_rota_any_more_is_ended_by_an_administrator_of_all_systems(world: World) -> None:
    rota, at = rota_of(world), now()
    absence = absences.say_away(by=actor(world.jon), rota=rota, person=world.jon, from_at=at, to_at=at + DAY)
    Rota.objects.update(members=[str(world.ines.pk)])
    with pytest.raises(NotAllowed, match="say for themselves"):
        absences.come_back(by=actor(world.quinn), absence=absence)
    RoleAssignment.objects.filter(person=world.quinn, role="administrator").update(system=None)
    absences.come_back(by=actor(world.quinn), absence=absence)
    (ended,) = of_subject(f"person:{world.jon.pk}", ["rota.away_ended"])
    assert ended.by == str(world.quinn.pk)


def test_absence_is_refused_to_others_and_for_wrong_times(world: World) -> None:
    rota, at = rota_of(world), now()
    for by, who in (("jon", "ines"), ("kim", "kim"), ("mo", "ines")):
        with pytest.raises(NotAllowed):
            absences.say_away(
                by=actor(world.people[by]), rota=rota, person=world.people[who], from_at=at, to_at=at + DAY
            )
    for from_at, to_at in ((at, at), (at - 2 * DAY, at - DAY), (at - DAY, at + DAY), (at, at + 400 * DAY)):
        with pytest.raises(RefusedByPolicy):
            absences.say_away(by=actor(world.ines), rota=rota, person=world.ines, from_at=from_at, to_at=to_at)
    with pytest.raises(RefusedByPolicy, match="not on the rota"):
        absences.say_away(by=actor(world.pia), rota=rota, person=world.kim, from_at=at, to_at=at + DAY)


def test_absence_begins_at_the_earliest_when_it_is_said(world: World) -> None:
    rota, before = rota_of(world), now()
    minute = before.replace(second=0, microsecond=0)
    absence = absences.say_away(by=actor(world.ines), rota=rota, person=world.ines, from_at=minute, to_at=before + DAY)
    assert before <= absence.from_at <= now()


def test_absence_that_is_sent_many_times_is_said_once(world: World) -> None:
    rota, at = rota_of(world), now() + DAY
    said: dict[str, Any] = {"by": actor(world.ines), "rota": rota, "person": world.ines}
    outcomes = at_once(5, lambda: absences.say_away(**said, from_at=at, to_at=at + DAY))
    assert (sum(isinstance(each, Absence) for each in outcomes), Absence.objects.count()) == (1, 1)
    with pytest.raises(RefusedByPolicy, match="away already"):
        absences.say_away(**said, from_at=at + DAY / 2, to_at=at + 2 * DAY)
    absences.say_away(**said, from_at=at + DAY, to_at=at + 2 * DAY)
    absences.come_back(by=actor(world.ines), absence=Absence.objects.get(from_at=at))
    absences.say_away(**said, from_at=at, to_at=at + DAY)


def test_absence_reaches_rotas_of_another_system_only_by_who_administers_both(world: World) -> None:
    other = make_world(slug="other", people=world.people)
    here, there = rota_of(world), rota_of(other)
    RoleAssignment.objects.filter(person=world.quinn, role="administrator").update(system=world.system)
    at, page = now(), f"/rotas/{here.pk}/"
    said = {"from_at": at, "to_at": at + DAY}
    with pytest.raises(NotAllowed, match="an administrator of each"):
        absences.say_away(by=actor(world.quinn), rota=here, person=world.ines, **said)
    assert "Who is away" not in text(browser_of(world.quinn).get(page).content)
    absence = absences.say_away(by=actor(world.pia), rota=here, person=world.ines, **said)
    with pytest.raises(NotAllowed, match="an administrator of each"):
        absences.come_back(by=actor(world.quinn), absence=absence)
    assert "/end/" not in browser_of(world.quinn).get(page).content.decode()
    assert "/end/" in browser_of(world.pia).get(page).content.decode()
    absences.come_back(by=actor(world.pia), absence=absence)
    for kind in ("rota.away_said", "rota.away_ended"):
        assert {event.subject for event in named([kind])} == {here.log_subject, there.log_subject}
    assert {event.fields["rota_id"] for event in named(["rota.away_said"])} == {str(here.pk), str(there.pk)}
