"""A use of offline cards is reviewed with the questions of any use, by somebody who neither used, kept nor held them."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.append import LogUnavailable
from audit.log.read import named
from portal.access_requests.actions import ask
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.eligibility.models import REVIEWER, RoleAssignment
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.findings.queries import waiting_for
from portal.grants import opening
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.policy.alerts import Telling
from portal.policy.rules import Policy
from portal.reviews import sweep
from portal.reviews.offline.actions import submit
from portal.reviews.offline.declaring import declare_use
from portal.reviews.offline.models import OfflineReview
from portal.reviews.offline.queries import due_for
from portal.sealed.models import CARDS
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.reviews.test_pages import filled
from tests.portal.reviews.test_reviews import worse
from tests.portal.reviews.used import FINE
from tests.portal.sealed.vault import Vault, make_vault
from tests.worlds import actor, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with sealing():
        yield make_vault(CARDS)


def times() -> dict[str, datetime]:
    ended = now() - timedelta(milliseconds=1)
    return {"from_at": ended - timedelta(hours=1), "to_at": ended}


def declared(vault: Vault, who: str = "ann") -> OfflineReview:
    by = actor(vault.world.people[who])
    request = declare_use(by=by, account=vault.account, asked=vault.world.asked("bypass"), **times())
    return OfflineReview.objects.get(request=request)


def told(kind: str) -> list[str]:
    rows = Alert.objects.filter(kind=kind).select_related("recipient")
    return sorted(each.recipient.name if each.recipient else "list" for each in rows)


def also_reviews(vault: Vault, person: Person) -> None:
    at, world = now() - timedelta(days=30), vault.world
    RoleAssignment.objects.create(
        person=person, role=REVIEWER, system=world.system, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn, approved_at=at,
        from_at=at,
    )  # fmt: skip


def test_declared_use_is_up_for_review_within_a_day_and_judged_by_its_page(vault: Vault) -> None:
    review, world = declared(vault), vault.world
    assert timedelta(hours=23) < review.due_at - now() <= timedelta(hours=24)
    (due,) = named(("offline.review_due",))
    assert (due.case, due.fields["pool"]) == (review.log_case, [str(world.kim.pk), str(world.lea.pk)])
    assert (told("review.due"), due_for(world.kim), due_for(world.ann)) == (["Kim", "Lea"], [review], [])
    address, kim = f"/reviews/offline/{review.pk}/", browser_of(world.kim)
    seen = {who: browser_of(world.people[who]).get(address).status_code for who in ("kim", "mo", "ann", "ben", "zoe")}
    assert seen == {"kim": 200, "mo": 200, "ann": 404, "ben": 404, "zoe": 404}
    assert "Uses of offline cards to review" in kim.get("/").content.decode()
    assert "Ten questions" not in browser_of(world.mo).get(address).content.decode()
    empty = kim.post(f"{address}submit/", {})
    assert (empty.status_code, OfflineReview.objects.get().submitted_at) == (422, None)
    assert kim.post(f"{address}submit/", filled()).status_code == 302
    (reviewed,) = named(("offline.reviewed",))
    assert (reviewed.case, reviewed.fields["reviewer_id"], reviewed.fields["adverse_answers"]) == (
        review.log_case,
        str(world.kim.pk),
        0,
    )
    page = kim.get(address).content.decode()
    assert ("by Kim" in page, "Submit the review" in page, due_for(world.lea)) == (True, False, [])
    with pytest.raises(ChangedMeanwhile):
        submit(by=actor(world.lea), review=review, answers=FINE, outcome="accepted")


def test_policy_says_within_how_many_hours_it_is_due_and_who_else_is_told_that_it_is_overdue() -> None:
    policy = Policy(review_due_hours_bypass=4, alerts=(Telling("overdue", ("security",)),))
    with sealing():
        review = declared(make_vault(CARDS, world=make_world(policy=policy)))
    assert timedelta(hours=3) < review.due_at - now() <= timedelta(hours=4)
    assert Finding.objects.get(kind="offline use").due_at == review.due_at
    OfflineReview.objects.filter(pk=review.pk).update(due_at=now())
    assert (sweep.run_due(), told("review.overdue")) == (1, ["Kim", "Lea", "Mo", "list"])


@pytest.mark.parametrize("who", ["ann", "cleo", "dora"])
def test_who_used_kept_or_held_the_cards_does_not_judge(vault: Vault, who: str) -> None:
    """Although each of them is made a reviewer."""
    review, person = declared(vault), vault.world.people[who]
    also_reviews(vault, person)
    with pytest.raises(NotAllowed) as refused:
        submit(by=actor(person), review=review, answers=FINE, outcome="accepted")
    assert (refused.value.kind, due_for(person)) == ("involved", [])
    assert "You had a part in this use" in browser_of(person).get(f"/reviews/offline/{review.pk}/").content.decode()


@pytest.mark.parametrize("who", ["ann", "cleo", "dora"])
def test_who_used_or_kept_the_cards_does_not_close_the_finding_of_their_use(vault: Vault, who: str) -> None:
    declared(vault)
    row, person = Finding.objects.get(kind="offline use"), vault.world.people[who]
    also_reviews(vault, person)
    findings.answer(by=actor(vault.world.mo), finding=row, cause="c", response="r")
    assert (waiting_for(person), waiting_for(vault.world.kim)) == ([], [row])
    with pytest.raises(NotAllowed) as refused:
        findings.close(by=actor(person), finding=row, retest_ok=False, comment="Looked at.")
    assert refused.value.kind == "own use"


def test_adverse_answers_open_findings_and_half_a_judgement_is_none(vault: Vault) -> None:
    review, kim = declared(vault), actor(vault.world.kim)
    answers = worse(Q01=("no", "It could have waited."))
    for outcome, given in (("accepted", answers), ("accepted", {"Q01": FINE["Q01"]}), ("nonsense", FINE)):
        with pytest.raises(RefusedByPolicy):
            submit(by=kim, review=review, answers=given, outcome=outcome)
    with broken_log(), pytest.raises(LogUnavailable):
        submit(by=kim, review=review, answers=answers, outcome="not_accepted")
    assert (OfflineReview.objects.get().submitted_at, Finding.objects.filter(kind="review_answer").count()) == (None, 0)
    submit(by=kim, review=review, answers=answers, outcome="not_accepted")
    finding = Finding.objects.get(kind="review_answer")
    assert (finding.owner, finding.case, finding.about) == (vault.world.mo, review.log_case, str(review.pk))


def test_custodian_declares_their_own_use_and_the_others_are_told(vault: Vault) -> None:
    world = vault.world
    review = declared(vault, "dora")
    assert (review.request.responder, told("offline.use_declared")) == (
        world.dora,
        ["Cleo", "Mo", "Pia", "Quinn", "list"],
    )
    assert Alert.objects.filter(kind="offline.use_declared").latest("queued_at").facts["custodian"] == 1
    with pytest.raises(NotAllowed):  # neither does that lend them what they keep
        opening.bypass(by=actor(world.dora), privilege=world.privilege, asked=world.asked("bypass"))
    with pytest.raises(NotAllowed):
        ask(by=actor(world.dora), privilege=world.privilege, asked=world.asked())


@pytest.mark.parametrize("who", ["ines", "mo", "zoe"])
def test_nobody_else_declares_a_use(vault: Vault, who: str) -> None:
    with pytest.raises(NotAllowed):
        declared(vault, who)
    assert (OfflineReview.objects.count(), AccessRequest.objects.count()) == (0, 0)


def test_custodian_finds_the_form_and_an_outsider_none(vault: Vault) -> None:
    found = {
        who: browser_of(vault.world.people[who]).get(f"/sealed/{vault.account.pk}/used/").status_code
        for who in ("cleo", "dora", "ann", "ines", "zoe")
    }
    assert found == {"cleo": 200, "dora": 200, "ann": 200, "ines": 404, "zoe": 404}


def test_owner_is_told_where_nobody_can_review(vault: Vault) -> None:
    RoleAssignment.objects.filter(role=REVIEWER).update(to_at=now())
    review = declared(vault)
    alert = Alert.objects.get(kind="system.problem")
    assert (alert.recipient, alert.path, told("review.due")) == (vault.world.mo, f"/reviews/offline/{review.pk}/", [])


def test_overdue_review_is_told_once(vault: Vault) -> None:
    review = declared(vault)
    assert sweep.run_due() == 0
    OfflineReview.objects.filter(pk=review.pk).update(due_at=now())
    assert (sweep.run_due(), sweep.run_due()) == (1, 0)
    assert told("review.overdue") == ["Kim", "Lea", "Mo"]
    assert "Overdue" in browser_of(vault.world.kim).get("/").content.decode()


def another(review: OfflineReview) -> None:
    """As if there had been the same use once more."""
    request = AccessRequest.objects.get(pk=review.request_id)
    request.pk, request._state.adding = None, True
    request.save(force_insert=True)
    OfflineReview.objects.create(request=request, of_set=review.of_set, due_at=review.due_at)


def test_list_takes_the_same_queries_for_one_and_for_three(vault: Vault) -> None:
    review, kim = declared(vault), browser_of(vault.world.kim)

    def asked() -> list[int]:
        counts = []
        for address in ("/reviews/", "/reviews/?show=offline", "/"):
            kim.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert kim.get(address).status_code == 200
            counts.append(len(queries))
        return counts

    one = asked()
    for _ in range(2):
        another(review)
    assert asked() == one


def test_list_names_its_total_loses_none_and_is_a_file(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.reviews.views.PER_PAGE", 2)
    review, kim = declared(vault), browser_of(vault.world.kim)
    another(review)
    another(review)
    pages = [kim.get(f"/reviews/?show=offline&page={number}").content.decode() for number in (1, 2)]
    assert all("<strong>3</strong> uses of offline cards" in each and "3 uses" in each for each in pages)
    found = [set(re.findall(r"/reviews/offline/([0-9a-f-]{36})/", each.partition('id="all"')[2])) for each in pages]
    assert [len(each) for each in found] == [2, 1]
    assert found[0] | found[1] == {str(each.pk) for each in OfflineReview.objects.all()}
    lines = kim.post("/lists/offline_reviews.csv").getvalue().decode().splitlines()[1:]
    assert {each.partition(",")[0] for each in lines} == found[0] | found[1]
