"""Pages of cases and of the log, as an auditor sees them."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from audit.cases.projection import catch_up
from portal.grants import sweep
from portal.grants.models import Grant
from tests.audit.cases.written import Did, do, hire_auditor, judge, learn, review
from tests.factories import client_of
from tests.servers import wait_until
from tests.web.looking import VARIANTS, Variant, axe, no_sideways_scroll, seen, touchable
from tests.worlds import World, actor, make_world, opened, overdue, request_of, sealing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
ACTS = (
    Did("SELECT id, amount FROM invoices WHERE state = 'stuck' ORDER BY created_at LIMIT 50"),
    Did("UPDATE invoices SET state = 'queued' WHERE id = 4711", "data_change"),
    Did("DELETE FROM ledger WHERE posted_at < '2026-01-01'", "data_change", "denied", "ledger", "42501"),
    Did("ALTER TABLE invoices ADD COLUMN note text", "schema_change"),
    Did("SELECT relname, pg_total_relation_size(oid) FROM pg_class ORDER BY 2 DESC LIMIT 10", "catalogue_read", object="pg_class"),
)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        world = make_world()
        hire_auditor(world)
        yield world


def whole_case(world: World) -> Grant:
    """Asked, approved, used, ended, judged, reviewed."""
    grant = opened(world)
    do(grant, ACTS)
    overdue(grant)
    assert sweep.run_due("test") == 1
    judge(grant, "gap", ["session 6741a0.1f3c: 7-9"], ["Numbers 7-9 of session 6741a0.1f3c never came."])
    review(grant, actor(world.kim), outcome="adverse", adverse_answers=1)
    return grant


def signed_in_at(browser: Browser, variant: Variant, client: Client, url: str):  # type: ignore[no-untyped-def]
    cookie = {"name": "breakglass", "value": client.cookies["breakglass"].value, "url": url}
    return seen(browser, variant, storage_state={"cookies": [], "origins": []}), cookie
