"""A range of the log is signed as lost by two administrators; nobody signs what they reported."""

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit.cases.presenters import line
from audit.log.checkpoint import Checkpoint
from audit.log.read import named
from audit.log.sealing import seal_once
from audit.log.signing import sign_checkpoint
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.errors import LogUnavailable, NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.findings import intake
from portal.findings.models import Finding
from portal.lost import actions
from portal.lost.models import LostRange
from tests.audit.log.logged import run_signer, sealed
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db
ID = uuid.UUID("9d1b2f5e-9c1f-4d52-8d3e-0a4f6f1f2b3c")


@pytest.fixture
def world() -> World:
    made = make_world()
    RoleAssignment.objects.filter(role__in=["administrator", "auditor"]).update(system=None)
    return made


def said(**changes: Any) -> dict[str, Any]:
    ago = now() - timedelta(minutes=2)
    return {"from_at": ago, "to_at": ago + timedelta(seconds=1), "reason": "The primary burned.", **changes}


def report(world: World, **changes: Any) -> LostRange:
    return actions.report(by=actor(world.pia), **said(**changes))


def checkpoint(size: int) -> str:
    return sign_checkpoint(Checkpoint(run_signer().name, size, bytes(32)), run_signer()).decode()


def test_two_administrators_sign_what_a_checkpoint_covers_and_the_log_lacks(world: World) -> None:
    sealed(3)
    size = seal_all()
    row = report(world, checkpoint=checkpoint(size + 4), acknowledged=[ID, ID])
    with pytest.raises(NotAllowed):
        actions.sign(by=actor(world.pia), lost=row)
    with pytest.raises(NotAllowed):
        actions.sign(by=actor(world.mo), lost=row)
    with pytest.raises(StepUpNeeded):
        actions.sign(by=actor(world.quinn, age_s=100_000), lost=row)
    row = actions.sign(by=actor(world.quinn), lost=row)
    (event,) = named(["log.range_lost"])
    assert {name: event.fields[name] for name in ("first", "last", "acknowledged", "asked_by", "approved_by")} == {
        "first": size, "last": size + 3, "acknowledged": [str(ID)], "asked_by": str(world.pia.pk), "approved_by": str(world.quinn.pk),
    }  # fmt: skip
    assert (row.state, event.fields["checkpoint"], event.says("reason")) == ("signed", checkpoint(size + 4), row.reason)
    shown = line(event, {str(world.pia.pk): "Pia"})
    assert (shown.title, f"Entries {size} to {size + 3}" in shown.text, "Reported by Pia" in shown.text) == (
        "Signed a range of the log as lost", True, True,
    )  # fmt: skip
    with pytest.raises(WrongState):
        actions.decline(by=actor(world.quinn), lost=row)


def seal_all() -> int:
    """How many entries there are, all of them sealed."""
    while seal_once(connection, run_signer(), time.time_ns() // 1_000_000):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_sealed_entry")
        return int(cursor.fetchone()[0])


def test_both_who_decide_and_what_came_back_become_findings(world: World) -> None:
    actions.sign(by=actor(world.quinn), lost=report(world))
    seal_all()
    intake.run()
    assert [(each.kind, each.title) for each in Finding.objects.all()] == [("log loss", "A range of the log is lost")]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": " "}, "Say in one sentence"),
        ({"to_at": "later"}, "in the past"),
        ({"from_at": "later"}, "in the past"),
        ({"checkpoint": "no checkpoint\n"}, "not a checkpoint of this log"),
        ({"checkpoint": "as large"}, "lacks none"),
        ({"acknowledged": [uuid.uuid4() for _ in range(1001)]}, "At most 1,000"),
    ],
)
def test_what_is_reported_is_whole(world: World, changes: dict[str, Any], sentence: str) -> None:
    sealed(3)
    size = seal_all()
    changes = {
        key: now() + timedelta(hours=1) if value == "later" else checkpoint(size) if value == "as large" else value
        for key, value in changes.items()
    }
    with pytest.raises(RefusedByPolicy, match=sentence):
        report(world, **changes)
    assert not LostRange.objects.exists()


def test_a_checkpoint_that_is_no_longer_beyond_the_log_is_not_signed(world: World) -> None:
    size = seal_all()
    row = report(world, checkpoint=checkpoint(size + 2))
    sealed(1)
    with pytest.raises(RefusedByPolicy, match=r"grown or come back|lacks none"):
        actions.sign(by=actor(world.quinn), lost=row)
    assert named(["log.range_lost"]) == []
    actions.decline(by=actor(world.pia), lost=row)
    assert report(world).state == "reported"


def test_one_waits_at_a_time_and_none_without_its_event(world: World) -> None:
    with broken_log(), pytest.raises(LogUnavailable):
        report(world)
    assert not LostRange.objects.exists()
    row = report(world)
    with pytest.raises(RefusedByPolicy, match="waits already"):
        report(world)
    with broken_log(), pytest.raises(LogUnavailable):
        actions.sign(by=actor(world.quinn), lost=row)
    row.refresh_from_db()
    assert row.state == "reported"


def test_database_itself_refuses_that_one_person_signs(world: World) -> None:
    row = report(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        LostRange.objects.filter(pk=row.pk).update(state="signed", signed_by=world.pia, closed_at=now())


def test_pages_take_what_is_typed_and_say_what_is_wrong(world: World) -> None:
    pia, quinn, otto = (browser_of(each) for each in (world.pia, world.quinn, world.otto))
    typed = {"from_at": "2026-01-01T10:00:00Z", "to_at": "2026-01-01T10:00:01Z", "reason": "It burned."}
    wrong = pia.post("/lost/", {**typed, "acknowledged": "no id"})
    assert (wrong.status_code, "Ids only" in wrong.content.decode(), "It burned." in wrong.content.decode()) == (
        422, True, True,
    )  # fmt: skip
    size = seal_all()
    sent = {**typed, "acknowledged": f"{ID}\r\n", "checkpoint": checkpoint(size + 1).replace("\n", "\r\n")}
    page = pia.post("/lost/", sent)["Location"]
    row = LostRange.objects.get()
    assert (row.acknowledged, row.first_index, row.last_index) == ([str(ID)], size, size)
    assert "Sign it as lost" not in pia.get(page).content.decode()
    assert "Sign it as lost" not in otto.get(page).content.decode()
    assert "Sign it as lost" in quinn.get(page).content.decode()
    LostRange.objects.update(
        checkpoint="", first_index=None, last_index=None
    )  # looking was logged, and sealed it is not
    assert quinn.post(f"{page}decide/", {"decision": "sign"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.signed_by_id) == ("signed", world.quinn.pk)
