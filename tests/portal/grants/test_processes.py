"""From a yes to an open target, and from its end to the read-back, on the simulated kind."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection

from audit.log.read import named
from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed, StepUpNeeded, WrongState
from portal.grants import actions, authorising, ending, extending, opening, permits, sweep
from portal.grants.models import Grant
from portal.notifications.models import Alert
from tests.servers import wait_until
from tests.worlds import World, actor, authorised, make_world, names_of, opened, overdue, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.mark.usefixtures("_sealing")
def test_approved_way_leaves_each_event_once(world: World) -> None:
    grant = opened(world)
    overdue(grant)
    assert sweep.run_due("test") == 1
    grant.refresh_from_db()
    assert (grant.state, grant.end_cause, grant.secret, grant.verifier) == ("ended", "expired", None, "")
    told = [name for name in names_of(grant.request_id) if name != "alert.queued"]
    assert told == [
        "request.made", "request.approved", "grant.authorised", "grant.opening", "grant.activated", "grant.expired",
        "grant.closing", "grant.read_back", "grant.ended",
    ]  # fmt: skip


@pytest.mark.usefixtures("_sealing")
@pytest.mark.parametrize("mute", [False, True])
def test_read_back_says_whether_statements_were_still_logged(world: World, mute: bool) -> None:
    controls = world.state.parent / "controls.json"
    world.system.settings["controls_path"] = str(controls)
    world.system.save()
    grant = opened(world)
    controls.write_text(json.dumps({"mute": mute}))
    overdue(grant)
    sweep.run_due("test")
    assert named(["grant.read_back"])[-1].fields["statement_logging"] == (not mute)


@pytest.mark.usefixtures("_sealing")
@pytest.mark.parametrize("superuser", [False, True])
def test_opening_says_whether_the_privilege_is_a_superuser(world: World, superuser: bool) -> None:
    world.system.settings["superusers"] = [world.privilege.on_target] if superuser else []
    world.system.save()
    opened(world)
    assert named(["grant.activated"])[-1].fields["superuser"] == superuser


@pytest.mark.usefixtures("_sealing")
def test_bypass_opens_at_once_and_tells_everybody(world: World) -> None:
    asked = world.asked("bypass", reason="Writes fail.", incident_ref="", intended_classes=(), category="")
    grant = opening.run(authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=asked).pk)
    assert grant.state == "active"
    told = Alert.objects.filter(kind="request.bypass_opened")
    assert {alert.recipient_id for alert in told} == {world.ines.pk, world.jon.pk, world.mo.pk, None}
    assert next(iter(told)).facts["owed"] == ["incident", "intended classes", "category", "a longer reason"]


def test_bypass_needs_a_fresh_second_factor(world: World) -> None:
    with pytest.raises(StepUpNeeded):
        authorising.bypass(by=actor(world.ann, age_s=16 * 60), privilege=world.privilege, asked=world.asked("bypass"))
    with pytest.raises(StepUpNeeded):
        authorising.bypass(
            by=actor(world.ann, method="recovery"), privilege=world.privilege, asked=world.asked("bypass")
        )
    assert not Grant.objects.exists()


def test_nothing_opens_before_its_intent_is_in_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "SEAL_PATIENCE_S", 0.3)
    grant = opening.run(authorised(world).pk)
    assert grant.state == "opening"
    assert "log is not being sealed" in grant.last_trouble
    assert not world.state.exists()


def test_own_request_is_not_approved(world: World) -> None:
    request = request_of(world)
    with pytest.raises(NotAllowed, match="own request"):
        authorising.approve(by=actor(world.ann), request=request)
    assert names_of(request.pk)[-1] == "request.approval_refused"


@pytest.mark.usefixtures("_sealing")
def test_reveal_is_for_the_responder_alone(world: World) -> None:
    grant = opened(world)
    with pytest.raises(NotAllowed):
        actions.reveal(by=actor(world.ines), grant=grant)
    with pytest.raises(StepUpNeeded):
        actions.reveal(by=actor(world.ann, age_s=3600), grant=grant)
    assert len(actions.reveal(by=actor(world.ann), grant=grant).reveal()) >= 20
    with pytest.raises(ChangedMeanwhile):
        actions.reveal(by=actor(world.ann), grant=grant)


@pytest.mark.usefixtures("_sealing")
def test_extension_is_given_by_another_and_reaches_the_target(world: World) -> None:
    grant = opened(world)
    before = grant.expires_at
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=15, reason="Not done.")
    with pytest.raises(NotAllowed, match="themselves"):
        actions.decide_extension(by=actor(world.ann), extension=asked, give=True)
    actions.decide_extension(by=actor(world.jon), extension=asked, give=True)
    extending.run(grant.pk)
    asked.refresh_from_db()
    grant.refresh_from_db()
    assert grant.expires_at is not None
    assert before is not None
    assert (grant.expires_at - before).total_seconds() == 15 * 60
    assert asked.applied_at is not None


@pytest.mark.usefixtures("_sealing")
def test_end_is_not_claimed_while_the_target_hangs_or_lies(world: World) -> None:
    controls = world.state.parent / "controls.json"
    world.system.settings["controls_path"] = str(controls)
    world.system.save()
    grant = overdue(opened(world))
    controls.write_text(json.dumps({"down": True}))
    assert ending.run(grant.pk).state == "closing"
    assert "grant.close_failed" in names_of(grant.request_id)
    controls.write_text("{}")
    assert ending.run(grant.pk).state == "ended"


@pytest.mark.usefixtures("_sealing")
def test_two_returns_at_once_are_one(world: World) -> None:
    grant = opened(world)
    results: list[str] = []

    def back() -> None:
        try:
            actions.give_back(by=actor(world.ann), grant=grant)
            results.append("done")
        except (WrongState, ChangedMeanwhile):
            results.append("told so")
        finally:
            connection.close()

    threads = [threading.Thread(target=back) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["done", *["told so"] * 9]
    assert names_of(grant.request_id).count("grant.returned") == 1


def test_bypass_withdraws_the_request_that_waits(world: World) -> None:
    waiting = request_of(world)
    asked = world.asked("bypass", reason="Nobody answers and writes still fail.")
    authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=asked, instead_of=waiting)
    waiting.refresh_from_db()
    assert waiting.state == "withdrawn"
    with pytest.raises(WrongState):
        authorising.approve(by=actor(world.ines), request=waiting)


def test_bypass_goes_on_when_the_request_was_decided_meanwhile(world: World) -> None:
    decided = request_of(world)
    authorising.approve(by=actor(world.ines), request=decided)
    asked = world.asked("bypass", reason="Nobody answers and writes still fail.")
    grant = authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=asked, instead_of=decided)
    assert grant.state == "authorised"


@pytest.mark.usefixtures("_sealing")
def test_warnings_for_many_do_not_hold_up_an_end(world: World) -> None:
    grants = [opened(world, reason=f"{world.asked().reason} Part {number}.") for number in range(3)]
    overdue(grants[0])
    Grant.objects.filter(pk__in=[grant.pk for grant in grants[1:]]).update(expires_at=now() + timedelta(minutes=2))
    with mock.patch.object(sweep, "WARNED_AT_ONCE", 1):
        sweep.run_due("test")
        assert Grant.objects.filter(state="ended").count() == 1
        assert Grant.objects.filter(warned_at__isnull=False).count() == 1
        sweep.run_due("test")
    assert Grant.objects.filter(warned_at__isnull=False).count() == 2


@pytest.mark.usefixtures("_sealing")
def test_hands_keep_no_connection_of_theirs(world: World) -> None:
    for number in range(3):
        overdue(opened(world, reason=f"{world.asked().reason} Part {number}."))
    with connection.cursor() as cursor:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        cursor.execute(query)
        before = set(cursor.fetchall())
        assert sweep.run_due("test") == 3

        def gone() -> bool:
            cursor.execute(query)
            return set(cursor.fetchall()) <= before

        wait_until(gone, "the hands' connections to be closed")
    assert Grant.objects.filter(state="ended").count() == 3
