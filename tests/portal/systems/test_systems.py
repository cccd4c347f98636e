"""Systems, privileges and sources: proposed by one, in force by another; secrets stay secret; targets are asked."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from audit.log.append import LogUnavailable
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.people.models import Person
from portal.secrets import decrypt
from portal.systems import actions
from portal.systems.models import Privilege, ProposedChange, System
from portal.systems.targets import target
from tests.factories import broken_log, client_of, fields_of, founders, names_by_subject
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "the portal's own password on the target"


@pytest.fixture
def world() -> World:
    return make_world()


def described(owner: Person, /, **changes: Any) -> dict[str, Any]:
    said = {
        "slug": "payments", "name": "Payments", "criticality": "critical", "personal_data": True, "way_in": "Call the bridge.",
        "connector": "postgresql", "owner": str(owner.pk), "settings": {"host": "localhost", "port": 5432, "dbname": "shop", "user": "portal"},
    }  # fmt: skip
    return said | changes


def registered() -> tuple[Person, Person, System]:
    pia, quinn = founders()
    change = actions.propose(by=actor(pia), kind="register", after=described(quinn), secret=PASSWORD)
    return pia, quinn, actions.approve(by=actor(quinn), change=change)


def test_registering_takes_two_and_keeps_the_password_encrypted_and_bound() -> None:
    pia, quinn = founders()
    change = actions.propose(by=actor(pia), kind="register", after=described(quinn), secret=PASSWORD)
    assert not System.objects.exists()
    system = actions.approve(by=actor(quinn), change=change)
    assert system.secret
    assert PASSWORD.encode() not in bytes(system.secret)
    assert decrypt(system.secret, f"system:{system.pk}") == PASSWORD
    assert target(system).password == target(system).password
    told = fields_of("system.registered", system.log_subject)
    assert (told["owner_id"], told["reads_back"], told["changed_by"], told["approved_by"]) == (
        str(quinn.pk),
        1,
        str(pia.pk),
        str(quinn.pk),
    )
    change.refresh_from_db()
    assert (change.secret, change.system_id, change.decision) == (None, system.pk, "approve")


def test_password_is_in_no_event_and_in_no_row_in_clear() -> None:
    registered()
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM audit_event")
        bodies = [bytes(row[0]) for row in cursor.fetchall()]
        cursor.execute("SELECT value FROM audit_personal_value")
        values = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT coalesce(changes::text, '') FROM auditlog_logentry")
        entries = [row[0] for row in cursor.fetchall()]
    assert len(bodies) > 5
    assert not any(PASSWORD.encode() in body for body in bodies)
    assert not any(PASSWORD in text for text in [*values, *entries])


def test_change_keeps_the_password_unless_a_new_one_is_given() -> None:
    pia, quinn, system = registered()
    for secret, expected in (("", PASSWORD), ("a newer one", "a newer one")):
        change = actions.propose(
            by=actor(quinn),
            kind="change",
            system=system,
            after=described(quinn, way_in=f"Then {expected}"),
            secret=secret,
        )
        system = actions.approve(by=actor(pia), change=change)
        assert system.secret
        assert decrypt(system.secret, f"system:{system.pk}") == expected
    assert fields_of("system.changed", system.log_subject)["changed"] == ["secret", "way_in"]


def test_earlier_proposal_does_not_undo_a_later_change() -> None:
    pia, quinn, system = registered()
    first = actions.propose(by=actor(pia), kind="change", system=system, after=described(quinn, name="First"))
    second = actions.propose(by=actor(pia), kind="change", system=system, after=described(quinn, name="Second"))
    actions.approve(by=actor(quinn), change=second)
    with pytest.raises(ChangedMeanwhile):
        actions.approve(by=actor(quinn), change=first)
    system.refresh_from_db()
    assert system.name == "Second"


def test_privilege_and_source_take_two(world: World) -> None:
    after = {"name": "Read everything", "on_target": "read_all", "description": ""}
    change = actions.propose(by=actor(world.mo), kind="privilege", system=world.system, after=after)
    actions.approve(by=actor(world.pia), change=change)
    assert Privilege.objects.get(on_target="read_all").system_id == world.system.pk
    settings = {
        "log_dir": "/var/log",
        "portal_login": "portal",
        "declared_logins": "app",
        "lateness_ms": 5_000,
        "heartbeat_ms": 60_000,
    }
    change = actions.propose(
        by=actor(world.pia), kind="source", system=world.system, after={"counting": "dense", "settings": settings}
    )
    actions.approve(by=actor(world.quinn), change=change)
    told = fields_of("source.declared", f"source:{world.system.pk}")
    assert (told["source_id"], told["kind"], told["counting"], told["settings"]) == (
        str(world.system.pk),
        "simulated",
        "dense",
        settings,
    )
    assert (told["narrows"], told["changed_by"], told["approved_by"]) == (0, str(world.pia.pk), str(world.quinn.pk))


def privilege_change(world: World, by: str = "pia") -> ProposedChange:
    after = {"name": "More", "on_target": "more", "description": ""}
    return actions.propose(by=actor(world.people[by]), kind="privilege", system=world.system, after=after)


NOT_ALLOWED: dict[str, Callable[[World], Any]] = {
    "proposer approves": lambda w: actions.approve(by=actor(w.pia), change=privilege_change(w)),
    "owner approves": lambda w: actions.approve(by=actor(w.mo), change=privilege_change(w)),
    "outsider proposes": lambda w: privilege_change(w, by="zoe"),
    "approver proposes": lambda w: privilege_change(w, by="ines"),
    "administrator of one system registers": lambda w: actions.propose(
        by=actor(w.pia), kind="register", after=described(w.mo)
    ),
    "auditor tests": lambda w: actions.note_test(by=actor(w.otto), about=w.system, checks=()),
}


@pytest.mark.parametrize("act", NOT_ALLOWED.values(), ids=NOT_ALLOWED)
def test_not_allowed(world: World, act: Callable[[World], Any]) -> None:
    with pytest.raises(NotAllowed):
        act(world)
    assert not Privilege.objects.filter(on_target="more").exists()


def test_stale_second_factor_is_asked_afresh(world: World) -> None:
    with pytest.raises(StepUpNeeded):
        actions.approve(by=actor(world.quinn, age_s=901), change=privilege_change(world))


def test_proposal_is_decided_once_and_kept(world: World) -> None:
    change = privilege_change(world)
    actions.decline(by=actor(world.pia), change=change)
    for again in (actions.approve, actions.decline):
        with pytest.raises(WrongState):
            again(by=actor(world.quinn), change=change)
    assert names_by_subject(world.system.log_subject)[-2:] == ["system.act_refused", "system.act_refused"]


@pytest.mark.parametrize(
    "changes",
    [{"slug": "billing"}, {"connector": "telnet"}, {"owner": "11111111-1111-1111-1111-111111111111"}],
    ids=["doubled", "kind", "owner"],
)
def test_what_cannot_stand_is_refused(world: World, changes: dict[str, Any]) -> None:
    pia, _ = founders()
    with pytest.raises(RefusedByPolicy):
        actions.propose(by=actor(pia), kind="register", after=described(world.mo, **changes))


def test_production_takes_nothing_simulated(world: World, settings: Any) -> None:
    settings.PORTAL_PRODUCTION = True
    pia, _ = founders()
    with pytest.raises(RefusedByPolicy):
        actions.propose(by=actor(pia), kind="register", after=described(world.mo, connector="simulated"))


def test_log_that_cannot_be_written_changes_nothing(world: World) -> None:
    change = privilege_change(world)
    with broken_log():
        for act in (actions.approve, actions.decline):
            with pytest.raises(LogUnavailable):
                act(by=actor(world.quinn), change=change)
        with pytest.raises(LogUnavailable):
            privilege_change(world)
    change.refresh_from_db()
    assert (change.decision, ProposedChange.objects.count(), Privilege.objects.count()) == ("", 1, 1)


# --- pages


def browser(world: World, name: str) -> Client:
    return client_of(world.people[name])


@pytest.mark.parametrize(
    ("name", "listed", "shown", "changes"),
    [("mo", 200, 200, 200), ("pia", 200, 200, 200), ("otto", 200, 200, 404), ("ines", 403, 404, 404), ("ann", 403, 404, 404), ("zoe", 403, 404, 404)],
)  # fmt: skip
def test_owner_teammate_and_outsider(world: World, name: str, listed: int, shown: int, changes: int) -> None:
    page = f"/systems/{world.system.pk}/"
    got = [browser(world, name).get(address).status_code for address in ("/systems/", page, f"{page}change/")]
    assert got == [listed, shown, changes]


@pytest.mark.parametrize("name", ["otto", "ines", "ann", "zoe"])
def test_who_may_not_change_changes_nothing(world: World, name: str) -> None:
    there, change = browser(world, name), privilege_change(world)
    answers = [
        there.post(f"/systems/{world.system.pk}/privileges/new/", {"name": "X", "on_target": "x"}),
        there.post(f"/systems/{world.system.pk}/source/", {"counting": "none"}),
        there.post(f"/systems/{world.system.pk}/test/"),
        there.post(f"/privileges/{world.privilege.pk}/dry-run/", {"minutes": 5}),
        there.post(f"/changes/{change.pk}/decide/", {"decision": "approve"}),
        there.post(f"/changes/{change.pk}/test/"),
        there.post("/systems/new/postgresql/", {}),
    ]
    assert {answer.status_code for answer in answers} == {403}
    change.refresh_from_db()
    assert (change.decision, ProposedChange.objects.count()) == ("", 1)


def test_system_is_registered_in_the_browser_by_two_people() -> None:
    pia, quinn = founders()
    first, second = client_of(pia), client_of(quinn)
    said = {
        "name": "Payments", "slug": "payments", "owner": quinn.pk, "criticality": "critical", "host": "localhost", "port": "1", "dbname": "shop",
        "user": "portal", "password": PASSWORD, "sslmode": "prefer", "databases": "shop, audit",
    }  # fmt: skip
    made = first.post("/systems/new/postgresql/", said).headers["Location"]
    page = second.get(made).content.decode()
    assert "a new one, hidden" in page
    assert PASSWORD not in page
    assert "connection" in second.post(f"{made}test/").content.decode()
    answer = second.post(f"{made}decide/", {"decision": "approve"})
    system = System.objects.get()
    assert answer.headers["Location"] == f"/systems/{system.pk}/"
    assert system.settings["databases"] == ["shop", "audit"]
    shown = first.get(f"/systems/{system.pk}/change/").content.decode()
    assert PASSWORD not in shown
    assert 'value="shop, audit"' in shown


def test_connection_test_and_dry_run_answer_in_sentences(world: World) -> None:
    there = browser(world, "mo")
    tested = there.post(f"/systems/{world.system.pk}/test/").content.decode()
    assert "Connection test" in tested
    assert fields_of("connector.tested", world.system.log_subject)["ok"] == 1
    dry = there.post(f"/privileges/{world.privilege.pk}/dry-run/", {"minutes": "30"}).content.decode()
    assert "Nothing was changed." in dry
    assert there.post(f"/privileges/{world.privilege.pk}/dry-run/", {"minutes": "9999"}).status_code == 422


def test_target_that_is_down_is_told_and_on_record() -> None:
    pia, _, system = registered()
    system.settings = {**system.settings, "port": 1}
    system.save()
    page = client_of(pia).post(f"/systems/{system.pk}/test/")
    assert page.status_code == 200
    assert fields_of("connector.tested", system.log_subject)["ok"] == 0


def test_hostile_text_is_inert(world: World) -> None:
    there, hostile = browser(world, "mo"), '<img src=x onerror="alert(1)">'
    made = there.post(
        f"/systems/{world.system.pk}/privileges/new/", {"name": hostile, "on_target": "x", "description": hostile}
    )
    page = there.get(made.headers["Location"]).content.decode()
    assert hostile not in page
    assert "&lt;img src=x" in page
    for bad in ("a\x00b", "a\u202eb", "x" * 1_000_000):
        answer = there.post(f"/systems/{world.system.pk}/privileges/new/", {"name": bad, "on_target": "x"})
        assert answer.status_code == 422
