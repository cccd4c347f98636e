"""The first page lists everything that waits for somebody's hand, at the same cost for one thing and for many."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.append import process
from portal.access_requests.actions import supplement
from portal.clock import now
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.grants import authorising, ending, opening
from portal.grants.actions import give_back, reveal
from portal.grants.releasing import release
from portal.people.models import Person
from portal.sealed.models import CARDS, OfflineCard, OfflineSet, SealedAccount
from portal.sealed.states import MADE
from tests.browsing import browser_of
from tests.portal.campaigns.attested import begun
from tests.portal.reviews.used import submitted
from tests.portal.sealed.vault import custodian, make_vault, proposed
from tests.worlds import World, actor, make_world, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
NOTHING = "Nothing waits for you"


@pytest.fixture
def world() -> World:
    return make_world()


def home_of(person: Person) -> str:
    page = browser_of(person).get("/").content.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", page.split("<main", 1)[1].split("</main>", 1)[0]).split()).replace(
        "&#x27;", "'"
    )


def raised(world: World, title: str, owner: Person | None) -> Finding:
    return findings.raise_finding(
        by=process("test"), kind="gap", title=title, about="w-1", system=world.system, owner=owner,
        due_at=now() + timedelta(days=1),
    )  # fmt: skip


def test_owner_of_an_overdue_finding_is_not_told_that_nothing_waits(world: World) -> None:
    assert NOTHING in home_of(world.mo)
    Finding.objects.filter(pk=raised(world, "Records are missing", world.mo).pk).update(
        due_at=now() - timedelta(days=1)
    )
    page = home_of(world.mo)
    assert (NOTHING in page, "Overdue Finding Records are missing Billing Overdue" in page) == (False, True)


def test_what_is_open_stands_first_then_decisions_then_what_is_late_then_duties(world: World) -> None:
    begun(world)
    late, _ = raised(world, "Late", world.mo), raised(world, "In time", world.mo)
    Finding.objects.filter(pk=late.pk).update(due_at=now() - timedelta(days=1))
    with sealing():
        opened(world)
    request_of(world, by="ben")
    decides = ("Open on your systems Ann: Billing", "Waiting for your decision Ben: Billing")
    owns = (
        "Open on your systems Ann: Billing",
        "Overdue Finding Late",
        "To attest Who may",
        "Findings that you own In time",
    )
    for person, marks in ((world.ines, decides), (world.mo, owns)):
        page = home_of(person)
        places = [page.find(mark) for mark in marks]
        assert (-1 in places, places) == (False, sorted(places)), page


def test_auditor_sees_first_what_is_open_and_late_and_whether_the_log_was_checked(world: World) -> None:
    assert "Home Look at this first The check of the log It was never checked. Evidence" in home_of(world.otto)
    late = raised(world, "Late", world.mo)
    Finding.objects.filter(pk=late.pk).update(due_at=now() - timedelta(days=1))
    with sealing():
        opening.run(authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass")).pk)
    wanted = "1 access is open now 1 of them by bypass 1 finding is overdue"
    assert wanted in home_of(world.otto)


def test_answered_finding_waits_for_who_may_close_it_and_one_without_owner_for_who_gives_it(world: World) -> None:
    unowned, row = raised(world, "Nobody has this", None), raised(world, "Ben has this", world.ben)
    assert NOTHING in home_of(world.kim)
    findings.answer(by=actor(world.ben), finding=row, cause="A full disk.", response="A bigger one.")
    assert "Findings that wait for your look Ben has this" in home_of(world.kim)
    assert unowned.title not in home_of(world.kim)
    assert unowned.title in home_of(world.mo)
    assert "Findings that you own Ben has this" in home_of(world.ben)
    findings.close(by=actor(world.mo), finding=row, retest_ok=True)
    assert NOTHING in home_of(world.kim)


def test_lines_to_attest_wait_for_who_decides_them(world: World) -> None:
    begun(world)
    page = home_of(world.mo)
    assert ("To attest Who may ask for access: Billing 2 lines for you to decide" in page, NOTHING in page) == (
        True,
        False,
    )
    assert NOTHING in home_of(world.lea)


def test_bypass_owes_until_it_is_supplemented(world: World) -> None:
    short = world.asked("bypass", reason="Disk full.", incident_ref="")
    with sealing():
        grant = opening.run(authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=short).pk)
    assert "You still owe Your bypass of Billing Left out: incident, a longer reason" in home_of(world.ann)
    supplement(by=actor(world.ann), request=grant.request, asked=world.asked("bypass"))
    assert "You still owe" not in home_of(world.ann)


def test_reviewed_bypass_owes_no_more(world: World) -> None:
    review = submitted(world, "kim", by="ann", mode="bypass")
    request = review.request
    request.incident_ref = ""
    request.save()
    assert "You still owe" not in home_of(world.ann)


def test_home_costs_the_same_for_one_finding_and_for_many(world: World) -> None:
    raised(world, "First", world.mo)
    there, counts = browser_of(world.mo), []
    for extra in (0, 7):
        for number in range(extra):
            raised(world, f"Another {number}", world.mo)
        there.get("/")
        with CaptureQueriesContext(connection) as asked:
            page = there.get("/").content.decode()
        counts.append((len(asked), "3 more of yours" in page))
    assert counts == [(counts[0][0], False), (counts[0][0], True)]


def test_sealed_account_waits_for_each_hand_that_it_needs(world: World) -> None:
    proposed(world, custodian(world, "vera"))
    assert "Put under seal: The vault's administrator Billing Proposed by Pia" in home_of(world.quinn)
    assert "Put under seal" not in home_of(world.pia)
    SealedAccount.objects.all().delete()
    with sealing():
        vault = make_vault(world=world)
        assert NOTHING in home_of(vault.cleo)
        grant = opened(vault.world)
        wanted = "To release Ann waits for the secret of The vault's administrator Billing"
        assert [wanted in home_of(each) for each in (world.ines, world.mo, vault.cleo, world.pia, world.ann)] == [
            *[True] * 4,
            False,
        ]
        release(by=actor(world.ines), grant=grant)
        assert wanted not in home_of(world.ines)
        reveal(by=actor(world.ann), grant=grant)
        ending.run(give_back(by=actor(world.ann), grant=grant).pk)
    assert "Secrets owed Give The vault's administrator a new secret Billing: Shown in a use" in home_of(vault.cleo)


def test_cards_wait_to_be_printed_at_the_same_cost_for_one_and_for_many(world: World) -> None:
    with sealing():
        vault = make_vault(CARDS, world=world)
    assert "Cards to print and to hold Card A of The vault's administrator Billing, set 1: print it" in home_of(
        vault.cleo
    )
    there, counts = browser_of(vault.cleo), []
    for more in (0, 2):
        for number in range(more):
            made = OfflineSet.objects.create(
                account=copied(vault.account, number), number=1, state=MADE, made_at=now(), opened_at=now()
            )
            OfflineCard.objects.create(of_set=made, letter="A", custodian=vault.cleo, share=b"0")
        there.get("/")
        with CaptureQueriesContext(connection) as asked:
            page = there.get("/").content.decode()
        counts.append((len(asked), page.count("Card A of")))
    assert counts == [(counts[0][0], 1), (counts[0][0], 3)]


def copied(account: SealedAccount, number: int) -> SealedAccount:
    account.pk, account.account, account.privilege = uuid4(), f"vault_{number}", None
    account._state.adding = True
    account.save()
    return account
