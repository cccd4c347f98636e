"""Live tables held against the log: equal after every real action, and each way to differ is named."""

from collections.abc import Iterator

import pytest
from django.db import connection

from audit.log.read import named
from portal.access_requests.actions import decline, lapse, withdraw
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.findings import intake
from portal.findings.models import Finding
from portal.grants import authorising, sweep
from portal.grants.models import Grant
from portal.reconciliation.comparing import RECONCILIATION, compare, compare_due
from tests.servers import wait_until
from tests.worlds import REASON, World, actor, authorised, opened, overdue, request_of, sealing


@pytest.fixture(autouse=True)
def _sealer(world: World) -> Iterator[None]:
    with sealing():
        yield


def all_sealed() -> None:
    def sealed() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit_queue")
            return bool(cursor.fetchone()[0] == 0)

    wait_until(sealed, "the queue to be empty")


def test_tables_and_log_agree_after_every_kind_of_way(world: World) -> None:
    request_of(world, "ben")
    withdraw(by=actor(world.ann), request=request_of(world))
    decline(by=actor(world.ines), request=request_of(world, reason=REASON + " Still."), comment="Not now.")
    late = request_of(world, reason=REASON + " Again.")
    AccessRequest.objects.filter(pk=late.pk).update(lapses_at=now())
    lapse(by=RECONCILIATION, request=late)
    authorising.bypass(by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass"))
    authorised(world, reason=REASON + " Thrice.")
    overdue(opened(world, reason=REASON + " And more."))
    sweep.run_due("test")
    assert compare(by=RECONCILIATION) == []
    all_sealed()
    assert compare(by=RECONCILIATION) == []
    assert [event.fields["ok"] for event in named(["reconciliation.compared"])] == [1, 1]


@pytest.mark.parametrize("sealed", [True, False])
def test_row_that_was_changed_behind_the_log_is_named(world: World, sealed: bool) -> None:
    grant, request = authorised(world), request_of(world, "ben")
    if sealed:
        all_sealed()
    Grant.objects.filter(pk=grant.pk).update(state="opening")
    AccessRequest.objects.filter(pk=request.pk).update(state="declined", decided_at=now())
    expected = (
        [f"request:{request.pk}: table declined, log awaiting"] if sealed else []
    )  # over in the table, not yet in the sealed log
    assert compare(by=RECONCILIATION) == [*expected, f"grant:{grant.pk}: table opening, log authorised"]


def test_row_that_is_gone_is_named(world: World) -> None:
    grant = authorised(world)
    all_sealed()
    Grant.objects.filter(pk=grant.pk).delete()
    assert compare(by=RECONCILIATION) == [f"grant:{grant.pk}: table nothing, log authorised"]


def test_comparison_is_made_once_a_day_and_a_difference_becomes_a_finding(world: World) -> None:
    grant = authorised(world)
    Grant.objects.filter(pk=grant.pk).update(state="opening")
    assert (compare_due(), compare_due()) == (1, 0)
    all_sealed()
    assert intake.run() == 1
    assert (Finding.objects.get().kind, str(grant.pk) in Finding.objects.get().details) == ("table and log", True)
