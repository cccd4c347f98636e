"""A use of offline cards is reviewed as any use, by somebody who neither used, kept nor held them: taken, judged, looked at a second time."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from audit.cases.reading import record_of
from audit.log.append import LogUnavailable
from audit.log.read import named
from portal.access_requests.asking import ask
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.eligibility.models import REVIEWER, RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.findings.queries import waiting_for
from portal.grants import authorising
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.policy.alerts import Telling
from portal.policy.rules import Policy
from portal.reviews import actions, delegating, second, sweep
from portal.reviews.judges import figures_for
from portal.reviews.models import Review
from portal.reviews.offline.declaring import declare_use
from portal.reviews.queries import due_for
from portal.sealed.models import CARDS
from portal.systems.models import Privilege
from tests.browsing import browser_of
from tests.factories import broken_log
from tests.portal.reviews.test_pages import filled
from tests.portal.reviews.test_reviews import worse
from tests.portal.reviews.used import FINE, follow_all, used
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


def declared(vault: Vault, who: str = "ann") -> Review:
    by = actor(vault.world.people[who])
    request = declare_use(by=by, account=vault.account, asked=vault.world.asked("bypass"), **times())
    return Review.objects.get(request=request)


def told(kind: str) -> list[str]:
    rows = Alert.objects.filter(kind=kind).select_related("recipient")
    return sorted(each.recipient.name if each.recipient else "list" for each in rows)


def also_reviews(vault: Vault, person: Person) -> None:
    at, world = now() - timedelta(days=30), vault.world
    RoleAssignment.objects.create(
        person=person, role=REVIEWER, system=world.system, proposed_by=world.pia, proposed_at=at, approved_by=world.quinn, approved_at=at,
        from_at=at,
    )  # fmt: skip


def taken(vault: Vault, who: str = "kim") -> Review:
    return actions.claim(by=actor(vault.world.people[who]), review=declared(vault))


def test_declared_use_is_up_for_review_within_a_day_taken_and_judged_by_its_page(vault: Vault) -> None:
    review, world = declared(vault), vault.world
    assert timedelta(hours=23) < review.due_at - now() <= timedelta(hours=24)
    (due,) = named(("review.due",))
    assert (due.case, due.fields["set_id"], "grant_id" in due.fields, due.fields["pool"]) == (
        review.log_case, str(review.of_set_id), False, [str(world.kim.pk), str(world.lea.pk)],
    )  # fmt: skip
    assert (told("review.due"), due_for(world.kim), due_for(world.ann)) == (["Kim", "Lea"], [review], [])
    address, kim = f"/reviews/{review.pk}/", browser_of(world.kim)
    seen = {who: browser_of(world.people[who]).get(address).status_code for who in ("kim", "mo", "ann", "ben", "zoe")}
    assert seen == {"kim": 200, "mo": 200, "ann": 404, "ben": 404, "zoe": 404}
    assert kim.get(f"/reviews/offline/{review.pk}/").headers["Location"] == address
    assert kim.post(f"{address}submit/", filled()).status_code == 403  # nobody has taken it
    assert kim.post(f"{address}claim/").status_code == 302
    page = kim.get(address).content.decode()
    assert ("What was declared" in page, "Ten questions" in page, "What was done" in page) == (True, True, False)
    assert "Ten questions" not in browser_of(world.lea).get(address).content.decode()
    assert [kim.get(f"{address}{part}/").status_code for part in ("after", "acts")] == [404, 404]
    empty = kim.post(f"{address}submit/", {})
    assert (empty.status_code, Review.objects.get().submitted_at) == (422, None)
    assert kim.post(f"{address}submit/", filled()).status_code == 302
    (reviewed,) = named(("review.submitted",))
    assert reviewed.case == review.log_case
    assert (reviewed.fields["reviewer_id"], reviewed.fields["evidence_skipped"], reviewed.fields["log_says"]) == (
        str(world.kim.pk),
        0,
        {},
    )
    page = kim.get(address).content.decode()
    assert ("by Kim" in page, "Submit the review" in page, due_for(world.lea)) == (True, False, [])


def test_two_grave_answers_ask_for_a_second_reviewer_who_had_no_part_in_it(vault: Vault) -> None:
    review, world = taken(vault), vault.world
    answers = worse(Q01=("no", "It could wait."), Q04=("no", "Twice as long as needed."))
    actions.submit(by=actor(world.kim), review=review, answers=answers, outcome="not_accepted")
    (asked,) = named(("review.second_asked",))
    assert (asked.case, asked.fields["pool"], asked.fields["questions"]) == (
        review.log_case,
        [str(world.lea.pk)],
        ["Q01", "Q04"],
    )
    lea = browser_of(world.lea)
    assert (due_for(world.lea), lea.post(f"/reviews/{review.pk}/claim/").status_code) == ([review], 302)
    assert "Your second look" in lea.get(f"/reviews/{review.pk}/").content.decode()
    second.submit_second(by=actor(world.lea), review=review, agrees=False, words="The cards were needed.")
    row = Review.objects.get()
    assert (row.state, row.second_agrees, told("system.problem")) == ("submitted", False, ["Mo"])


def test_it_goes_to_who_stands_in_and_back_to_the_pool_as_any_review(vault: Vault) -> None:
    review, world = taken(vault), vault.world
    at = now()
    delegating.delegate(
        by=actor(world.kim), to=world.lea, system=world.system, from_at=at, to_at=at + timedelta(days=2)
    )
    assert (sweep.run_due(), Review.objects.get().reviewer) == (1, world.lea)
    actions.hand_over(by=actor(world.lea), review=review, comment="Somebody else, please.")
    assert (Review.objects.get().state, [each.fields.get("to_id") for each in named(("review.handed_over",))]) == (
        "due",
        [str(world.lea.pk), None],
    )


def test_owner_sees_figures_of_its_judge(vault: Vault) -> None:
    actions.submit(by=actor(vault.world.kim), review=taken(vault), answers=FINE, outcome="accepted")
    (figures,) = figures_for(vault.world.mo)
    assert (figures.name, figures.reviews, figures.without_findings) == ("Kim", 1, 1)


def test_facts_and_case_hold_it_without_a_grant(vault: Vault) -> None:
    review = taken(vault)
    actions.submit(by=actor(vault.world.kim), review=review, answers=FINE, outcome="accepted")
    follow_all()
    record = record_of(review.log_case)
    assert record is not None
    assert record.case.review is not None
    assert (record.case.review.reviewer, record.case.review.outcome) == (str(vault.world.kim.pk), "accepted")


def test_database_ties_a_review_to_a_grant_or_to_cards_and_to_no_other_request(vault: Vault) -> None:
    review, not_sealed = declared(vault), Privilege.objects.exclude(pk=vault.world.privilege.pk)
    other = used(replace(vault.world, privilege=not_sealed[0]), by="ben")
    for changes in ({"of_set": None}, {"grant": other}, {"grant": other, "of_set": None}):
        with pytest.raises(IntegrityError):
            Review.objects.filter(pk=review.pk).update(**changes)


def test_policy_says_within_how_many_hours_it_is_due_and_who_else_is_told_that_it_is_overdue() -> None:
    policy = Policy(review_due_hours_bypass=4, alerts=(Telling("overdue", ("security",)),))
    with sealing():
        review = declared(make_vault(CARDS, world=make_world(policy=policy)))
    assert timedelta(hours=3) < review.due_at - now() <= timedelta(hours=4)
    assert Finding.objects.get(kind="offline use").due_at == review.due_at
    Review.objects.filter(pk=review.pk).update(due_at=now())
    sweep.run_due()
    assert told("review.overdue") == ["Kim", "Lea", "Mo", "list"]


@pytest.mark.parametrize("who", ["ann", "cleo", "dora"])
def test_who_used_kept_or_held_the_cards_does_not_judge(vault: Vault, who: str) -> None:
    """Although each of them is made a reviewer."""
    review, person = declared(vault), vault.world.people[who]
    also_reviews(vault, person)
    with pytest.raises(NotAllowed) as refused:
        actions.claim(by=actor(person), review=review)
    assert (refused.value.kind, due_for(person)) == ("involved", [])
    assert "You had a part in this use" in browser_of(person).get(f"/reviews/{review.pk}/").content.decode()


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
    review, kim = taken(vault), actor(vault.world.kim)
    answers = worse(Q01=("no", "It could have waited."))
    for outcome, given in (("accepted", answers), ("accepted", {"Q01": FINE["Q01"]}), ("nonsense", FINE)):
        with pytest.raises(RefusedByPolicy):
            actions.submit(by=kim, review=review, answers=given, outcome=outcome)
    with broken_log(), pytest.raises(LogUnavailable):
        actions.submit(by=kim, review=review, answers=answers, outcome="not_accepted")
    assert (Review.objects.get().submitted_at, Finding.objects.filter(kind="review_answer").count()) == (None, 0)
    actions.submit(by=kim, review=review, answers=answers, outcome="not_accepted")
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
        authorising.bypass(by=actor(world.dora), privilege=world.privilege, asked=world.asked("bypass"))
    with pytest.raises(NotAllowed):
        ask(by=actor(world.dora), privilege=world.privilege, asked=world.asked())


@pytest.mark.parametrize("who", ["ines", "mo", "zoe"])
def test_nobody_else_declares_a_use(vault: Vault, who: str) -> None:
    with pytest.raises(NotAllowed):
        declared(vault, who)
    assert (Review.objects.count(), AccessRequest.objects.count()) == (0, 0)


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
    assert (alert.recipient, alert.path, told("review.due")) == (vault.world.mo, f"/reviews/{review.pk}/", [])


def test_reminders_go_out_as_of_any_review_and_every_day_once_it_is_overdue(vault: Vault) -> None:
    review, half = declared(vault), timedelta(hours=12)
    assert sweep.run_due() == 0
    for gone, expected in (
        (half, {"review.reminder": ["Kim", "Lea"]}),
        (half * 1.5, {"review.reminder": ["Kim", "Lea", "Mo"]}),
        (half * 2, {"review.overdue": ["Kim", "Lea", "Mo"], "review.given_next": ["Kim", "Mo"]}),
        (half * 4, {"review.overdue": ["Kim", "Mo"], "review.given_next": []}),
    ):
        Alert.objects.all().delete()
        begun = now() - gone
        AccessRequest.objects.filter(pk=review.request_id).update(requested_at=begun)
        Review.objects.filter(pk=review.pk).update(due_at=begun + 2 * half)
        sweep.run_due()
        assert {kind: told(kind) for kind in expected} == expected
        assert sweep.run_due() == 0
    assert "Overdue" in browser_of(vault.world.kim).get("/").content.decode()


def another(review: Review) -> None:
    """As if there had been the same use once more."""
    request = AccessRequest.objects.get(pk=review.request_id)
    request.pk, request._state.adding = None, True
    request.save(force_insert=True)
    Review.objects.create(request=request, of_set=review.of_set, due_at=review.due_at)


def test_list_takes_the_same_queries_for_one_and_for_three(vault: Vault) -> None:
    review, kim = declared(vault), browser_of(vault.world.kim)

    def asked() -> list[int]:
        counts = []
        for address in ("/reviews/", "/"):
            kim.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert kim.get(address).status_code == 200
            counts.append(len(queries))
        return counts

    one = asked()
    for _ in range(2):
        another(review)
    assert asked() == one


def test_list_names_account_and_set_in_its_file(vault: Vault) -> None:
    review, kim = declared(vault), browser_of(vault.world.kim)
    page = kim.get("/reviews/").content.decode()
    assert ("Offline cards" in page, f"/reviews/{review.pk}/" in page) == (True, True)
    heading, line = csv.reader(kim.post("/lists/reviews.csv").getvalue().decode().splitlines())
    said = dict(zip(heading, line, strict=True))
    assert [said[each] for each in ("review", "grant", "offline_account", "offline_set", "person", "mode")] == [
        str(review.pk), "", vault.account.account, "1", "Ann", "bypass",
    ]  # fmt: skip
