"""What the log says becomes findings and alerts: once, whatever runs how often or dies where."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from audit.controls.loading import load_catalogue
from audit.events import catalogue
from audit.log.append import append, process
from audit.log.read import named
from audit.packs import retests
from portal.clock import ms, now
from portal.eligibility.queries import administrators
from portal.findings import actions, causes, intake
from portal.findings.models import Finding
from portal.findings.retests import last_retest
from portal.notifications.models import Alert
from portal.reconciliation.models import IntakePosition, Listing
from tests.at_once import at_once
from tests.servers import wait_until
from tests.worlds import World, actor, authorised, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)
AUDIT = process("gather")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture(autouse=True)
def _sealer() -> Iterator[None]:
    with sealing():
        yield


def say(name: str, *, case: str = "", **fields: Any) -> uuid.UUID:
    """An event as audit writes it, and sealed."""
    with transaction.atomic():
        event = append(name, by=AUDIT, case=case, **fields)

    def sealed() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM audit_sealed_entry WHERE event_id = %s", [event])
            return cursor.fetchone() is not None

    wait_until(sealed, "the event to be sealed")
    return event


def source(world: World) -> dict[str, Any]:
    return {"source_id": world.system.pk, "system_id": world.system.pk}


def orphan(world: World, **changes: Any) -> dict[str, Any]:
    return {
        **source(world), "session_id": uuid.uuid4(), "source_session": "s", "login": "eve", "started_at": ms(now()),
        "why": "undeclared_login", "received_at": ms(now()), **changes,
    }  # fmt: skip


def window(world: World, **changes: Any) -> dict[str, Any]:
    return {
        **source(world), "window_id": uuid.uuid4(), "kind": "grant", "from_at": 0, "to_at": 60_000, "verdict": "gap",
        "reasons": ["numbers missing"], "ranges": ["4-4"], **changes,
    }  # fmt: skip


def read_back(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "grant_id": uuid.uuid4(), "system_id": world.system.pk, "clear": True, "read_at": 1, "read_back_from": "target", "remainders": [],
        "drift": [], "sessions_ended": 0, "attempt": 1, **changes,
    }  # fmt: skip


def close_failed(world: World, **changes: Any) -> dict[str, Any]:
    grant = authorised(world)
    return {"grant_id": grant.pk, "attempt": 3, "code": "Unreachable", "sentence": "The target is busy.", **changes}


def loss(world: World, **changes: Any) -> dict[str, Any]:
    return {
        **source(world),
        "kind": "numbers_missing",
        "from_at": 0,
        "to_at": 1,
        "says": "Line 4 is missing.",
        **changes,
    }


def settings_changed(world: World, **changes: Any) -> dict[str, Any]:
    return {**source(world), "happened_at": 0, "setting": "log_statement", "weakens": True, "value": "none", **changes}


def removal(world: World, **changes: Any) -> dict[str, Any]:
    at = now()
    listing = Listing.objects.create(system=world.system, taken_at=at, answer=[], answer_sha256="0" * 64)
    return {
        "item_id": uuid.uuid4(), "campaign_id": uuid.uuid4(), "listing_id": listing.pk, "read_back_at": 0, "read_back_by": "process:campaigns",
        "access_present": True, **changes,
    }  # fmt: skip


def missed(world: World, **changes: Any) -> dict[str, Any]:
    return {"duty_id": uuid.uuid4(), "kind": "campaign", "system_id": world.system.pk, "due_at": 0, **changes}


TESTS = {
    "session.unmatched": "T-10", "completeness.gap_found": "T-29", "source.loss_found": "T-29", "source.settings_changed": "T-29",
    "grant.close_failed": "T-09", "duty.missed": "T-20",
}  # fmt: skip
RAISING = [
    ("session.unmatched", orphan, {}, "orphan session", "A session on Billing that no grant explains", "Login eve, since"),
    ("completeness.gap_found", window, {}, "gap", "Records of Billing are missing",
     "From 1 Jan 1970, 00:00:00 UTC to 1 Jan 1970, 00:01:00 UTC. Reasons: numbers missing. Missing: 4-4."),
    ("source.loss_found", loss, {}, "loss", "Billing lost records", "Numbers are missing within a session, 1 Jan 1970"),
    ("source.settings_changed", settings_changed, {}, "weaker logging", "Billing logs less: log_statement", "Changed at 1 Jan 1970, 00:00:00 UTC, to none."),
    ("grant.read_back", read_back, {"drift": ["role"], "drift_details": "Role eve is new."}, "drift",
     "Billing is not as it was before a use", "Role eve is new."),
    ("grant.read_back", read_back, {"clear": False, "attempt": 3, "remainders": ["session"]}, "not ended", "An access to Billing could not be ended yet",
     "Closed 3 times. Still on the target: session."),
    ("grant.close_failed", close_failed, {}, "not ended", "An access to Billing could not be ended yet",
     "Tried 3 times. The last time: The target is busy."),
    ("duty.missed", missed, {}, "missed duty", "Billing: campaign was not done by its time", "It was due at 1 Jan 1970"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fields", "changes", "kind", "title", "details"), RAISING)
def test_each_cause_raises_one_finding_and_tells_the_owner_once(
    world: World, name: str, fields: Any, changes: dict[str, Any], kind: str, title: str, details: str
) -> None:
    event = say(name, case="c-1", **fields(world, **changes))
    assert (intake.run(), intake.run()) == (1, 0)
    row = Finding.objects.get()
    assert (row.kind, row.title, row.case, row.system, row.owner) == (kind, title, "c-1", world.system, world.mo)
    assert row.details.startswith(details)
    assert row.source_event == (uuid.uuid5(event, "drift") if kind == "drift" else event)
    told = [alert.recipient for alert in Alert.objects.filter(kind="finding.raised").order_by("address")]
    assert told == (
        [world.mo, None] if kind == "not ended" else [world.mo]
    )  # the security list hears of an end that failed
    (raised,) = named(["finding.raised"])
    assert (raised.by, raised.fields["source_index"]) == ("process:intake", named([name])[0].index)
    test = TESTS.get(name, "T-01" if kind == "drift" else "T-09")
    assert (row.test_id, raised.fields["test_id"]) == (test, test)


QUIET = [
    ("source.settings_changed", settings_changed, {"weakens": False}),
    ("grant.read_back", read_back, {}),
    ("grant.read_back", read_back, {"clear": False, "attempt": 2}),
    ("grant.close_failed", close_failed, {"attempt": 2}),
    ("campaign.removal_read_back", removal, {}),  # the campaign raised it, with its event
]


@pytest.mark.parametrize(("name", "fields", "changes"), QUIET)
def test_what_is_as_it_should_be_raises_nothing(world: World, name: str, fields: Any, changes: dict[str, Any]) -> None:
    say(name, **fields(world, **changes))
    assert (intake.run(), Finding.objects.count()) == (0, 0)


def test_one_entry_may_be_two_findings(world: World) -> None:
    say("grant.read_back", **read_back(world, clear=False, attempt=3, drift=["role"], remainders=["session"]))
    assert intake.run() == 2
    assert set(Finding.objects.values_list("kind", flat=True)) == {"drift", "not ended"}


def test_grant_that_cannot_be_closed_and_then_is_not_clear_is_one_finding(world: World) -> None:
    same = close_failed(world)
    say("grant.close_failed", **same)
    say("grant.close_failed", **{**same, "attempt": 4})
    say("grant.read_back", **read_back(world, grant_id=same["grant_id"], clear=False, attempt=5, remainders=["login"]))
    assert intake.run() == 1


def test_gap_that_is_judged_again_stays_one_finding_until_it_is_closed(world: World) -> None:
    same = uuid.uuid4()
    for _ in range(3):
        say("completeness.gap_found", **window(world, window_id=same))
    assert intake.run() == 1


def looked(store: str, *found: str, **changes: Any) -> dict[str, Any]:
    sound = {"alter_rights": len(found), "other_writers": 0, "guards_on": True, "sealing_key_apart": True}
    return {"store": store, "found": list(found), **sound, **changes}


def test_store_that_somebody_could_alter_is_one_finding_of_the_administrators_until_it_is_closed(world: World) -> None:
    say("log.guards_checked", **looked("database"))
    say("log.guards_checked", **looked("tiles", "the web process may write there"))
    say("log.guards_checked", **looked("tiles", "the web process may write there"))
    say("log.guards_checked", **looked("database", sealing_key_apart=False))
    assert (intake.run(), intake.run()) == (2, 0)
    tiles, database = Finding.objects.order_by("-about")
    assert (tiles.kind, tiles.test_id, tiles.title) == (
        "log rights",
        "T-46",
        "The stored log could be altered: its published files",
    )
    assert tiles.details.startswith("Found: the web process may write there. Take that away")
    assert database.details.startswith("Found: the process that looks can read the sealer's key. Take")
    told = Alert.objects.filter(kind="finding.raised", about=tiles.log_subject).exclude(recipient=None)
    assert {alert.recipient for alert in told} == set(administrators())


def test_orphan_storm_makes_each_finding_and_one_mail(world: World) -> None:
    for _ in range(5):
        say("session.unmatched", **orphan(world))
    assert intake.run() == 5
    assert Alert.objects.filter(kind="finding.raised").count() == 1


def test_position_passes_entries_that_are_no_cause(world: World) -> None:
    say("log.refused", from_at=0, to_at=1, count=1)
    intake.run()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_sealed_entry")
        assert IntakePosition.objects.get(reader="findings").next_index == cursor.fetchone()[0]


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_batches_of_any_size_take_in_everything(world: World, batch: int) -> None:
    for _ in range(3):
        say("session.unmatched", **orphan(world))
        say("log.refused", from_at=0, to_at=1, count=1)
    assert intake.run(batch=batch) == 3
    assert intake.run(batch=batch) == 0


def test_killed_before_the_commit_it_takes_all_in_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    say("session.unmatched", **orphan(world))
    intake.run()
    Finding.objects.all().delete()
    IntakePosition.objects.update(next_index=0)
    with monkeypatch.context() as broken:
        broken.setattr(IntakePosition, "save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            intake.run()
    assert Finding.objects.count() == 0
    assert (intake.run(), Finding.objects.count()) == (1, 1)


def test_set_back_position_raises_nothing_twice(world: World) -> None:
    say("session.unmatched", **orphan(world))
    intake.run()
    IntakePosition.objects.update(next_index=0)
    assert (intake.run(), Finding.objects.count()) == (0, 1)


def test_two_at_once_raise_each_finding_once(world: World) -> None:
    for _ in range(6):
        say("session.unmatched", **orphan(world))
    assert not [each for each in at_once(2, lambda: intake.run(batch=1)) if isinstance(each, BaseException)]
    intake.run()
    assert Finding.objects.count() == 6


def test_entry_that_cannot_be_read_is_a_finding_and_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_entry: object, _system: object) -> causes.Said:
        raise KeyError("why")

    monkeypatch.setattr(intake, "CAUSES", {**causes.CAUSES, "session.unmatched": (stumble,)})
    say("session.unmatched", **orphan(world))
    say("duty.missed", **missed(world))
    assert intake.run() == 2
    assert list(Finding.objects.order_by("raised_at", "kind").values_list("kind", flat=True)) == [
        "unreadable entry",
        "missed duty",
    ]


def test_entry_of_a_system_that_nobody_knows_tells_the_security_list(world: World) -> None:
    say("session.unmatched", **{**orphan(world), "system_id": uuid.uuid4()})
    intake.run()
    assert (Finding.objects.get().system, Alert.objects.get().address) == (None, "security@breakglass.example")


def test_hostile_login_of_the_target_is_inert(world: World) -> None:
    say("session.unmatched", **orphan(world, login="eve\u202e\r\nBcc: x@example.org\x1b[31m"))
    intake.run()
    assert "eve\ufffd / Bcc: x@example.org\ufffd[31m" in Finding.objects.get().details


def test_causes_name_control_tests_that_exist() -> None:
    named_tests = {
        causes.NO_OTHER_RIGHT,
        causes.ENDED_ON_TIME,
        causes.OUTSIDE_A_WINDOW,
        causes.ROTATED,
        causes.COMPLETE,
    }
    assert named_tests | {causes.REGISTER_MATCHES, *causes.DUTIES.values()} <= set(load_catalogue().tests)


def test_gap_is_tested_again_by_running_its_control_test(world: World) -> None:
    """The window is judged whole after all; the test says so, and that closes the finding."""
    same = window(world)
    say("completeness.gap_found", **same)
    intake.run()
    row = actions.answer(
        by=actor(world.mo), finding=Finding.objects.get(), cause="A full disk.", response="A larger one."
    )
    outcomes = []
    for verdict in ("gap", "complete"):
        if verdict == "complete":
            say("completeness.judged", **{**same, "verdict": verdict, "reasons": [], "ranges": []})
        actions.ask_retest(by=actor(world.mo), finding=row)
        wait_until(lambda: retests.run_due() == 1, "the retest")
        outcomes.append(last_retest(row).ok)
    assert outcomes == [False, True]
    assert actions.close(by=actor(world.kim), finding=row, retest_ok=True).state == "closed"


def test_causes_name_events_that_exist() -> None:
    assert set(causes.CAUSES) - set(catalogue) == set()
