"""Emergency stops by their pages: who finds what, what is shown before it is done, and what somebody reads who is held up by one."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.log.read import named
from portal.connectors.simulated import activity, controls
from portal.eligibility.models import RoleAssignment
from portal.grants.models import Grant
from portal.grants.targets import target_of
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.stops.models import Stop
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.portal.rotas.set_up import rota_of
from tests.portal.stops.test_stopping import WHY, lift_asked, stop_of
from tests.worlds import World, authorised, make_world, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "ALTER ROLE ann PASSWORD 'hunter2'"


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        made = make_world()
        RoleAssignment.objects.filter(person=made.pia).update(system=None)
        RoleAssignment.objects.filter(person=made.quinn).update(system=None)
        yield made


@pytest.fixture
def other(world: World) -> World:
    return make_world(slug="ledger", on_target="ledger_emergency", people=world.people)


def page(browser: Client, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, answer.content
    return text(answer.content)


def queries_of(browser: Client, address: str) -> int:
    browser.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(address).status_code == 200
    return len(seen)


def at_work(world: World, statement: str = "SELECT pg_sleep(600)") -> Grant:
    """An open access with a session in which something runs."""
    grant = opened(world)
    target = target_of(world.system)
    activity.do(target, activity.log_in(target, login=grant.login), activity.Act(statement))
    return grant


def test_stop_that_is_shown_no_more_is_not_noted_as_looked_at(world: World) -> None:
    stop = stop_of(world)
    assert Alert.objects.filter(path=f"/stops/{stop.pk}/", recipient__in=[world.ben, world.ines]).count() == 2
    RoleAssignment.objects.filter(person=world.ben).delete()
    for who, status in ((world.ben, 404), (world.ines, 200)):
        page(browser_of(who), f"/stops/{stop.pk}/", status)
    assert [event.by for event in named(["alert.seen"])] == [str(world.ines.pk)]


def test_stop_is_started_seen_and_lifted_by_its_pages(world: World) -> None:
    grant = at_work(world)
    request_of(world, "ben", reason=f"{WHY} It waits.")
    mo, pia = browser_of(world.mo), browser_of(world.pia)
    address = f"/systems/{world.system.pk}/stop/"
    before = page(mo, address)
    assert all(
        each in before
        for each in (
            "Ends 1 open access now",
            "SELECT pg_sleep(600)",
            "1 waiting request stays as it is",
            "Ann: Billing",
        )
    )
    assert mo.post(address, {"reason": ""}).status_code == 422
    started = mo.post(address, {"reason": WHY}, follow=True)
    assert "1 access ended and read back" in text(started.content)
    assert Grant.objects.get(pk=grant.pk).state == "ended"
    stop = Stop.objects.get()
    assert mo.get(address).headers["Location"] == f"/stops/{stop.pk}/"
    assert mo.post(f"/stops/{stop.pk}/ask-lift/", {"reason": ""}).status_code == 422
    asked = text(mo.post(f"/stops/{stop.pk}/ask-lift/", {"reason": "It holds."}, follow=True).content)
    assert "Another owner or administrator confirms it." in asked
    assert mo.post(f"/stops/{stop.pk}/lift/").status_code == 403
    assert "Lift the emergency stop: Billing" in page(pia, "/")
    assert "It holds." in page(pia, f"/stops/{stop.pk}/")
    assert pia.post(f"/stops/{stop.pk}/keep/", {}, follow=True).status_code == 200
    mo.post(f"/stops/{stop.pk}/ask-lift/", {"reason": "It really holds."})
    lifted = text(pia.post(f"/stops/{stop.pk}/lift/", follow=True).content)
    assert all(each in lifted for each in ("Mo and Pia", "Lifted by a second person", "Kept in force", "Started"))
    assert "Emergency stop since" not in lifted
    assert "Mo and Pia" in page(mo, "/stops/")


def test_stop_asks_for_the_second_factor_and_keeps_what_was_typed(world: World) -> None:
    mo, address = browser_of(world.mo), f"/systems/{world.system.pk}/stop/"
    stale(world.mo)
    asked = mo.post(address, {"reason": WHY})
    assert "Confirm that it is you" in text(asked.content)
    assert WHY in text(asked.content) or WHY in asked.content.decode()
    assert Stop.objects.count() == 0
    mo.post(address, {"reason": WHY, "code": code_of_device(world.mo)})
    assert Stop.objects.get().reason == WHY


def test_stop_that_the_log_refuses_is_not_started_and_its_reason_not_lost(world: World) -> None:
    mo = browser_of(world.mo)
    mo.get(f"/systems/{world.system.pk}/stop/")
    with broken_log():
        answer = mo.post(f"/systems/{world.system.pk}/stop/", {"reason": WHY})
    assert (answer.status_code, WHY in answer.content.decode(), Stop.objects.count()) == (503, True, 0)


def test_banner_stands_on_pages_of_who_is_concerned_alone(world: World, other: World) -> None:
    stop_of(world)
    zoe = browser_of(world.zoe)
    for name in ("ann", "ines", "kim", "mo", "otto"):
        assert "Emergency stop since" in page(browser_of(world.people[name]), "/")
    assert "Emergency stop since" in page(browser_of(world.ann), "/requests/")
    assert "Emergency stop since" not in page(zoe, "/")
    stop_of(world, "pia", system=None)
    assert "All systems. Nothing is opened there." in page(zoe, "/")


def test_who_is_held_up_reads_what_happened_what_was_kept_and_whom_to_call(world: World, other: World) -> None:
    waiting, ended = request_of(world), authorised(world, reason=f"{WHY} Approved already.")
    rota_of(world, "jon")
    stop_of(world)
    ann, ines = browser_of(world.ann), browser_of(world.ines)
    says = (
        "Mo stopped Billing",
        WHY,
        "What was kept:",
        "Whom to call:",
        "on call by the rota Nights, until",
        "mo@example.org",
    )
    chosen = f"?privilege={world.privilege.pk}"
    assert "An emergency stop is in force: nothing is opened there" in page(ann, "/requests/new/")
    for address in (
        f"/requests/new/{chosen}",
        f"/requests/bypass/{chosen}",
        f"/requests/{waiting.pk}/",
        f"/requests/{ended.request_id}/",
    ):
        assert [each for each in says if each not in page(ann, address)] == [], address
    typed = "Writes fail, and here is all that I know of it, in more than forty characters."
    answer = ann.post(f"/requests/bypass/{chosen}", {"criterion": "outage", "reason": typed})
    told = answer.content.decode()
    assert (answer.status_code, typed in told) == (422, True)
    assert [each for each in (*says, "Call Mo") if each not in text(answer.content)] == []
    assert "What was kept:" in page(ines, f"/requests/{waiting.pk}/")
    refused = ines.post(f"/requests/{waiting.pk}/decide/", {"decision": "approve", "comment": "Go on."})
    assert (refused.status_code, "Call Mo" in text(refused.content)) == (422, True)
    assert "An emergency stop" not in page(ann, f"/requests/new/?privilege={other.privilege.pk}").replace(
        "Emergency stop since", ""
    )


def test_pages_ask_the_same_for_one_row_and_three(world: World, other: World) -> None:
    mo, ann = browser_of(world.mo), browser_of(world.ann)
    opened(world)
    stop = stop_of(world)
    pages = ("/stops/", f"/stops/{stop.pk}/", "/requests/new/", "/")
    before = [queries_of(mo, each) for each in pages], [queries_of(ann, each) for each in pages]
    stop_of(other)
    stop_of(world, "pia", system=None)
    row = Grant.objects.get()
    for number in (7001, 7002):
        request = row.request
        request.pk, request._state.adding = None, True
        request.save(force_insert=True)
        row.pk, row.number, row.request, row._state.adding = None, number, request, True
        row.save(force_insert=True)
    assert ([queries_of(mo, each) for each in pages], [queries_of(ann, each) for each in pages]) == before


def test_revoking_lists_what_would_be_cut_without_secrets(world: World) -> None:
    grant = at_work(world, SECRET)
    mo = browser_of(world.mo)
    shown = page(mo, f"/grants/{grant.pk}/revoke/")
    assert "ALTER ROLE ann PASSWORD '***'" in shown
    assert "hunter2" not in shown
    assert "See what runs there now" in page(mo, f"/requests/{grant.request_id}/")
    controls.write(target_of(world.system), down=True)
    assert "What runs there could not be read." in page(mo, f"/grants/{grant.pk}/revoke/")
    assert "What runs there could not be read." in page(mo, f"/systems/{world.system.pk}/stop/")


@pytest.mark.parametrize("name", ["ann", "ben", "kim", "otto", "zoe"])
def test_what_runs_is_shown_to_nobody_who_may_not_end_it(world: World, name: str) -> None:
    grant = authorised(world)
    person: Person = world.people[name]
    assert browser_of(person).get(f"/grants/{grant.pk}/revoke/").status_code == 404


def test_past_stop_shows_what_it_met_and_no_form(world: World) -> None:
    stop = lift_asked(world)
    from portal.stops import actions
    from tests.worlds import actor

    actions.lift(by=actor(world.pia), stop=stop)
    later = authorised(world)
    shown = page(browser_of(world.mo), f"/stops/{stop.pk}/")
    assert "Nothing was open" in shown
    assert "Ask to lift it" not in shown
    assert str(later.request_id) not in browser_of(world.mo).get(f"/stops/{stop.pk}/").content.decode()
