"""What a responder may leave on a real target when the time is over: ended, or a finding; never cleaned unseen, never called ended while live."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from audit.log.read import named
from portal.clock import now
from portal.findings import intake
from portal.findings.models import Finding
from portal.grants import actions, sweep
from portal.grants.models import Grant
from tests.faults.shops import address, live_logins, log_in, make_shop, open_anyhow
from tests.servers import Postgres, running_target, wait_until
from tests.worlds import World, actor, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)
MAKER = """
CREATE ROLE role_maker NOLOGIN CREATEROLE;
GRANT shop_support TO role_maker WITH ADMIN OPTION;
GRANT role_maker TO bg_portal WITH ADMIN TRUE, INHERIT FALSE, SET FALSE
"""
STARTING = """
SELECT count(DISTINCT l.pid) FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND a.usesysid IS NULL
"""


@dataclass
class Scene:
    """A target with room for prepared transactions, an open grant on it, and its owner's connection."""

    target: Postgres
    world: World
    grant: Grant
    owner: "psycopg.Connection"

    def session(self, options: str = "") -> "psycopg.Connection":
        return log_in(self.target, self.grant, self.world, options=options)

    def end(self) -> Grant:
        """The time is over, and somebody looks."""
        overdue(self.grant)
        return self.look_again()

    def look_again(self) -> Grant:
        Grant.objects.filter(pk=self.grant.pk, state="closing").update(next_try_at=now())
        sweep.run_due("test")
        self.grant.refresh_from_db()
        return self.grant

    def findings(self) -> list[str]:
        """What the portal found, once the log is sealed: kind and, for drift, what of."""
        wait_until(lambda: named(["grant.read_back"])[-1].index is not None, "the read-back to be sealed")
        intake.run()
        return sorted(Finding.objects.values_list("kind", flat=True))

    @property
    def read_back(self) -> tuple[int, list[str], list[str]]:
        """Of the last one: clear, remainders, drift."""
        fields = named(["grant.read_back"])[-1].fields
        return fields["clear"], fields["remainders"], fields["drift"]


@pytest.fixture(scope="module")
def own_target() -> Iterator[Postgres]:
    with running_target({"max_prepared_transactions": "5"}) as server:
        yield server


@pytest.fixture
def scene(own_target: Postgres) -> Iterator[Scene]:
    with sealing(), psycopg.connect(own_target.url(database="shop"), autocommit=True) as owner:
        world = make_shop(own_target)
        yield Scene(own_target, world, open_anyhow(world), owner)


def test_slow_login_that_begins_before_the_end_never_acts_after_it(scene: Scene) -> None:
    acted: list[str] = []
    way_in = address(scene.target, scene.grant, scene.world)

    def sneak() -> None:
        try:
            with psycopg.connect(way_in, autocommit=True, options="-c post_auth_delay=4") as session:
                session.execute("UPDATE shop.payments SET tries = 99")
                acted.append("acted")
        except psycopg.OperationalError:
            acted.append("cut off")

    thread = threading.Thread(target=sneak)
    thread.start()
    wait_until(lambda: scene.owner.execute(STARTING).fetchone() == (1,), "the slow login to be past its password")
    assert scene.end().state == "ended"
    thread.join()
    assert acted == ["cut off"]
    assert scene.owner.execute("SELECT count(*) FROM shop.payments WHERE tries = 99").fetchone() == (0,)
    assert live_logins(scene.target) == []


def test_kept_session_is_ended_and_counted(scene: Scene) -> None:
    kept, busy = scene.session(), scene.session()
    kept.execute("BEGIN")
    kept.execute("UPDATE shop.payments SET tries = 98")
    assert scene.end().state == "ended"
    for session in (kept, busy):
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        session.close()
    assert named(["grant.read_back"])[-1].fields["sessions_ended"] == 2
    assert scene.owner.execute("SELECT count(*) FROM shop.payments WHERE tries = 98").fetchone() == (0,)


UNENDABLE = {
    "row of the role": "SET ROLE NONE; BEGIN; ALTER ROLE {login} PASSWORD 'x'",
    "lock of the portal": "SELECT pg_advisory_lock(hashtext('bg_portal'), hashtext('{login}'))",
    "table": "BEGIN; LOCK TABLE shop.payments IN SHARE MODE",
}


@pytest.mark.parametrize("held", list(UNENDABLE))
def test_revoked_access_ends_at_the_first_try_whatever_it_holds(scene: Scene, held: str) -> None:
    holder, other = scene.session(), scene.session()
    for each in UNENDABLE[held].format(login=scene.grant.login).split("; "):
        holder.execute(each.encode())
    actions.revoke(by=actor(scene.world.mo), grant=scene.grant, reason="Not now.")
    assert scene.look_again().state == "ended"
    for session in (holder, other):
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        session.close()
    assert (live_logins(scene.target), named(["grant.close_failed"])) == ([], [])


def test_role_that_somebody_else_holds_is_a_finding_and_ends_when_they_let_go(scene: Scene) -> None:
    session = scene.session()
    with psycopg.connect(scene.target.url(database="shop"), autocommit=True) as stranger:
        stranger.execute("BEGIN")
        stranger.execute(f"ALTER ROLE {scene.grant.login} CONNECTION LIMIT 5".encode())
        assert scene.end().state == "closing"
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        session.close()
        scene.look_again()
        assert scene.look_again().state == "closing"
        assert scene.read_back[:2] == (0, ["login"])
        assert scene.findings() == ["not ended"]
        stranger.execute("ROLLBACK")
    assert scene.look_again().state == "ended"


def test_owned_objects_stay_and_are_a_finding(scene: Scene) -> None:
    with scene.session() as session:
        session.execute("SET ROLE NONE")
        session.execute("SELECT lo_create(4711)")
    assert scene.end().state == "ended"
    clear, remainders, drift = scene.read_back
    assert (clear, remainders) == (1, [])
    assert {"owned object", "role kept"} <= set(drift)
    assert scene.findings() == ["drift"]
    # The role stands with its object, and nobody can do anything with it.
    assert scene.owner.execute(
        "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [scene.grant.login]
    ).fetchone() == (False,)
    assert scene.owner.execute("SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 4711").fetchone() == (1,)
    scene.owner.execute("SELECT lo_unlink(4711)")
    scene.owner.execute(f"DROP ROLE {scene.grant.login}".encode())


def test_prepared_transaction_is_left_alone_and_is_a_finding(scene: Scene) -> None:
    with scene.session() as session:
        session.execute("BEGIN")
        session.execute("UPDATE shop.payments SET tries = 97 WHERE id = 1")
        session.execute("PREPARE TRANSACTION 'later'")
    try:
        assert scene.end().state == "ended"
        assert scene.read_back == (1, [], ["prepared transaction"])
        assert scene.findings() == ["drift"]
        assert scene.owner.execute("SELECT gid FROM pg_prepared_xacts").fetchall() == [("later",)]
    finally:
        scene.owner.execute("ROLLBACK PREPARED 'later'")


@pytest.mark.parametrize(
    ("left", "login", "undo"),
    [
        ("CREATE ROLE friend LOGIN PASSWORD 'secret'; GRANT shop_support TO friend", "friend", "DROP ROLE friend"),
        (
            "ALTER ROLE shop_support LOGIN PASSWORD 'mine'",
            "shop_support",
            "ALTER ROLE shop_support NOLOGIN PASSWORD NULL",
        ),
    ],
)
def test_other_login_that_can_act_is_not_called_ended_until_somebody_took_it_away(
    own_target: Postgres, scene: Scene, left: str, login: str, undo: str
) -> None:
    scene.owner.execute(MAKER)
    world = make_shop(
        own_target, "maker", "role_maker", people=scene.world.people, privileges=["shop_support", "role_maker"]
    )
    grant = open_anyhow(world)
    another = Scene(own_target, world, grant, scene.owner)
    with another.session() as session:
        for each in left.split("; "):
            session.execute(each.encode())
    try:
        assert another.end().state == "closing"
        clear, remainders, _ = another.read_back
        assert (clear, "other login" in remainders) == (0, True)
        assert login in grant.last_trouble
        assert login in own_logins(scene.owner)  # told, never torn away unseen
        assert another.look_again().state == "closing"
        assert {"drift", "not_clear"} & set(another.findings())
    finally:
        scene.owner.execute(undo.encode())
    assert another.look_again().state == "ended"
    scene.owner.execute("DROP OWNED BY role_maker; DROP ROLE role_maker")


def own_logins(owner: "psycopg.Connection") -> list[str]:
    """All logins of the target."""
    return [str(row[0]) for row in owner.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin")]
