"""The lock that keeps two processes off one grant: it goes with its connection, is never left behind, and a process that lost it touches nothing."""

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import DatabaseError, connection

from portal.connectors.base import Opened, Opening, Step, Target, no_step
from portal.connectors.simulated import Simulated
from portal.embedded import ports
from portal.errors import WrongState
from portal.grants import actions, ending, opening
from portal.grants.models import Grant
from portal.grants.targets import LOCK_CLASS, LockLost, alone, target_of
from tests.browsing import code_of_device
from tests.faults.programs import web
from tests.faults.visiting import Visitor
from tests.servers import superuser_url, wait_until
from tests.worlds import REASON, World, actor, authorised, make_world, names_of, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)
LOCKS = """
SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.classid = %s AND d.datname = current_database()
"""


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def _locks() -> int:
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as other:
        found = other.execute(LOCKS, [LOCK_CLASS]).fetchone()
    return int(found[0]) if found else -1


def _cut() -> None:
    """The database ends this thread's connection."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with psycopg.connect(superuser_url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        wait_until(
            lambda: not other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall(),
            "the connection to be cut",
        )


def test_lock_holds_off_a_second_process_and_is_not_left_behind(world: World) -> None:
    grant = opened(world)
    seen: list[bool] = []

    def second() -> None:
        with alone(grant) as held:
            seen.append(held)
        connection.close()

    with alone(grant) as held:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert (held, seen, _locks()) == (True, [False], 1)
    assert _locks() == 0


def test_error_in_a_process_leaves_no_lock(world: World) -> None:
    grant = opened(world)
    with pytest.raises(ZeroDivisionError), alone(grant):
        _ = 1 // 0
    assert _locks() == 0


def test_lock_goes_with_a_lost_connection_and_the_error_is_told_as_it_was(world: World) -> None:
    grant = opened(world)

    def lose_and_fail() -> None:
        _cut()
        assert _locks() == 0
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), alone(grant):
        lose_and_fail()
    connection.close()
    with alone(grant) as held:
        assert held


class Interrupted(Simulated):
    """A target during whose opening something happens, right before or right after the portal looks whether it may go on."""

    def __init__(self, *, before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None) -> None:
        self.before, self.after = before, after

    def open(self, target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
        def told(name: str) -> None:
            if name != "connected":
                return step(name)
            self.before()
            step(name)
            return self.after()

        return super().open(target, opening, step=told)


def _as_another_process(act: Callable[[], object]) -> None:
    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def _end_it(world: World, grant: Grant) -> None:
    actions.revoke(by=actor(world.mo), grant=grant, reason="Not now.")
    assert ending.run(grant.pk).state == "ended"


def _logins(world: World) -> list[str]:
    return [each.login for each in Simulated().list_access(target_of(world.system), [world.privilege.on_target]).logins]


def test_process_that_lost_its_lock_does_not_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = authorised(world)
    with monkeypatch.context() as changed:
        changed.setattr(opening, "connector_of", lambda _: Interrupted(before=_cut))
        with pytest.raises(LockLost):
            opening.run(grant.pk)
    connection.close()
    grant.refresh_from_db()
    assert (grant.state, _logins(world)) == ("opening", [])
    assert opening.run(grant.pk).state == "active"
    assert _logins(world) == [f"bg_{grant.number}"]


def test_what_was_opened_after_the_end_was_read_back_is_closed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The narrow way that is left: the lock is lost, and the grant ended by others, while the target is being changed."""
    grant = authorised(world)

    def lose_and_end() -> None:
        _cut()
        _as_another_process(lambda: _end_it(world, grant))

    with monkeypatch.context() as changed:
        changed.setattr(opening, "connector_of", lambda _: Interrupted(after=lose_and_end))
        with pytest.raises(DatabaseError):
            opening.run(grant.pk)
    connection.close()
    grant.refresh_from_db()
    assert (grant.state, _logins(world), _locks()) == ("ended", [], 0)


def test_opening_of_what_was_ended_meanwhile_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended by another person while the target is being opened, the lock held: the end waits for the lock, then closes."""
    grant = authorised(world)

    def revoke() -> None:
        _as_another_process(lambda: actions.revoke(by=actor(world.mo), grant=grant, reason="Not now."))
        _as_another_process(lambda: ending.run(grant.pk))

    with monkeypatch.context() as changed:
        changed.setattr(opening, "connector_of", lambda _: Interrupted(after=revoke))
        with pytest.raises(WrongState):
            opening.run(grant.pk)
    grant.refresh_from_db()
    assert (grant.state, _logins(world)) == ("closing", [f"bg_{grant.number}"])
    assert (ending.run(grant.pk).state, _logins(world), _locks()) == ("ended", [], 0)


def test_opening_that_was_ended_while_it_waited_touches_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = authorised(world)

    def revoke() -> None:
        _as_another_process(lambda: actions.revoke(by=actor(world.mo), grant=grant, reason="Not now."))

    with monkeypatch.context() as changed:
        changed.setattr(opening, "connector_of", lambda _: Interrupted(before=revoke))
        with pytest.raises(WrongState):
            opening.run(grant.pk)
    assert (_logins(world), ending.run(grant.pk).state) == ([], "ended")


def test_web_threads_that_end_many_at_once_leave_neither_locks_nor_connections(world: World) -> None:
    grants = [opened(world, reason=f"{REASON} Part {number}.") for number in range(8)]
    port = ports.free_port()
    with web(port):
        wait_until(lambda: ports.answers(port), "web to answer")
        ann = Visitor(f"http://127.0.0.1:{port}")
        ann.sign_in(world.ann.email, "ann-password-long", lambda: code_of_device(world.ann))
        pages = [ann.get(f"/requests/{grant.request_id}/") for grant in grants]
        answers: list[int] = []

        def back(place: int) -> None:
            visitor = Visitor(ann.url, ann.jar)
            answers.append(visitor.post(f"/grants/{grants[place % 8].pk}/return/", page=pages[place % 8]).status)

        threads = [threading.Thread(target=back, args=(place,)) for place in range(16)]  # each twice
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200] * 8 + [409] * 8
        wait_until(lambda: not Grant.objects.exclude(state="ended").exists(), "all to be read back")
        wait_until(lambda: (_locks(), _web_connections()) == (0, 0), "locks and connections to be gone")
    assert [names_of(grant.request_id).count("grant.returned") for grant in grants] == [1] * 8
    assert [names_of(grant.request_id).count("grant.ended") for grant in grants] == [1] * 8


def _web_connections() -> int:
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as other:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'breakglass_web'"
        )
        found = other.execute(query).fetchone()
    return int(found[0]) if found else -1
