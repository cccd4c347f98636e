"""What would be cut: read from each target side by side, within its time, and never more certain than it is."""

import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.connectors.simulated import activity, controls
from portal.grants.models import Grant
from portal.grants.queries import not_over_on
from portal.grants.running import PATIENCE_S, TOO_LATE, what_would_be_cut
from portal.grants.targets import target_of
from portal.systems.models import ProposedChange
from tests.worlds import World, authorised, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def grants() -> list[Grant]:
    return list(not_over_on(None).select_related("system", "privilege", "person", "account"))


def runs(world: World, grant: Grant, statement: str) -> None:
    target = target_of(world.system)
    activity.do(target, activity.log_in(target, login=grant.login), activity.Act(statement))


def test_each_access_shows_its_own_sessions(world: World) -> None:
    first, second, third = opened(world), opened(world, "ben"), authorised(world, "ben", reason=f"{'x' * 50} not open")
    runs(world, first, "SELECT 1")
    runs(world, first, "not a statement at all: hunter2 'open")
    shown = {cut.grant.pk: [session.statement for session in cut.sessions] for cut in what_would_be_cut(grants())}
    assert shown == {first.pk: ["SELECT 1", "[not shown: the statement could not be read]"], second.pk: []}
    assert third.pk not in shown


def test_a_source_that_hides_values_hides_them_here(world: World) -> None:
    grant = opened(world)
    runs(world, grant, "UPDATE invoices SET total = 7 WHERE name = 'Ann'")
    ProposedChange.objects.create(
        system=world.system, kind="source", after={"counting": "dense", "settings": {"literals": "hide"}}, proposed_by=world.pia,
        proposed_at=grant.authorised_at, decided_by=world.quinn, decided_at=grant.authorised_at, decision="approve",
    )  # fmt: skip
    (cut,) = what_would_be_cut(grants())
    assert [each.statement for each in cut.sessions] == ["UPDATE invoices SET total = ? WHERE name = '?'"]


def test_target_that_hangs_holds_up_neither_the_page_nor_the_others(world: World) -> None:
    other = make_world(slug="ledger", on_target="ledger_emergency", people=world.people)
    slow, quick = opened(world), opened(other, "ben")
    runs(other, quick, "SELECT 2")
    controls.write(target_of(world.system), hang_ms=60_000)
    began = time.monotonic()
    cuts = {cut.grant.pk: cut for cut in what_would_be_cut(grants(), patience_s=0.5)}
    assert time.monotonic() - began < PATIENCE_S
    assert cuts[slow.pk].unread in (TOO_LATE, "The simulated target does not answer.")
    assert [each.statement for each in cuts[quick.pk].sessions] == ["SELECT 2"]


def test_asks_the_database_as_often_for_three_as_for_one(world: World) -> None:
    opened(world)
    counts = []
    for number in range(2):
        rows = grants()
        with CaptureQueriesContext(connection) as seen:
            assert all(not cut.unread for cut in what_would_be_cut(rows))
        counts.append(len(seen))
        opened(world, "ben", reason=f"{'x' * 50} {number}")
        opened(world, reason=f"{'x' * 50} {number}")
    assert counts[0] == counts[1] == 1
