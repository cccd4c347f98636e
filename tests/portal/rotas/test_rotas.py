"""Rotas by their actions and pages: set up, changed, swapped; told to everybody concerned, each with its event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.append import LogUnavailable
from audit.log.read import named, of_subject
from portal.clock import now
from portal.eligibility import actions as lists
from portal.eligibility.models import RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.notifications.models import Alert
from portal.policy.retiring import retire_rota
from portal.rotas import absences, actions
from portal.rotas.forms import RotaForm, first_values
from portal.rotas.models import Absence, Rota, Swap
from portal.rotas.queries import offers_of, offers_to, plan_of, rotas_of, watches_of
from portal.rotas.schedule import WEEK, holder, on_call, week_at
from tests.at_once import at_once
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.portal.rotas.set_up import rota_of, told, weeks
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return make_world()


def test_rota_is_set_up_and_changed_by_an_administrator_and_its_members_are_told(world: World) -> None:
    rota = rota_of(world)
    assert on_call(plan_of(rota), now()) == str(world.ines.pk)
    (made,) = of_subject(rota.log_subject, ["rota.made"])
    assert (made.by, made.fields["members"], made.fields["weekday"]) == (str(world.pia.pk), rota.members, 0)
    assert told("rota.changed") == {"Ines", "Jon"}
    actions.change(
        by=actor(world.quinn), rota=rota, name="Late", members=[str(world.jon.pk)], weekday=4, hour=18, zone="UTC"
    )
    rota.refresh_from_db()
    assert (rota.name, rota.begins.weekday(), on_call(plan_of(rota), now())) == ("Late", 4, str(world.jon.pk))
    (changed,) = of_subject(rota.log_subject, ["rota.changed"])
    assert (changed.fields["rota"], changed.fields["hour"], changed.fields["zone"]) == ("Late", 18, "UTC")


@pytest.mark.parametrize(
    "said",
    [
        {"name": " "}, {"name": "x" * 61}, {"hour": 24}, {"zone": "Mars/Olympus"}, {"members": []}, {"members": ["zoe"]},
        {"members": ["ines", "ines"]}, {"members": ["ann"]},
    ],
)  # fmt: skip
def test_rota_that_is_none_is_refused(world: World, said: dict[str, Any]) -> None:
    members = [str(world.people[name].pk) for name in said.pop("members", ["ines"])]
    given = {"name": "Nights", "weekday": 0, "hour": 9, "zone": "UTC", **said}
    with pytest.raises(RefusedByPolicy):
        actions.set_up(by=actor(world.pia), system=world.system, members=members, **given)
    assert not Rota.objects.exists()


def test_only_administrators_change_it_freshly_confirmed_and_its_name_stands_once(world: World) -> None:
    for name in ("ines", "mo", "ann"):
        with pytest.raises(NotAllowed):
            actions.set_up(
                by=actor(world.people[name]), system=world.system, name="N", members=[], weekday=0, hour=9, zone="UTC"
            )
    with pytest.raises(StepUpNeeded):
        actions.set_up(
            by=actor(world.pia, age_s=3600), system=world.system, name="N", members=[], weekday=0, hour=9, zone="UTC"
        )  # fmt: skip
    rota_of(world)
    with pytest.raises(RefusedByPolicy, match="of that name"):
        rota_of(world)


def test_who_stands_in_for_an_approver_is_on_no_rota_themselves(world: World) -> None:
    at = now()
    loan = lists.lend_role(by=actor(world.jon), to=world.mo, system=world.system, from_at=at, to_at=at + DAY)
    lists.approve_role(by=actor(world.quinn), assignment=loan)
    with pytest.raises(RefusedByPolicy, match="in their own right"):
        rota_of(world, "ines", "mo")
    assert on_call(plan_of(rota_of(world, "jon")), now()) == str(world.jon.pk)


def test_who_lost_the_role_is_left_out_of_a_change_and_the_others_move_up(world: World) -> None:
    rota = rota_of(world, "ines", "jon")
    RoleAssignment.objects.filter(person=world.ines, role="approver").update(to_at=now())
    change = f"/rotas/{rota.pk}/change/"
    page = browser_of(world.pia).get(change).content.decode()
    form = RotaForm(people=[world.jon], initial=first_values(rota, [world.jon]))
    assert form[f"place_{world.jon.pk}"].value() == "1"
    assert '<option value="1" selected>1.</option>' in page


def test_swap_agreed_before_a_change_stays_over_after_the_next(world: World) -> None:
    rota = rota_of(world)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    actions.take_swap(by=actor(world.ines), swap=swap)
    assert len(plan_of(rota).exchanges) == 1
    for members in (rota.members[::-1], rota.members):
        actions.change(
            by=actor(world.pia), rota=rota, name="Nights", members=members, weekday=0, hour=9, zone="Europe/Berlin"
        )
        rota.refresh_from_db()
        assert plan_of(rota).exchanges == ()


def test_change_of_the_rota_takes_the_offers_back_that_still_waited(world: World) -> None:
    rota = rota_of(world)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    assert (offers_of(rota), offers_to(world.ines)) == ([swap], [swap])
    actions.change(by=actor(world.pia), rota=rota, name="Nights", members=rota.members, weekday=0, hour=9, zone="UTC")
    assert (offers_of(rota), offers_to(world.ines)) == ([], [])
    (withdrawn,) = of_subject(rota.log_subject, ["rota.swap_withdrawn"])
    assert (withdrawn.by, withdrawn.fields["swap_id"]) == (str(world.pia.pk), str(swap.pk))
    with pytest.raises(WrongState):
        actions.decline_swap(by=actor(world.ines), swap=swap)


@pytest.mark.parametrize("which", ["week", "other_week"])
def test_offer_waits_no_longer_than_the_weeks_that_it_is_about(world: World, which: str) -> None:
    rota = rota_of(world)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    plan = plan_of(rota)
    running = week_at(plan, now())
    for number, waits in ((running, [swap]), (running - 1, [])):
        Swap.objects.update(**{which: plan.day_of(number)})
        assert (offers_of(rota), offers_to(world.ines)) == (waits, waits)


@pytest.mark.parametrize("said", [{}, {"decision": "tak"}])
def test_unknown_answer_to_a_swap_answers_nothing(world: World, said: dict[str, str]) -> None:
    rota = rota_of(world)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    assert browser_of(world.ines).post(f"/rotas/swaps/{swap.pk}/", said).status_code == 400
    swap.refresh_from_db()
    assert (swap.state, named(["rota.swap_declined"])) == ("offered", [])


def test_swap_counts_once_the_other_takes_it(world: World) -> None:
    rota = rota_of(world)
    said = weeks(rota, world, "jon", "ines")
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **said)
    first = plan_of(rota)
    assert told("rota.swap_offered") == {"Ines"}
    with pytest.raises(NotAllowed):
        actions.take_swap(by=actor(world.jon), swap=swap)
    actions.take_swap(by=actor(world.ines), swap=swap)
    after = plan_of(rota)
    for day, before, then in ((said["week"], "jon", "ines"), (said["other_week"], "ines", "jon")):
        number = first.number_of(day)
        assert number is not None
        assert [holder(each, number) for each in (first, after)] == [
            str(world.people[name].pk) for name in (before, then)
        ]
    (taken,) = of_subject(rota.log_subject, ["rota.swap_taken"])
    assert (taken.by, taken.fields["offered_by"], taken.fields["week"]) == (
        str(world.ines.pk), str(world.jon.pk), said["week"].isoformat(),
    )  # fmt: skip
    assert told("rota.swap_answered") == {"Jon"}


@pytest.mark.parametrize("how", ["declined", "withdrawn"])
def test_swap_that_is_declined_or_taken_back_changes_nothing_and_is_answered_once(world: World, how: str) -> None:
    rota = rota_of(world)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    if how == "declined":
        actions.decline_swap(by=actor(world.ines), swap=swap)
    else:
        actions.withdraw_swap(by=actor(world.jon), swap=swap)
    with pytest.raises(WrongState):
        actions.take_swap(by=actor(world.ines), swap=swap)
    swap.refresh_from_db()
    assert (swap.state, plan_of(rota).exchanges) == (how, ())
    assert [event.name for event in of_subject(rota.log_subject)][-2:] == [f"rota.swap_{how}", "rota.act_refused"]


def test_swap_of_weeks_that_are_not_held_or_over_or_far_is_refused(world: World) -> None:
    rota = rota_of(world)
    said = weeks(rota, world, "jon", "ines")
    plan = plan_of(rota)
    over = plan.day_of(week_at(plan, now()) - 1)
    for wrong in (
        {**said, "week": said["other_week"]}, {**said, "week": over}, {**said, "other_week": said["week"] + 2 * WEEK},
        {**said, "other_week": said["other_week"] + 60 * WEEK}, {**said, "week": said["week"] + DAY}, {**said, "other_week": said["week"] + DAY},
    ):  # fmt: skip
        with pytest.raises(RefusedByPolicy):
            actions.offer_swap(by=actor(world.jon), rota=rota, **wrong)
    with pytest.raises(NotAllowed):
        actions.offer_swap(by=actor(world.kim), rota=rota, **said)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **said)
    with pytest.raises(RefusedByPolicy, match="offered already"):
        actions.offer_swap(by=actor(world.jon), rota=rota, **said)
    actions.change(
        by=actor(world.pia), rota=rota, name="Nights", members=rota.members[::-1], weekday=0, hour=9, zone="Europe/Berlin"
    )  # fmt: skip
    with pytest.raises(RefusedByPolicy, match="held by somebody else"):
        actions.take_swap(by=actor(world.ines), swap=swap)


def test_fifty_takers_at_once_take_it_once(world: World) -> None:
    rota = rota_of(world)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    outcomes = at_once(50, lambda: actions.take_swap(by=actor(world.ines), swap=swap))
    assert [sum(isinstance(each, kind) for each in outcomes) for kind in (Swap, RefusedByPolicy)] == [1, 49]
    assert len(of_subject(rota.log_subject, ["rota.swap_taken"])) == 1


def test_alert_of_a_rota_that_is_shown_no_more_is_not_noted_as_seen(world: World) -> None:
    rota = rota_of(world)
    RoleAssignment.objects.filter(person=world.jon).update(to_at=now())
    jon, ines = (browser_of(world.people[name]) for name in ("jon", "ines"))
    assert [each.get(f"/rotas/{rota.pk}/").status_code for each in (jon, ines)] == [404, 200]
    assert [event.by for event in named(["alert.seen"])] == [str(world.ines.pk)]


def test_rota_is_retired_and_its_history_stays(world: World) -> None:
    rota = rota_of(world)
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    Alert.objects.all().delete()
    for who, error in ((actor(world.ines), NotAllowed), (actor(world.pia, age_s=3600), StepUpNeeded)):
        with pytest.raises(error):
            retire_rota(by=who, rota=rota)
    page, (pia, ines) = f"/rotas/{rota.pk}/", (browser_of(world.people[name]) for name in ("pia", "ines"))
    assert ["Retire it" in each.get(page).content.decode() for each in (pia, ines)] == [True, False]
    assert pia.post(f"{page}retire/").headers["Location"] == page
    retired, taken_back = (of_subject(rota.log_subject, [kind]) for kind in ("rota.retired", "rota.swap_withdrawn"))
    assert [(each.by, each.fields["rota"]) for each in retired] == [(str(world.pia.pk), "Nights")]
    assert [each.fields["swap_id"] for each in taken_back] == [str(swap.pk)]
    assert told("rota.retired") == {"Ines", "Jon"}
    assert (rotas_of(world.system), watches_of(world.ines, now())) == ([], [])
    shown = text(ines.get(page).content)
    assert ("by Pia. Nobody is woken by it." in shown, "1. Ines" in shown) == (True, True)
    assert "Out of use Billing: Nights retired" in text(ines.get("/rotas/").content)
    assert rota_of(world).name == rota.name  # the name is free again


def test_nothing_changes_in_a_rota_that_is_retired(world: World) -> None:
    rota = rota_of(world)
    said, at = weeks(rota, world, "jon", "ines"), now()
    retire_rota(by=actor(world.quinn), rota=rota)
    acts: tuple[Callable[[], object], ...] = (
        lambda: retire_rota(by=actor(world.pia), rota=rota),
        lambda: actions.change(
            by=actor(world.pia), rota=rota, name="Late", members=rota.members, weekday=0, hour=9, zone="UTC"
        ),
        lambda: actions.offer_swap(by=actor(world.jon), rota=rota, **said),
        lambda: absences.say_away(
            by=actor(world.jon), rota=Rota.objects.get(), person=world.jon, from_at=at, to_at=at + DAY
        ),
    )
    for act in acts:
        with pytest.raises(WrongState, match="was retired"):
            act()
    assert browser_of(world.pia).get(f"/rotas/{rota.pk}/change/").status_code == 409


@dataclass
class Case:
    """Something of each kind that can be acted on."""

    world: World
    rota: Rota
    swap: Swap
    absence: Absence


ACTS: tuple[Callable[[Case], object], ...] = (
    lambda case: actions.take_swap(by=actor(case.world.ines), swap=case.swap),
    lambda case: actions.decline_swap(by=actor(case.world.ines), swap=case.swap),
    lambda case: actions.withdraw_swap(by=actor(case.world.jon), swap=case.swap),
    lambda case: absences.come_back(by=actor(case.world.jon), absence=case.absence),
    lambda case: absences.say_away(
        by=actor(case.world.jon), rota=case.rota, person=case.world.jon, from_at=now(), to_at=now() + DAY
    ),
    lambda case: actions.change(
        by=actor(case.world.pia), rota=case.rota, name="Other", members=case.rota.members, weekday=3, hour=1, zone="UTC"
    ),
    lambda case: rota_of(case.world, name="Another"),
    lambda case: retire_rota(by=actor(case.world.pia), rota=case.rota),
)


def test_nothing_changes_where_the_log_does_not_take_it(world: World) -> None:
    rota, at = rota_of(world), now()
    swap = actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    absence = absences.say_away(by=actor(world.jon), rota=rota, person=world.jon, from_at=at, to_at=at + DAY)

    def kept() -> list[object]:
        return [list(model.objects.order_by("pk").values()) for model in (Rota, Swap, Absence, Alert)]

    before = kept()
    for act in ACTS:
        with broken_log(), pytest.raises(LogUnavailable):
            act(Case(world, rota, swap, absence))
        assert kept() == before


def test_pages_let_an_administrator_set_it_up_and_members_swap_and_leave(world: World) -> None:
    pia, ines, jon = (browser_of(world.people[name]) for name in ("pia", "ines", "jon"))
    new = f"/systems/{world.system.pk}/rotas/new/"
    sent = {
        "name": "Nights", "weekday": "0", "hour": "9", "zone": "Europe/Berlin", f"place_{world.ines.pk}": "2", f"place_{world.jon.pk}": "1",
    }  # fmt: skip
    wrong = pia.post(new, {**sent, f"place_{world.ines.pk}": "1"})
    assert (wrong.status_code, "Two people have the same place" in wrong.content.decode()) == (422, True)
    assert pia.post(new, {"name": "Nights", "zone": "Nowhere", "hour": "x"}).status_code == 422
    assert pia.post(new, sent).status_code == 302
    rota = Rota.objects.get()
    page = f"/rotas/{rota.pk}/"
    assert "Jon is on call now" in text(ines.get("/rotas/").content)
    assert "Change it" in pia.get(page).content.decode()
    assert "Change it" not in ines.get(page).content.decode()
    assert pia.post(f"{page}change/", {**sent, "hour": "8"}).status_code == 302
    said = {key: day.isoformat() for key, day in weeks(rota, world, "jon", "ines").items()}
    assert jon.post(f"{page}swap/", {"week": "never"}).status_code == 422
    assert jon.post(f"{page}swap/", said).status_code == 302
    assert "A swap of weeks is offered to you" in text(ines.get("/").content)
    assert "Take it" in text(ines.get(page).content)
    assert ines.post(f"/rotas/swaps/{Swap.objects.get().pk}/", {"decision": "take"}).status_code == 302
    assert (
        jon.post(
            f"{page}away/", {"person": world.jon.pk, "from_at": "2026-01-02T00:00", "to_at": "2026-01-01T00:00"}
        ).status_code
        == 422
    )
    away = {"person": world.jon.pk, "from_at": f"{now():%Y-%m-%dT%H:%M}", "to_at": f"{now() + DAY:%Y-%m-%dT%H:%M}"}
    assert jon.post(f"{page}away/", away).status_code == 302
    assert "Ines in place of Jon, who is away" in text(ines.get(page).content)
    assert jon.post(f"/rotas/absences/{Absence.objects.get().pk}/end/").status_code == 302
    assert "in place of" not in text(ines.get(page).content)


def test_home_says_to_whoever_is_on_call_until_when(world: World) -> None:
    rota, (ines, jon) = rota_of(world), (browser_of(world.people[name]) for name in ("ines", "jon"))
    until = plan_of(rota).starts_at(week_at(plan_of(rota), now()) + 1)
    said = f"You are on call Billing: Nights Until {until:%-d %b %Y, %H:%M} UTC"
    assert said in text(ines.get("/").content)
    assert "You are on call" not in text(jon.get("/").content)
    absences.say_away(by=actor(world.ines), rota=rota, person=world.ines, from_at=now(), to_at=until)
    assert "You are on call" not in text(ines.get("/").content)
    assert said in text(jon.get("/").content)


def test_member_who_is_no_approver_any_more_is_passed_over_and_the_page_says_so(world: World) -> None:
    rota = rota_of(world)
    RoleAssignment.objects.filter(person=world.ines, role="approver").update(to_at=now())
    jon = browser_of(world.jon)
    assert "Jon is on call now" in text(jon.get("/rotas/").content)
    page = text(jon.get(f"/rotas/{rota.pk}/").content)
    assert "Jon in place of Ines, who is no approver any more" in page
    assert "1. Ines is no approver any more, and is passed over" in page


def test_pages_ask_the_same_for_one_and_three(world: World) -> None:
    rota, ines = rota_of(world), browser_of(world.ines)

    tables = [model._meta.db_table for model in (Rota, Swap, Absence)]

    def count(address: str) -> int:
        ines.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert ines.get(address).status_code == 200
        ours = [each["sql"] for each in seen if any(f'FROM "{table}"' in each["sql"] for table in tables)]
        assert len(ours) == len(set(ours))  # nothing of a rota is read twice
        return len(seen)

    absences.say_away(by=actor(world.jon), rota=rota, person=world.jon, from_at=now(), to_at=now() + DAY)
    actions.offer_swap(by=actor(world.jon), rota=rota, **weeks(rota, world, "jon", "ines"))
    pages = ("/rotas/", f"/rotas/{rota.pk}/")
    before = [count(page) for page in pages]
    for name in ("Days", "Weekends"):
        rota_of(world, name=name)
    for days in (5, 9):
        absences.say_away(
            by=actor(world.ines), rota=rota, person=world.ines, from_at=now() + days * DAY, to_at=now() + (days + 1) * DAY
        )  # fmt: skip
    assert [count(page) for page in pages] == before
