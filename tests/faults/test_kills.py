"""`kill -9` of web, worker, watch and gather at every step of opening and ending, on a real target: no login without a live grant
afterwards, no grant without its events, and what was begun is finished."""

import itertools
import re
import signal
import urllib.error
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest

from audit.log.read import named
from portal import crash_points
from portal.clock import now
from portal.connectors.postgresql import PostgreSQL
from portal.embedded import ports
from portal.grants.models import Grant
from portal.grants.states import MAY_BE_LIVE
from tests.browsing import code_of_device
from tests.counting import Count
from tests.faults.programs import CELERY, Program, running, web
from tests.faults.shops import declare_source, end_at, live_logins, log_in, make_shop, open_anyhow
from tests.faults.visiting import Visitor
from tests.servers import Postgres, running_target, wait_until
from tests.worlds import World, authorised, names_of

pytestmark = pytest.mark.django_db(transaction=True)
OPENING_STEPS = (*crash_points.OF_OPENING[:-2], *PostgreSQL.open_steps, *crash_points.OF_OPENING[-2:])
ENDING_STEPS = (*crash_points.OF_ENDING[:3], *PostgreSQL.close_steps, *crash_points.OF_ENDING[3:])
BY_RETURN = {"due", "over"}  # steps of an expiry, which web does not begin
KILLED = ("web", "worker", "watch")
EVENTS = {
    "active": r"authorised (opening )+activated ",
    "ended": r"authorised (opening )+activated (expired|returned) (closing )+read_back ended ",
}  # by state, grant events in their order


def _plan(process: str, steps: tuple[str, ...]) -> list[tuple[str, str, str]]:
    turns = itertools.cycle(KILLED)
    plan = [(process, step, next(turns)) for step in steps]
    return [
        (process, step, "watch" if killed == "web" and step in BY_RETURN else killed) for process, step, killed in plan
    ]


PLAN = [*_plan(crash_points.OPENING, OPENING_STEPS), *_plan(crash_points.ENDING, ENDING_STEPS)]
IN_EVERY_RUN = {("opening", "role made"), ("ending", "login shut")}


@pytest.fixture(scope="module")
def own_target() -> Iterator[Postgres]:
    with running_target() as server:
        yield server


@dataclass
class Scene:
    """A real target, its portal's sealer, watch and gather as processes, and a responder with a browser."""

    target: Postgres
    world: World
    gather: Program
    port: int = field(default_factory=ports.free_port)

    @property
    def visitor(self) -> Visitor:
        person = self.world.ann
        browser = Visitor(f"http://127.0.0.1:{self.port}", timeout_s=15)
        wait_until(lambda: _answers(browser), "web to answer")
        browser.sign_in(person.email, f"{person.name.lower()}-password-long", lambda: code_of_device(person))
        return browser


def _answers(browser: Visitor) -> bool:
    try:
        return browser.get("/sign-in/").status == 200
    except OSError:
        return False


@pytest.fixture
def scene(own_target: Postgres) -> Iterator[Scene]:
    world = make_shop(own_target)
    declare_source(own_target, world)
    with running("sealer", role="sealer"), running("gather") as gather:
        yield Scene(own_target, world, gather)


@pytest.mark.parametrize(
    ("process", "step", "killed"),
    [
        pytest.param(
            *each, marks=[] if each[:2] in IN_EVERY_RUN else pytest.mark.faults, id="-".join(each).replace(" ", "_")
        )
        for each in PLAN
    ],
)
def test_killed_process_leaves_nothing_open_and_nothing_untold(
    scene: Scene, process: str, step: str, killed: str, count: Count
) -> None:
    grant = (
        _kill_while_opening(scene, step, killed)
        if process == crash_points.OPENING
        else _kill_while_ending(scene, step, killed)
    )
    scene.gather.kill()
    _nothing_strange(scene.target)
    expected = "active" if process == crash_points.OPENING else "ended"
    Grant.objects.filter(next_try_at__isnull=False).update(next_try_at=now())  # as if the pause after a crash were over
    with running("watch", "--only", "sweep") as watch, running("gather"):
        wait_until(lambda: _state(grant) == expected, f"the grant to be {expected}\n{watch.said[-3000:]}", 60)
        _nothing_strange(scene.target)
        grant.refresh_from_db()
        if expected == "active":
            _use(scene, grant)
            end_at(grant, now() + timedelta(seconds=1))
            wait_until(lambda: _state(grant) == "ended", "the grant to be ended", 60)
    assert live_logins(scene.target) == []
    _each_with_its_events()
    count(f"kill -9 of {killed} and gather, {process}: {step}: ended and told")


def test_every_step_of_both_is_killed_and_every_process() -> None:
    assert len(PLAN) >= 20
    assert {step for process, step, _ in PLAN if process == "opening"} == set(OPENING_STEPS)
    assert {step for process, step, _ in PLAN if process == "ending"} == set(ENDING_STEPS)
    assert {(process, killed) for process, _, killed in PLAN} == {
        (process, killed) for process in ("opening", "ending") for killed in KILLED
    }


def _kill_while_opening(scene: Scene, step: str, killed: str) -> Grant:
    if killed == "web":
        with web(scene.port, PORTAL_CRASH_AT=f"opening: {step}") as server:
            visitor = scene.visitor
            _cut_off(visitor, "/requests/bypass/", {"criterion": "outage", "reason": "Writes fail."})
            _dies(server)
        return Grant.objects.get()
    grant = authorised(scene.world)
    _kill_at_work(killed, f"opening: {step}", "portal.grants.open", grant)
    return grant


def _kill_while_ending(scene: Scene, step: str, killed: str) -> Grant:
    grant = open_anyhow(scene.world)
    log_in(scene.target, grant, scene.world).close()
    if killed == "web":
        with web(scene.port, PORTAL_CRASH_AT=f"ending: {step}") as server:
            visitor = scene.visitor
            _cut_off(visitor, f"/grants/{grant.pk}/return/", {}, shown=f"/requests/{grant.request_id}/")
            _dies(server)
        return grant
    end_at(grant, now() + timedelta(milliseconds=300))
    wait_until(lambda: grant.expires_at is not None and grant.expires_at < now(), "the end")
    _kill_at_work(killed, f"ending: {step}", "portal.grants.end", grant)
    return grant


def _kill_at_work(killed: str, place: str, task: str, grant: Grant) -> None:
    if killed == "watch":
        with running("watch", "--only", "sweep", environment={"PORTAL_CRASH_AT": place}) as program:
            _dies(program)
        return
    from portal.celery import app

    app.control.purge()
    with running(
        *CELERY, "worker", "--concurrency", "1", "--without-mingle", environment={"PORTAL_CRASH_AT": place}
    ) as program:
        app.send_task(task, args=(str(grant.pk),))
        _dies(program)
    app.control.purge()


def _cut_off(visitor: Visitor, path: str, fields: dict[str, str], shown: str = "") -> None:
    page = visitor.get(shown or path)
    assert page.status == 200, page.text
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        visitor.post(path, fields, page=page)


def _dies(program: Program) -> None:
    wait_until(lambda: not program.lives(), f"the process to be killed\n{program.said[-3000:]}", 60)
    assert program.process.returncode == -signal.SIGKILL


def _state(grant: Grant) -> str:
    return str(Grant.objects.values_list("state", flat=True).get(pk=grant.pk))


def _nothing_strange(target: Postgres) -> None:
    """No login of which no grant may be live."""
    live = set(live_logins(target))
    assert live <= {
        f"bg_{number}" for number in Grant.objects.filter(state__in=MAY_BE_LIVE).values_list("number", flat=True)
    }


def _each_with_its_events() -> None:
    """Each grant's events are those of its state, once each; no event speaks of a grant that is not there."""
    for grant in Grant.objects.all():
        told = [
            name.removeprefix("grant.")
            for name in names_of(grant.request_id)
            if name.startswith("grant.") and name != "grant.revealed"
        ]
        assert re.fullmatch(EVENTS[grant.state], "".join(f"{name} " for name in told)), (grant.state, told)
    spoken_of = {uuid.UUID(event.fields["grant_id"]) for event in named(["grant.authorised"])}
    assert spoken_of == set(Grant.objects.values_list("pk", flat=True))


def _use(scene: Scene, grant: Grant) -> None:
    with log_in(scene.target, grant, scene.world) as session:
        assert session.execute("SELECT count(*) FROM shop.orders").fetchone() == (4000,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(scene.target.url(grant.login, "guessed", "shop"))
