"""A campaign of 5,000 lines: taking the list and putting each line to somebody, its page, and keeping 500 lines at once."""

import time
from datetime import timedelta

from django.db import connection, transaction
from django.test import Client

from audit.log.append import Entry, append_many, process
from portal.campaigns import bulk, starting
from portal.campaigns.models import Campaign, Item
from portal.campaigns.queries import progress_of
from portal.clock import ms, now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.people.models import Person
from tests.benchmarks.rows import Row, at_most, percentile
from tests.benchmarks.taken import Taken, taken
from tests.factories import client_of
from tests.worlds import World, actor, make_world

LINES, JUDGES, LOOKS, KEPT = 5000, 6, 40, 500
BEGIN_S, PAGE_MS, KEEP_S = 10.0, 200.0, 3.0
PAGES = {
    "page of a campaign": "/campaigns/{pk}/?page={page}",
    "page of a campaign, searched": "/campaigns/{pk}/?words=Nr{page}&show=mine",
    "one line with its evidence": "/campaigns/lines/{item}/",
}


def people(world: World, lines: int) -> None:
    """So many on the list, by rows that say who proposed and approved each, with their events; and several owners."""
    at = now() - timedelta(days=40)
    made = Person.objects.bulk_create(
        Person(email=f"nr{number}@example.org", name=f"Nr{number} Person", added_at=at, password="!")
        for number in range(lines)
    )
    reports = made[:: max(1, lines // 200)]
    for each in reports:
        each.manager = world.mo
    Person.objects.bulk_update(reports, ["manager"])
    owners = made[:JUDGES]
    RoleAssignment._base_manager.bulk_create(
        RoleAssignment(person=each, role="owner", system=world.system, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn,
                       approved_at=at, from_at=at)
        for each in owners
    )  # fmt: skip
    rows = Eligibility._base_manager.bulk_create(
        Eligibility(person=each, privilege=world.privilege, proposed_by=owners[number % JUDGES] if number > JUDGES else world.pia,
                    proposed_at=at, approved_by=world.quinn, approved_at=at, from_at=at)
        for number, each in enumerate(made)
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


def kept(world: World, campaign: Campaign, count: int) -> Taken:
    """How long keeping so many lines of Mo at once takes; they stood on his screen before."""
    rows = list(
        Item.objects.filter(campaign=campaign, reviewer=world.mo, state="undecided").values_list("pk", flat=True)[
            :count
        ]
    )
    assert len(rows) == count, len(rows)
    Item.objects.filter(pk__in=rows, shown_at=None).update(shown_at=now())
    by = actor(world.mo)
    with taken() as took:
        done = bulk.keep_many(by=by, campaign=campaign, items=rows, reason="On call.", mixed_confirmed=True)
    assert done.kept == count
    return took


def rows() -> list[Row]:
    """One row for the beginning, one for each kind of page, one for keeping."""
    world = make_world()
    people(world, LINES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    campaign, took = begun(world)
    assert (campaign.items.count(), campaign.second_count is not None) == (LINES + 2, True)
    loads = sorted(each.total for each in progress_of(campaign))
    viewer = client_of(world.mo, "mo-password-long")
    return [
        at_most(f"snapshot and assignment of {LINES} lines", took.wall, BEGIN_S, beside=f"{took.words}; judges' shares: {loads}"),
        *(_page(name, viewer, address, campaign) for name, address in PAGES.items()),
        at_most(f"bulk keep of {KEPT} lines", (keeping := kept(world, campaign, KEPT)).wall, KEEP_S, beside=keeping.words),
    ]  # fmt: skip


def _page(name: str, viewer: Client, address: str, campaign: Campaign) -> Row:
    with taken() as all_looks:
        times = looks(viewer, address, campaign, LOOKS)
    each = "" if all_looks.cpu is None else f"; processor time of a look {all_looks.cpu / (LOOKS + 1) * 1000:.0f} ms"
    return at_most(
        f"{name}, p95", percentile(times, 95), PAGE_MS, "ms", beside=f"median {percentile(times, 50):.0f} ms{each}"
    )
