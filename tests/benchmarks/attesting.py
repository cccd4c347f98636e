"""A campaign of 5,000 lines: taking the list and putting each line to somebody, its page, keeping 500 lines at once, and its report."""

import re
import time
from datetime import timedelta

from django.db import connection, transaction
from django.test import Client

from audit.log.append import Entry, append_many, process
from audit.log.models import QueueEntry
from audit.packs.campaign_paper import made
from audit.packs.position import newest
from portal.campaigns import starting
from portal.campaigns.models import Campaign, Item
from portal.campaigns.queries import progress_of
from portal.clock import ms, now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.people.models import Person
from tests.benchmarks.rows import Row, at_most, percentile
from tests.benchmarks.taken import Taken, taken
from tests.browsing import browser_of
from tests.servers import wait_until
from tests.worlds import World, actor, make_world, sealing

LINES, JUDGES, LOOKS, KEPT = 5000, 6, 40, 500
BEGIN_S, PAGE_MS, KEEP_S, REPORT_S = 10.0, 200.0, 3.0, 30.0
PAGES = {
    "page of a campaign": "/campaigns/{pk}/?page={page}",
    "page of a campaign, searched": "/campaigns/{pk}/?words=Nr{page}&show=mine",
    "one line with its evidence": "/campaigns/lines/{item}/",
}


def people(world: World, lines: int) -> None:
    """So many on the list, by rows that say who proposed and approved each, with their events; and several owners."""
    at = now() - timedelta(days=40)
    added = Person.objects.bulk_create(
        Person(email=f"nr{number}@example.org", name=f"Nr{number} Person", added_at=at, password="!")
        for number in range(lines)
    )
    reports = added[:: max(1, lines // 200)]
    for each in reports:
        each.manager = world.mo
    Person.objects.bulk_update(reports, ["manager"])
    owners = added[:JUDGES]
    RoleAssignment._base_manager.bulk_create(
        RoleAssignment(person=each, role="owner", system=world.system, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn,
                       approved_at=at, from_at=at)
        for each in owners
    )  # fmt: skip
    rows = Eligibility._base_manager.bulk_create(
        Eligibility(person=each, privilege=world.privilege, proposed_by=owners[number % JUDGES] if number > JUDGES else world.pia,
                    proposed_at=at, approved_by=world.quinn, approved_at=at, from_at=at)
        for number, each in enumerate(added)
    )  # fmt: skip
    _tell(rows, world)


def _tell(rows: list[Eligibility], world: World) -> None:
    fields = {
        "system_id": world.system.pk,
        "privilege_id": world.privilege.pk,
        "granted_by": world.quinn.pk,
        "narrows": False,
    }
    with transaction.atomic():
        append_many(
            Entry("eligibility.granted", process("bench"), subject=row.log_subject, fields={
                **fields, "eligibility_id": row.pk, "person_id": row.person_id, "granted_at": ms(row.from_at),
                "changed_by": row.proposed_by_id, "beneficiary_id": row.person_id, "effective_at": ms(row.from_at),
            })
            for row in rows
        )  # fmt: skip


def begun(world: World) -> tuple[Campaign, Taken]:
    """A campaign, and how long its beginning took, the target asked."""
    with taken() as took:
        campaign = starting.run_now(by=actor(world.pia), system=world.system)
    return campaign, took


def looks(viewer: Client, address: str, campaign: Campaign, count: int) -> list[float]:
    """Milliseconds of so many looks, each at another part; the first, in which code is loaded, is left out."""
    items = list(Item.objects.filter(campaign=campaign).values_list("pk", flat=True)[: count + 1])
    took = []
    for look in range(count + 1):
        url = address.format(pk=campaign.pk, page=look + 1, item=items[look % len(items)])
        at = time.perf_counter()
        answer = viewer.get(url)
        took.append((time.perf_counter() - at) * 1000)
        assert answer.status_code == 200, (url, answer.status_code)
    return took[1:]


TICKED = re.compile(r'name="lines" value="([0-9a-f-]{36})"[^>]* checked')


def kept(viewer: Client, campaign: Campaign, count: int) -> tuple[Taken, float, int]:
    """How long keeping so many lines at once takes as somebody does it: what is ticked is sent, and the page that follows is drawn.

    Also the milliseconds in which the page with so many rows was drawn before, and its bytes. All of their lines stand on it.
    """
    at = time.perf_counter()
    page = viewer.get(f"/campaigns/{campaign.pk}/?view=rows&tick=all")
    drawn = (time.perf_counter() - at) * 1000
    ticked = TICKED.findall(page.content.decode())
    assert (page.status_code, len(ticked)) == (200, count)
    said = {"lines": ticked, "reason": "On call.", "mixed": "on"}
    with taken() as took:
        answer = viewer.post(f"/campaigns/{campaign.pk}/keep/", said, follow=True)
    assert [status for _, status in answer.redirect_chain] == [302]
    assert campaign.items.filter(state="kept").count() == count
    return took, drawn, len(page.content)


def reported(campaign: Campaign) -> tuple[Taken, int]:
    """How long the report takes, read from the sealed log and drawn; and its bytes."""
    with sealing():
        wait_until(lambda: not QueueEntry.objects.exists(), "the sealer", 300)
    with taken() as took:
        pdf = made(str(campaign.pk), newest(), signed=False, demo=False)
    return took, len(pdf)


def rows() -> list[Row]:
    """One row for the beginning, one for each kind of page, one for keeping."""
    world = make_world()
    people(world, LINES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    campaign, took = begun(world)
    assert (campaign.items.count(), campaign.second_count is not None) == (LINES + 2, True)
    loads = sorted(each.total for each in progress_of(campaign))
    viewer = browser_of(world.mo)
    return [
        at_most(f"snapshot and assignment of {LINES} lines", took.wall, BEGIN_S, beside=f"{took.words}; judges' shares: {loads}"),
        *(_page(name, viewer, address, campaign) for name, address in PAGES.items()),
        *_bulk(viewer, campaign),
        _report(campaign),
    ]  # fmt: skip


def _bulk(viewer: Client, campaign: Campaign) -> list[Row]:
    took, drawn, size = kept(viewer, campaign, KEPT)
    beside = f"sent and answered with the next page, {took.words}; the page of {KEPT} rows: {drawn:.0f} ms, {size // 1024} KiB"
    return [at_most(f"bulk keep of {KEPT} lines", took.wall, KEEP_S, beside=beside)]


def _report(campaign: Campaign) -> Row:
    took, size = reported(campaign)
    return at_most(f"report of {LINES} lines", took.wall, REPORT_S, beside=f"{took.words}; {size // 1024} KiB")


def _page(name: str, viewer: Client, address: str, campaign: Campaign) -> Row:
    with taken() as all_looks:
        times = looks(viewer, address, campaign, LOOKS)
    each = "" if all_looks.cpu is None else f"; processor time of a look {all_looks.cpu / (LOOKS + 1) * 1000:.0f} ms"
    return at_most(
        f"{name}, p95", percentile(times, 95), PAGE_MS, "ms", beside=f"median {percentile(times, 50):.0f} ms{each}"
    )
