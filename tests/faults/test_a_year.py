"""A year of the real sweeps under a clock of its own: over a leap day, the ends of months and both changes of the clocks, what is owed falls due once.

One house in which nobody does anything, and one in which everybody does at once what they are told of.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from audit.log.append import clock
from audit.log.read import named
from portal.campaigns import actions as campaigns
from portal.campaigns import sweep as campaigns_sweep
from portal.campaigns.cadence import LEAD
from portal.campaigns.figures import attestation_interval
from portal.campaigns.models import Campaign, Duty
from portal.clock import ms, now
from portal.drills import actions as drills
from portal.drills import sweep as drills_sweep
from portal.drills.models import Drill
from portal.duties import sweep as duties_sweep
from portal.eligibility.models import RoleAssignment
from portal.findings import actions as findings
from portal.findings import sweep as findings_sweep
from portal.findings.models import Finding
from portal.notifications.digest import REMINDERS
from portal.notifications.models import Alert
from portal.offline_card import Card, answer_to, combine
from portal.people.models import Person
from portal.policy import actions as policies
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.reviews import actions as reviews
from portal.reviews import sweep as reviews_sweep
from portal.reviews.models import Review
from portal.sealed import actions as sealed
from portal.sealed import drilling, rotations
from portal.sealed.models import CARDS, OfflineSet, Rotation
from tests.portal.reviews.used import FINE, used
from tests.portal.sealed.printed import printed
from tests.portal.sealed.vault import Vault, make_vault
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VIENNA = ZoneInfo("Europe/Vienna")
BEGAN = datetime(2027, 12, 1, 9, 30, tzinfo=UTC)
ENDS = BEGAN + 366 * DAY
CLOCKS_CHANGE = (date(2028, 3, 26), date(2028, 10, 29))
SWEEPS: tuple[Callable[[], int], ...] = (
    campaigns_sweep.run_due, reviews_sweep.run_due, findings_sweep.remind_due, drills_sweep.run_due, duties_sweep.run_due,
    drilling.remind_due,
)  # fmt: skip


def fine() -> Iterator[datetime]:
    """Once a day; each hour on the last and the first day of a month, and where the clocks change."""
    at = BEGAN
    while at < ENDS:
        yield at
        day, next_day = at.date(), (at + DAY).date()
        by_hours = day in CLOCKS_CHANGE or day.month != next_day.month or day.day == 1
        morning = datetime(next_day.year, next_day.month, next_day.day, BEGAN.hour, BEGAN.minute, tzinfo=UTC)
        at = at + HOUR if by_hours else morning


def coarse() -> Iterator[datetime]:
    """Every twenty-four days."""
    yield from (BEGAN + number * 24 * DAY for number in range(16))


@dataclass(frozen=True)
class House:
    """What owes something of every kind: a use, a finding, a policy, a system and its cards to be drilled, a new secret, and three lists."""

    world: World
    vault: Vault
    papers: tuple[Card, Card]


def made() -> House:
    world = make_world()
    vault = make_vault(CARDS, world=world)
    papers = printed(vault)
    everything = [world.pia, world.quinn, world.zoe]
    RoleAssignment.objects.filter(person__in=everything).update(system=None)
    at = now() - 30 * DAY
    RoleAssignment.objects.create(
        person=world.zoe, role="administrator", proposed_by=world.pia, proposed_at=at, approved_by=world.quinn, approved_at=at, from_at=at
    )  # fmt: skip
    Person.objects.update(time_zone=VIENNA.key)
    used(world)
    said: dict[str, Any] = {"kind": "gap", "title": "Records are missing", "about": "w-1"}
    findings.raise_finding(by=actor(world.kim), **said, system=world.system, owner=world.mo)
    other = sealed.propose(
        by=actor(world.pia), system=world.system, name="Other", account="other", location="There.", kept_by="custodian", custodian=vault.cleo
    )  # fmt: skip
    sealed.approve(by=actor(world.quinn), account=other)
    return House(world, vault, papers)


def lived(moments: list[datetime], live: Callable[[House], None] = lambda _: None) -> House:
    """The sweeps at each moment, and then what people do. A second run of the sweeps, at every fifth, has nothing to do."""
    with clock(lambda: ms(moments[0])):
        house = made()
    for number, at in enumerate(moments):
        with clock(lambda at=at: ms(at)):  # type: ignore[misc]  # each moment
            for run in SWEEPS:
                run()
            if number % 5 == 0:
                assert [run() for run in SWEEPS] == [0] * len(SWEEPS), at
            live(house)
    return house


def lists() -> set[tuple[UUID | None, str]]:
    """Of the system who is on its list, its sealed accounts and its roles; and the roles for all systems."""
    found: set[tuple[UUID | None, str]] = set(Duty.objects.values_list("system", "subject_kind"))
    assert Counter(kind for _, kind in found) == {"eligibility": 1, "accounts": 1, "roles": 2}
    return found


def gaps_of(system: UUID | None, kind: str) -> set[timedelta]:
    """Between one duty of a list and the next."""
    dues = Duty.objects.filter(system=system, subject_kind=kind).order_by("due_at").values_list("due_at", flat=True)
    return {later - earlier for earlier, later in pairwise(dues)}


def days_told(kind: str, about: str) -> dict[object, list[date]]:
    """On which days each recipient was told."""
    told: dict[object, list[date]] = defaultdict(list)
    for each in Alert.objects.filter(kind=kind, about=about).order_by("queued_at"):
        told[each.recipient_id or each.address].append(each.queued_at.date())
    return told


@pytest.mark.parametrize("moments", [coarse, pytest.param(fine, marks=pytest.mark.faults)])
def test_where_nobody_does_anything_each_duty_is_told_and_brought_to_mind_daily(
    moments: Callable[[], Iterator[datetime]],
) -> None:
    walked = list(moments())
    lived(walked)
    last = walked[-1]
    for system, kind in lists():
        assert gaps_of(system, kind) == {attestation_interval(kind)}
        ahead = Duty.objects.filter(system=system, subject_kind=kind, due_at__gt=last)
        assert ahead.count() == 1  # the next, and none after it
    missed = Counter(event.fields["duty_id"] for event in named(("duty.missed",)))
    assert missed == Counter(str(each.pk) for each in Duty.objects.filter(due_at__lt=last))
    for campaign in Campaign.objects.all():
        marks = [each for each in campaign.reminded if not each.startswith("nobody")]
        marks_are_one_a_day(marks, campaign.due_at, walked, ["half", "at"])
    assert Campaign.objects.count() == len(lists())  # what is open is not begun again
    review = Review.objects.get()
    marks_are_one_a_day(
        [each for each in review.reminded if each != "given"], review.due_at, walked, ["before", "owner", "at"]
    )
    once_and_then_daily(walked)
    finding = Finding.objects.get(kind="gap")
    assert finding.due_at is not None
    near = any(finding.due_at - DAY <= at < finding.due_at for at in walked)
    assert {len(days) for days in days_told("finding.due", finding.log_subject).values()} == {near + 1}
    assert max(Counter(Alert.objects.filter(kind="drill.due").values_list("about", "recipient")).values()) == 1
    assert OfflineSet.objects.get().reminded_at is not None
    one_digest_a_day()


def marks_are_one_a_day(marks: list[str], due_at: datetime, walked: list[datetime], early: list[str]) -> None:
    """Each once, in their order, and one for each day that it is late on which somebody looked."""
    days = sorted({(at - due_at).days for at in walked if at >= due_at + DAY})
    assert [each for each in marks if each.startswith("after-")] == [f"after-{day}" for day in days]
    before = [each for each in marks if not each.startswith("after-")]
    assert before == [each for each in early if each in before]


def once_and_then_daily(walked: list[datetime]) -> None:
    """What is overdue: told once, then each day of somebody's look, until the end."""
    abouts = set(Alert.objects.filter(kind="duty.overdue").values_list("about", flat=True))
    assert {about.split(":")[1] for about in abouts} == {"policy", "drill", "secret", "cards", "finding"}
    for about in abouts:
        first = days_told("duty.overdue", about)
        assert {len(days) for days in first.values()} == {1}, about
        begun = min(days[0] for days in first.values())
        looked = sorted({at.date() for at in walked if at.date() > begun})
        assert all(days == looked for days in days_told("duty.reminder", about).values()), about


def one_digest_a_day() -> None:
    """What waits for a digest leaves with one, and nobody has two on one day of theirs."""
    waited = Alert.objects.filter(kind__in=REMINDERS, recipient__isnull=False).values_list(
        "recipient", "queued_at", "next_try_at"
    )
    digests = {(who, leaves) for who, queued, leaves in waited if leaves > queued}
    assert digests
    assert set(Counter((who, leaves.astimezone(VIENNA).date()) for who, leaves in digests).values()) == {1}


def does_what_is_told(house: House) -> None:
    """Everybody, at once."""
    vault, world = house.vault, house.world
    for campaign in Campaign.objects.filter(state="open"):
        attested(campaign, world.quinn if campaign.system is None else world.mo)
    for review in Review.objects.filter(state="due"):
        taken = reviews.claim(by=actor(world.kim), review=review)
        reviews.submit(by=actor(world.kim), review=taken, answers=FINE, outcome="accepted")
    for finding in Finding.objects.exclude(state="closed"):
        findings.answer(by=actor(world.mo), finding=finding, cause="A fault.", response="Mended.")
        findings.close(by=actor(world.quinn), finding=finding, retest_ok=False, comment="Seen.")
    if PolicyVersion.objects.filter(effective_to=None, approved_at__isnull=False, review_due_at__lt=now() + 20 * DAY):
        version = policies.propose(by=actor(world.pia), system=world.system, policy=Policy())
        policies.approve(by=actor(world.quinn), version=version)
    if Alert.objects.filter(kind="drill.due").values("about").distinct().count() > Drill.objects.count():
        drilled(house)
    if OfflineSet.objects.filter(reminded_at__isnull=False):
        asked = drilling.begin(by=actor(vault.cleo), account=vault.account)
        said = answer_to(asked, combine(*house.papers).drill_key)
        assert drilling.answer(by=actor(world.dora), account=vault.account, said=said)
    for owed in Rotation.objects.filter(state="owed", account__kept_by="custodian").select_related("account"):
        rotations.lay_in(by=actor(vault.cleo), account=owed.account, secret=f"a secret of {now():%d %B}")
        rotations.note_test(by=actor(vault.cleo), account=owed.account, taken=True)


def attested(campaign: Campaign, closer: object) -> None:
    for item in campaign.items.select_related("reviewer"):
        assert item.reviewer is not None, item.label
        by = actor(item.reviewer)
        campaigns.show(by=by, campaign=campaign, only=[item.pk])
        campaigns.keep(by=by, item=item, reason="Needed.")
    campaigns.close(by=actor(closer), campaign=campaign)  # type: ignore[arg-type]  # a person of the world


def drilled(house: House) -> None:
    """It worked, an hour later; how a drill goes is tested in tests/portal/drills."""
    world = house.world
    drill = drills.start(
        by=actor(world.ann), privilege=world.privilege, act="Sign in, read the health page, sign out again.", minutes=10
    )
    Drill.objects.filter(pk=drill.pk).update(judged_at=now(), over_at=now(), worked=True, steps=[{"worked": True}])


@pytest.mark.faults
def test_where_everybody_does_their_part_nothing_is_ever_overdue() -> None:
    walked = list(fine())
    lived(walked, does_what_is_told)
    for system, kind in lists():
        every = attestation_interval(kind)
        assert all(every - LEAD <= gap <= every for gap in gaps_of(system, kind))
        assert Duty.objects.filter(system=system, subject_kind=kind).exclude(campaign__state="closed").count() <= 1
    assert named(("duty.missed",)) == []
    assert not Alert.objects.filter(kind__startswith="duty.").exists()
    assert [campaign.reminded for campaign in Campaign.objects.all()] == [[]] * Campaign.objects.count()
    assert set(Review.objects.values_list("state", flat=True)) == {"submitted"}
    assert len(named(("offline.drilled",))) == len(named(("offline.drill_due",))) == 4
    overs = list(Drill.objects.order_by("over_at").values_list("over_at", flat=True))
    assert len(overs) == 5
    assert all(later - earlier < 90 * DAY for earlier, later in pairwise(overs) if earlier and later)
    assert len(named(("policy.approved",))) == 1
