"""A policy that is looked at again and left unchanged: by another than its writer, with a next date of its own, and T-48 follows."""

from datetime import datetime, timedelta

import pytest

from audit.log.append import LogUnavailable
from audit.log.read import named
from portal.calendars.views import entries_of
from portal.clock import ms, now
from portal.duties.overdue import overdue
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.policy.actions import approve, propose
from portal.policy.confirming import confirm
from portal.policy.models import PolicyConfirmation, PolicyVersion
from portal.policy.queries import looks_due, versions_for
from portal.policy.rules import Policy
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db
NOTE = "Read the uses of the year and their findings; all rules still fit."
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """Its policy, written by Pia and agreed to by Quinn, was to be looked at again yesterday, 90 days after it was written."""
    made = make_world()
    at = now()
    PolicyVersion.objects.update(written_at=at - 91 * DAY, review_due_at=at - DAY)
    made.policy.refresh_from_db()
    return made


def due(world: World) -> datetime:
    return looks_due([world.policy])[world.policy.pk]


def told() -> list[tuple[str, datetime]]:
    return [(each.about, each.due_at) for each in overdue(now()) if each.kind == "policy"]


def test_look_moves_the_date_by_the_cadence_and_everything_that_reminds_follows(world: World) -> None:
    address = f"/policies/{world.system.pk}/"
    pia, quinn = browser_of(world.pia), browser_of(world.quinn)
    assert told() == [(f"overdue:policy:{world.policy.pk}", world.policy.review_due_at)]
    assert "Overdue for review" in text(pia.get(address).content)
    assert "Looked at, unchanged" not in text(pia.get(address).content), "its writer is offered nothing"
    assert "Looked at, unchanged" in text(quinn.get(address).content)
    form = quinn.get(f"/policies/versions/{world.policy.pk}/confirm/")
    assert "Longest window, in minutes 120" in text(form.content)
    assert quinn.post(f"/policies/versions/{world.policy.pk}/confirm/", {"note": ""}).status_code == 422
    assert quinn.post(f"/policies/versions/{world.policy.pk}/confirm/", {"note": NOTE}).status_code == 302
    made = PolicyConfirmation.objects.get()
    assert (made.confirmed_by, made.note, made.due_at - made.at) == (world.quinn, NOTE, 90 * DAY)
    (event,) = named(["policy.confirmed"])
    assert (event.fields["due_at"], event.fields["confirmed_by"], event.fields["sha256"]) == (
        ms(made.due_at), str(world.quinn.pk), world.policy.sha256,
    )  # fmt: skip
    assert (due(world), told()) == (made.due_at, [])
    assert [each.due_at for each in entries_of(world.mo) if each.kind == "Policy"] == [made.due_at]
    assert [vars(each)["due_"] for each in versions_for(world.mo)] == [made.due_at]
    page = text(quinn.get(address).content)
    assert "Overdue for review" not in page
    assert f"by Quinn: {NOTE}" in page
    assert NOTE in text(quinn.get(f"/policies/versions/{world.policy.pk}/").content)
    world.policy.refresh_from_db()
    assert world.policy.review_due_at < now(), "what the version said itself is not written over"


def test_next_date_that_passes_is_told_anew(world: World) -> None:
    made = confirm(by=actor(world.quinn), version=world.policy, note=NOTE)
    past = now() - DAY
    PolicyConfirmation.objects.update(at=made.at - 200 * DAY, due_at=past)
    assert told() == [(f"overdue:policy:{world.policy.pk}:{past:%Y-%m-%d}", past)]


def test_neither_its_writer_nor_twice_the_same_one_nor_who_is_no_administrator(world: World) -> None:
    for name, kind in (("pia", "own policy"), ("mo", "")):
        with pytest.raises(NotAllowed) as refused:
            confirm(by=actor(world.people[name]), version=world.policy, note=NOTE)
        assert refused.value.kind == kind
    confirm(by=actor(world.quinn), version=world.policy, note=NOTE)
    with pytest.raises(NotAllowed) as refused:
        confirm(by=actor(world.quinn), version=world.policy, note=NOTE)
    assert refused.value.kind == "looked last"
    assert [each.fields["kind"] for each in named(["policy.act_refused"])] == [
        "own policy",
        "not_allowed",
        "looked last",
    ]
    assert PolicyConfirmation.objects.count() == 1


def test_only_with_a_fresh_factor_a_note_and_the_version_in_force(world: World) -> None:
    with pytest.raises(StepUpNeeded):
        confirm(by=actor(world.quinn, method=None), version=world.policy, note=NOTE)
    with pytest.raises(RefusedByPolicy):
        confirm(by=actor(world.quinn), version=world.policy, note=" ")
    with broken_log(), pytest.raises(LogUnavailable):
        confirm(by=actor(world.quinn), version=world.policy, note=NOTE)
    waiting = propose(by=actor(world.pia), system=world.system, policy=Policy(max_grant_minutes=60))
    with pytest.raises(WrongState):
        confirm(by=actor(world.quinn), version=waiting, note=NOTE)
    approve(by=actor(world.quinn), version=waiting)
    with pytest.raises(WrongState):
        confirm(by=actor(world.quinn), version=world.policy, note=NOTE)
    assert browser_of(world.quinn).get(f"/policies/versions/{world.policy.pk}/confirm/").status_code == 404
    assert PolicyConfirmation.objects.count() == 0
