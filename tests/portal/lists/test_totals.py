"""Lists of what is set up once and looked at seldom: each names its total on its page and is a file there, at the same cost for 1 row and for 3."""

import csv
import io
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.clock import now
from portal.drills.models import Drill
from portal.eligibility.models import ADMINISTRATOR, CUSTODIAN, RoleAssignment
from portal.notifications.channels.webhook import actions as receivers
from portal.notifications.channels.webhook.models import Receiver
from portal.policy.models import PolicyVersion
from portal.sealed import actions as sealed
from portal.stops.models import Stop
from portal.stops.states import LIFTED
from tests.browsing import browser_of
from tests.portal.personnel.listed import content, read
from tests.portal.rotas.set_up import rota_of
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def world() -> World:
    """Pia administers all systems."""
    made = make_world()
    RoleAssignment.objects.filter(person=made.pia, role=ADMINISTRATOR).update(system=None)
    return made


def drill(world: World, number: int) -> None:
    request = request_of(world, reason=f"Writes are failing and the disk {number} is full.")
    Drill.objects.create(request=request, system=world.system, started_at=now())


def account(world: World, number: int) -> None:
    held = {
        "proposed_by": world.pia,
        "proposed_at": now(),
        "approved_by": world.mo,
        "approved_at": now(),
        "from_at": now(),
    }
    RoleAssignment.objects.get_or_create(person=world.lea, role=CUSTODIAN, system=world.system, defaults=held)
    name = f"{FORMULA}{number}"
    sealed.propose(
        by=actor(world.pia), system=world.system, name=name, account=f"vault_{number}", location="The console.", kept_by="custodian",
        custodian=world.lea,
    )  # fmt: skip


def stop(world: World, number: int) -> None:
    asked = {"lift_reason": "Over.", "lift_asked_by": world.mo, "lift_asked_at": now()}
    lifted = {"lifted_by": world.pia, "lifted_at": now(), "state": LIFTED}
    where = None if number == 1 else world.system
    Stop.objects.create(system=where, reason="A copy.", started_by=world.mo, started_at=now(), **asked, **lifted)


def personnel(world: World, number: int) -> None:
    read(world, content(world, more=f"new{number}@example.org,New,Operations,,,"))


def receiver(world: World, number: int) -> None:
    receivers.add(
        by=actor(world.pia), name=f"{FORMULA}{number}", url=f"https://pager{number}.example/", topics=["call"]
    )


def rota(world: World, number: int) -> None:
    rota_of(world, name=f"{FORMULA}{number}")


def policy(world: World, number: int) -> None:
    """The world's own is the first."""
    if number > 1:
        held = PolicyVersion.objects.get(number=1)
        PolicyVersion.objects.create(
            system=world.system, number=number, document=held.document, sha256=held.sha256, written_by=world.pia, written_at=now(),
            review_due_at=held.review_due_at, declined_by=world.mo, declined_at=now(),
        )  # fmt: skip


LISTS: dict[str, tuple[str, str, str, Callable[[World, int], None]]] = {
    "drills": ("/drills/", "mo", "drill", drill), "sealed": ("/sealed/", "pia", "sealed account", account), "stops": ("/stops/", "mo", "stop", stop),
    "personnel": ("/people/lists/", "pia", "list", personnel), "receivers": ("/receivers/", "pia", "receiver", receiver),
    "rotas": ("/rotas/", "pia", "rota", rota), "policies": ("/policies/", "pia", "version of a policy", policy),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_page_names_its_total_and_gives_the_file_at_one_cost(world: World, name: str) -> None:
    where, who, thing, make = LISTS[name]
    browser = browser_of(world.people[who])
    make(world, 1)
    assert f"<strong>1</strong> {thing}</p>" in browser.get(where).content.decode()
    first = _cost(browser, where)
    make(world, 2)
    make(world, 3)
    page = browser.get(where).content.decode()
    total = (
        "<strong>1</strong> of 3 versions of policies</p>" if name == "policies" else f"<strong>3</strong> {thing}s</p>"
    )
    assert (total in page, f'action="/lists/{name}.csv"' in page, _cost(browser, where)) == (True, True, first)
    rows = list(csv.reader(io.StringIO(browser.post(f"/lists/{name}.csv?all=1").getvalue().decode())))
    assert (len(rows), [cell for row in rows for cell in row if cell.startswith("=")]) == (4, [])


def _cost(browser: Client, where: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(where).status_code == 200
    return len(asked)


def test_file_of_stops_says_all_systems_and_that_of_receivers_keeps_retired_ones(world: World) -> None:
    stop(world, 1)
    receiver(world, 1)
    pia = browser_of(world.pia)
    where = list(csv.reader(io.StringIO(pia.post("/lists/stops.csv").getvalue().decode())))[1][1]
    receivers.retire(by=actor(world.pia), receiver=Receiver.objects.get())
    shown, every = (
        len(pia.post(f"/lists/receivers.csv{query}").getvalue().splitlines()) - 1 for query in ("", "?all=1")
    )
    assert (where, shown, every) == ("All systems", 0, 1)
    assert "<strong>0</strong> of 1 receivers" in pia.get("/receivers/").content.decode()
    assert [browser_of(world.mo).post(f"/lists/{name}.csv").status_code for name in ("personnel", "receivers")] == [
        403,
        403,
    ]
