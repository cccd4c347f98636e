"""Owners are reminded once before the date and once after it, whatever runs how often."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.log.append import clock, process
from portal.clock import ms, now
from portal.findings import actions, sweep
from portal.findings.models import Finding
from portal.findings.queries import waiting_for
from portal.findings.sweep import remind_due
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from portal.people.models import Person
from tests.browsing import browser_of
from tests.worlds import actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def at(when: datetime) -> Iterator[None]:
    with clock(lambda: ms(when)):
        yield


def reminded() -> int:
    return Alert.objects.filter(kind="finding.due").count()


def test_owner_is_reminded_once_before_and_once_after_the_date() -> None:
    world = make_world()
    row: Finding = actions.raise_finding(
        by=process("test"), kind="gap", title="Records are missing", about="w", system=world.system, owner=world.ben
    )
    due = row.due_at
    assert due is not None
    counts = []
    for when in (
        due - timedelta(hours=25),
        due - timedelta(hours=23),
        due - timedelta(hours=1),
        due + timedelta(hours=1),
        due + timedelta(days=9),
    ):
        with at(when):
            remind_due()
            remind_due()
        counts.append(reminded())
    assert counts == [0, 1, 1, 2, 2]
    assert set(Alert.objects.filter(kind="finding.due").values_list("recipient__name", flat=True)) == {"Ben"}


def test_moved_date_is_reminded_of_anew_and_a_closed_finding_never() -> None:
    world = make_world()
    row = actions.raise_finding(
        by=process("test"), kind="gap", title="Records are missing", about="w", system=world.system, owner=world.ben,
        due_at=now() + timedelta(hours=5),
    )  # fmt: skip
    remind_due()
    actions.move_due(by=actor(world.mo), finding=row, due_at=now() + timedelta(hours=7))
    remind_due()
    assert reminded() == 2
    actions.answer(by=actor(world.ben), finding=row, cause="c", response="r")
    actions.close(by=actor(world.mo), finding=row, retest_ok=True)
    with at(now() + timedelta(days=1)):
        remind_due()
    assert reminded() == 2


def test_one_that_cannot_be_told_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    for hours, title in enumerate(("First", "Second"), 1):
        actions.raise_finding(
            by=process("test"), kind="gap", title=title, about=title, system=world.system, owner=world.ben,
            due_at=now() + timedelta(hours=hours),
        )  # fmt: skip

    def broken_for_the_first(*, facts: dict[str, object], **given: Any) -> None:
        if facts["title"] == "First":
            raise ZeroDivisionError
        tell(facts=facts, **given)

    monkeypatch.setattr(sweep, "tell", broken_for_the_first)
    assert (remind_due(), reminded()) == (1, 1)


@pytest.mark.parametrize(("leaves", "told"), [(("ben",), {"Mo"}), (("ben", "mo"), {"Pia", "Quinn"})])
def test_finding_whose_owner_left_goes_to_who_may_give_it_on_and_is_told_once(
    leaves: tuple[str, ...], told: set[str]
) -> None:
    world = make_world()
    row = actions.raise_finding(
        by=process("test"), kind="gap", title="Records are missing", about="w", system=world.system, owner=world.ben
    )
    assert [waiting_for(world.people[name.lower()]) for name in told] == [[] for _ in told]
    Person.objects.filter(pk__in=[world.people[name].pk for name in leaves]).update(left_at=now())
    assert (remind_due(), remind_due()) == (1, 0)
    alerts = Alert.objects.filter(kind="system.problem", about=row.log_subject)
    assert {each.recipient.name for each in alerts if each.recipient} == told
    assert [waiting_for(world.people[name.lower()]) for name in told] == [[row] for _ in told]
    page = browser_of(world.pia).get(f"/findings/{row.pk}/").content.decode()
    assert ("Its owner has left" in page, row.due_at is not None) == (True, True)
    with at(row.due_at):  # type: ignore[arg-type]  # it has an owner
        remind_due()
    assert set(Alert.objects.filter(kind="finding.due").values_list("recipient__name", flat=True)) == told
    actions.assign(by=actor(world.pia), finding=row, owner=world.kim)
    assert ([waiting_for(world.people[name.lower()]) for name in told], remind_due()) == ([[] for _ in told], 0)
