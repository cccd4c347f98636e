"""What falls due, on one page and as a feed that another calendar can read."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar, Event

from portal.calendars import feed
from portal.calendars.views import entries_of
from portal.campaigns import sweep as campaigns
from portal.clock import now
from portal.findings.actions import raise_finding
from portal.grants import sweep
from portal.people.models import Person
from portal.policy.models import PolicyVersion
from portal.reviews import aftermath
from portal.reviews import sweep as reviews
from portal.reviews.actions import claim, submit
from portal.reviews.models import ChangeRecord, Review
from portal.reviews.offline.declaring import declare_use
from portal.sealed.models import CARDS, USED, OfflineSet, Rotation
from portal.systems.models import System
from tests.browsing import browser_of
from tests.portal.access_requests.test_asking import text
from tests.portal.reviews.used import FINE, grant_of, taken
from tests.portal.sealed.printed import printed
from tests.portal.sealed.vault import make_vault
from tests.worlds import World, actor, make_world, opened, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def owing(world: World) -> None:
    """A use to review, a finding with a date, duties set."""
    overdue(opened(world))
    sweep.run_due("test")
    reviews.run_due()
    campaigns.run_due()
    raise_finding(
        by=actor(world.kim), kind="gap", title="Records are missing", about="w-1", system=world.system, owner=world.mo,
    )  # fmt: skip


def kinds(person: Person) -> set[str]:
    return {each.kind for each in entries_of(person)}


def test_everything_that_is_owed_stands_there(world: World) -> None:
    owing(world)
    assert kinds(world.mo) == {"Attestation", "Drill", "Policy", "Review", "Change", "Finding"}
    assert entries_of(world.zoe) == []
    assert kinds(world.ann) == {"Drill", "Policy"}


def test_overdue_stands_first_and_the_months_follow(world: World) -> None:
    PolicyVersion.objects.update(review_due_at=now() - timedelta(days=1))
    page = text(browser_of(world.mo).get("/calendar/").content)
    assert page.index("Overdue") < page.index("Look at the policy of Billing again") < page.index("Drill Billing")


def test_feed_is_read_by_another_program_and_names_no_person(world: World) -> None:
    owing(world)
    answer = Client().get(f"/calendar/feed/{feed.token_of(world.mo)}.ics")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    read = Calendar.from_ical(answer.content)
    events = {str(event["uid"]): event for event in read.walk("VEVENT")}
    expected = {each.key: each for each in entries_of(world.mo)}
    assert {uid.partition("@")[0] for uid in events} == set(expected)
    for uid, event in events.items():
        assert isinstance(event, Event)
        each = expected[uid.partition("@")[0]]
        assert (event.start, str(event["summary"])) == (each.due_at.replace(microsecond=0), each.title)
    names = {person.name.encode() for person in world.people.values()}
    assert [name for name in names if name in answer.content] == []


def test_address_ends_with_the_password_and_with_leaving(world: World) -> None:
    token = feed.token_of(world.mo)
    assert feed.person_of(token) == world.mo
    for wrong in (token[:-1], f"{world.ann.pk.hex}~{token.partition('~')[2]}", "", "x~y", "~", token * 9):
        assert feed.person_of(wrong) is None
        assert Client().get(f"/calendar/feed/{wrong or 'none'}.ics").status_code == 404
    world.mo.set_password("another password that is long")
    world.mo.save()
    assert feed.person_of(token) is None
    again = feed.token_of(world.mo)
    Person.objects.filter(pk=world.mo.pk).update(left_at=now())
    assert feed.person_of(again) is None


def test_page_asks_as_much_for_three_systems_as_for_one(world: World) -> None:
    browser, counts = browser_of(world.mo), []
    for number in (1, 2, 3):
        if number > 1:
            make_world(slug=f"more-{number}", on_target=f"more_{number}", people=world.people)
        owing(world)
        with CaptureQueriesContext(connection) as asked:
            browser.get("/calendar/")
        counts.append(len(asked))
    assert counts[0] == counts[2]


def test_an_address_that_was_handed_out_stays_good(world: World) -> None:
    """Its signature covers the name it is signed for, so that name follows no folder."""
    assert feed.SALT == "portal.calendar.feed"
    assert feed.person_of(feed.token_of(world.mo)) == world.mo


def said(person: Person, kind: str) -> list[tuple[str, str]]:
    return sorted((each.key.partition("-")[0], each.title) for each in entries_of(person) if each.kind == kind)


def test_new_secrets_and_drills_of_cards_stand_there_for_who_keeps_and_owns_them() -> None:
    with sealing():
        vault = make_vault(CARDS)
        printed(vault)
    pair = OfflineSet.objects.get()
    due = now() + timedelta(hours=3)
    Rotation.objects.create(account=vault.account, cause=USED, owed_at=now(), due_at=due)
    expected = [
        ("cards", "Drill the offline cards of an account of Billing"), ("rotation", "New secret for an account of Billing"),
    ]  # fmt: skip
    for who in ("cleo", "dora", "mo", "pia"):
        assert said(vault.world.people[who], "Sealed account") == expected
    assert [said(vault.world.people[who], "Sealed account") for who in ("ann", "zoe")] == [[], []]
    dates = {
        each.key.partition("-")[0]: each.due_at for each in entries_of(vault.cleo) if each.kind == "Sealed account"
    }
    assert dates == {"cards": pair.made_at + timedelta(days=90), "rotation": due}
    Rotation.objects.all().delete()
    OfflineSet.objects.update(state="used")
    assert said(vault.cleo, "Sealed account") == []


def test_use_of_offline_cards_is_to_be_reviewed_until_it_is() -> None:
    with sealing():
        vault = make_vault(CARDS)
        ended = now() - timedelta(milliseconds=1)
        declare_use(
            by=actor(vault.world.ann), account=vault.account, asked=vault.world.asked("bypass"), from_at=ended - timedelta(hours=1), to_at=ended,
        )  # fmt: skip
    for who in ("kim", "mo"):
        assert said(vault.world.people[who], "Review") == [("review", "Review a use of offline cards of Billing")]
    row = Review.objects.get()
    assert [each.due_at for each in entries_of(vault.world.kim) if each.kind == "Review"] == [row.due_at]
    claim(by=actor(vault.world.kim), review=row)
    submit(by=actor(vault.world.kim), review=row, answers=FINE, outcome="accepted")
    assert said(vault.world.mo, "Review") == []


def test_changes_and_privacy_stand_there_from_the_end_of_a_use_until_they_are_settled() -> None:
    world = make_world()
    System.objects.update(personal_data=True)
    review, kim = taken(world, ended_h=2), actor(world.kim)
    ended = grant_of(review).ended_at
    assert ended is not None
    decide = ("privacy", "Decide on privacy after a use of Billing")
    change = ("change", "Take the changes of a use of Billing back into change control")
    assert (said(world.mo, "Privacy"), said(world.kim, "Change"), said(world.zoe, "Change")) == ([decide], [change], [])
    dates = {each.kind: each.due_at for each in entries_of(world.mo) if each.kind in ("Privacy", "Change")}
    assert dates == {"Privacy": ended + timedelta(hours=24), "Change": ended + timedelta(hours=48)}
    ChangeRecord.objects.create(
        review=review, reference="CHG-1", raised_at=ended, disposition="kept", kinds=["data_change"], upto=0, count=0, recorded_at=now(),
        recorded_by=world.kim,
    )  # fmt: skip
    known = now() - timedelta(hours=1)
    made = aftermath.decide_privacy(by=kim, review=review, breach=True, aware_at=known, reason="Names were read.")
    assert (said(world.mo, "Change"), said(world.mo, "Privacy")) == ([], [("notice", "Notify the breach of Billing")])
    assert [each.due_at for each in entries_of(world.mo) if each.kind == "Privacy"] == [made.notice_due_at]
    aftermath.record_notice(by=kim, review=review, notified_at=now())
    assert said(world.mo, "Privacy") == []


def test_use_without_changes_or_personal_data_owes_neither() -> None:
    world = make_world()
    taken(world, intended_classes=("data_read",))
    assert (said(world.mo, "Change"), said(world.mo, "Privacy")) == ([], [])
