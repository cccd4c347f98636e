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
from portal.findings.sweep import remind_due
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
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
