"""Policies by their pages: read in sentences, written by one administrator, agreed to by another."""

import html
import re
from collections import Counter
from itertools import count
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.read import named
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.policy.actions import approve, propose
from portal.policy.forms import PolicyForm, first_values
from portal.policy.models import PolicyVersion
from portal.policy.queries import waiting
from portal.policy.rules import Policy
from tests.at_once import at_once
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def filled(**changes: object) -> dict[str, object]:
    """What the form sends when nothing but ``changes`` was touched: an unchecked box is not sent."""
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in first_values(Policy()).items()}
    said = {name: "on" if value is True else value for name, value in said.items() if value is not False}
    return {name: value for name, value in ({"review_days": 365} | said | changes).items() if value is not None}


def proposed(world: World, **changes: object) -> PolicyVersion:
    version: PolicyVersion = propose(by=actor(world.pia), system=world.system, policy=Policy(**changes))  # type: ignore[arg-type]  # rules by name
    return version


def test_form_untouched_is_the_policy_in_force() -> None:
    form = PolicyForm(filled())
    assert form.is_valid(), form.errors
    assert form.policy == Policy()
    assert first_values(Policy())["open_unsealed"] is False


def test_new_version_waits_and_holds_once_another_agrees(world: World) -> None:
    before = request_of(world)
    writer = browser_of(world.pia)
    form = writer.get(f"/policies/{world.system.pk}/new/").content.decode()
    assert re.search(r'name="incident_required"[^>]*checked', form)
    assert not re.search(r'name="open_unsealed"[^>]*checked', form)
    answer = writer.post(f"/policies/{world.system.pk}/new/", filled(max_grant_minutes=90, min_approvals=2))
    version = PolicyVersion.objects.get(number=2)
    assert answer.headers["Location"] == f"/policies/versions/{version.pk}/"
    said = text(writer.get(f"/policies/versions/{version.pk}/").content)
    assert "You wrote it, so somebody else must agree." in said
    assert "Agree: bring it into force" not in said
    assert version.sha256 in said
    assert re.search(r"Longest window, in minutes 120 90 Changed", said)
    assert said.count("Changed") == 2
    assert writer.post(f"/policies/versions/{version.pk}/approve/").status_code == 403
    second = browser_of(world.quinn)
    assert "1 proposed version waits" in text(second.get("/policies/").content)
    assert second.post(f"/policies/versions/{version.pk}/approve/").status_code == 302
    assert "2 approvers must say yes; at most 90 minutes." in text(second.get("/policies/").content)
    before.refresh_from_db()
    assert before.policy.number == 1
    assert "Version 1" in text(browser_of(world.ann).get(f"/requests/{before.pk}/").content)
    assert second.post(f"/policies/versions/{version.pk}/approve/").status_code == 409


def test_version_is_held_against_the_one_in_force_whatever_their_numbers(world: World) -> None:
    looser, stricter = proposed(world, max_grant_minutes=100), proposed(world, max_grant_minutes=90)
    browser = browser_of(world.quinn)
    first = PolicyVersion.objects.get(number=1)

    def beside(version: PolicyVersion) -> PolicyVersion | None:
        found: PolicyVersion | None = browser.get(f"/policies/versions/{version.pk}/").context["before"]
        return found

    assert [beside(each) for each in (first, looser, stricter)] == [None, first, first]
    assert browser.post(f"/policies/versions/{stricter.pk}/approve/").status_code == 302
    assert [beside(each) for each in (first, looser, stricter)] == [None, stricter, first]
    page = text(browser.get(f"/policies/versions/{looser.pk}/").content)
    assert ("Until then version 3 holds" in page, "Looser" in page, "Stricter" in page) == (True, True, False)
    assert browser.post(f"/policies/versions/{looser.pk}/approve/").status_code == 302
    assert [beside(each) for each in (first, looser, stricter)] == [None, stricter, first]


def test_fifty_hands_that_agree_to_two_versions_leave_one_in_force_and_each_refusal_on_record(world: World) -> None:
    versions = [proposed(world, max_grant_minutes=each) for each in (100, 90)]
    turns = count()
    outcomes = at_once(50, lambda: approve(by=actor(world.quinn), version=versions[next(turns) % 2]))
    kinds = Counter(type(each).__name__ for each in outcomes)
    assert kinds == {"PolicyVersion": 2, "WrongState": 48}
    assert PolicyVersion.objects.filter(effective_from__isnull=False, effective_to__isnull=True).count() == 1
    replaced = [str(each.fields["replaces_id"]) for each in named(["policy.approved"])]
    first = PolicyVersion.objects.get(number=1)
    assert (len(named(["policy.act_refused"])), len(set(replaced)), str(first.pk) in replaced) == (48, 2, True)


def test_version_is_not_agreed_to_beside_one_that_is_no_longer_in_force(world: World) -> None:
    first = PolicyVersion.objects.get(number=1)
    looser, stricter = proposed(world, max_grant_minutes=100), proposed(world, max_grant_minutes=90)
    browser = browser_of(world.quinn)
    page = browser.get(f"/policies/versions/{looser.pk}/").content.decode()
    assert f'name="instead_of" value="{first.pk}"' in page
    browser.post(f"/policies/versions/{stricter.pk}/approve/", {"instead_of": first.pk})
    late = browser.post(f"/policies/versions/{looser.pk}/approve/", {"instead_of": first.pk})
    looser.refresh_from_db()
    assert (late.status_code, looser.approved_at, len(named(["policy.act_refused"]))) == (409, None, 1)
    assert browser.post(f"/policies/versions/{looser.pk}/approve/", {"instead_of": stricter.pk}).status_code == 302


def test_first_version_is_not_agreed_to_unseen_beside_one_that_came_into_force_meanwhile(world: World) -> None:
    PolicyVersion.objects.all().delete()
    one, other = proposed(world, max_grant_minutes=100), proposed(world, max_grant_minutes=90)
    browser = browser_of(world.quinn)
    page = browser.get(f"/policies/versions/{other.pk}/").content.decode()
    assert 'name="instead_of" value="none"' in page
    answers = [browser.post(f"/policies/versions/{each.pk}/approve/", {"instead_of": "none"}) for each in (one, other)]
    other.refresh_from_db()
    assert ([each.status_code for each in answers], other.approved_at) == ([302, 409], None)


def test_declined_version_never_holds(world: World) -> None:
    version = proposed(world, max_grant_minutes=30, bypass_minutes=30)
    browser = browser_of(world.quinn)
    answer = browser.post(f"/policies/versions/{version.pk}/decline/", follow=True)
    assert "It never held." in text(answer.content)
    assert "at most 120 minutes" in text(browser.get("/policies/").content)
    assert browser.post(f"/policies/versions/{version.pk}/approve/").status_code == 409


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"max_grant_minutes": 241}, "At most 240."),
        ({"min_approvals": 0}, "At least 1."),
        ({"bypass_minutes": 121}, "A bypass is 5 minutes or more, and no longer than an approved window."),
        ({"modes": None}, "Choose at least one."),
        ({"criteria": ["boredom"]}, "Choose one of these."),
        ({"min_reason_chars": "many"}, "Type a whole number."),
        ({"max_extensions": 2}, "At most 1."),
        ({"step_up_minutes": "9" * 300}, "At most 15."),
        ({"review_due_hours": ""}, "Please fill this in."),
    ],
)
def test_rules_out_of_their_limits_are_said_and_the_rest_is_kept(
    world: World, changes: dict[str, object], sentence: str
) -> None:
    answer = browser_of(world.pia).post(
        f"/policies/{world.system.pk}/new/",
        filled(lapse_minutes=77) | changes if None not in changes.values() else filled(lapse_minutes=77, **changes),
    )
    assert answer.status_code == 422
    assert sentence in text(answer.content)
    assert 'value="77"' in answer.content.decode()
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "reads"),
    [("ann", True), ("ines", True), ("kim", True), ("mo", True), ("otto", True), ("pia", True), ("zoe", False)],
)
def test_policy_is_read_by_those_concerned_and_changed_by_administrators(world: World, name: str, reads: bool) -> None:
    version = proposed(world, max_grant_minutes=90)
    browser = browser_of(world.people[name])
    assert ("Billing" in text(browser.get("/policies/").content)) == reads
    for address in (f"/policies/{world.system.pk}/", f"/policies/versions/{version.pk}/"):
        assert browser.get(address).status_code == (200 if reads else 404)
    if name == "pia":
        return
    assert browser.get(f"/policies/{world.system.pk}/new/").status_code == 404
    assert browser.post(f"/policies/{world.system.pk}/new/", filled()).status_code == 403
    for act in ("approve", "decline"):
        assert browser.post(f"/policies/versions/{version.pk}/{act}/").status_code == 403
    version.refresh_from_db()
    assert (version.approved_at, version.declined_at, PolicyVersion.objects.count()) == (None, None, 2)


def test_second_factor_is_asked_with_the_rules_kept(world: World) -> None:
    browser = browser_of(world.pia)
    stale(world.pia)
    address = f"/policies/{world.system.pk}/new/"
    asked = browser.post(address, filled(max_grant_minutes=90)).content.decode()
    kept = [
        (name, html.unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', asked)
    ]
    assert ("max_grant_minutes", "90") in kept
    assert [value for name, value in kept if name == "modes"] == list(Policy().modes)
    assert PolicyVersion.objects.count() == 1
    assert browser.post(address, filled(max_grant_minutes=90) | {"code": code_of_device(world.pia)}).status_code == 302


def test_declining_asks_for_the_second_factor(world: World) -> None:
    version, browser = proposed(world, max_grant_minutes=90), browser_of(world.quinn)
    stale(world.quinn)
    address = f"/policies/versions/{version.pk}/decline/"
    assert browser.post(address).status_code == 200  # the page that asks for the code
    version.refresh_from_db()
    assert version.declined_at is None
    assert browser.post(address, {"code": code_of_device(world.quinn)}).status_code == 302


def test_versions_wait_for_administrators_of_their_system_alone(world: World) -> None:
    other = make_world(slug="payroll", people=world.people)
    RoleAssignment.objects.filter(person=world.quinn, system=other.system).update(to_at=now())
    here, there = proposed(world, max_grant_minutes=90), proposed(other, max_grant_minutes=90)
    assert [list(waiting(person)) for person in (world.quinn, world.pia, world.mo)] == [[here], [], []]
    RoleAssignment.objects.filter(person=world.mo, system=other.system).update(role="administrator")
    assert list(waiting(world.mo)) == [there]


def test_broken_log_proposes_and_agrees_to_nothing(world: World) -> None:
    version = proposed(world, max_grant_minutes=90)
    writer, second = browser_of(world.pia), browser_of(world.quinn)
    with broken_log():
        answer = writer.post(f"/policies/{world.system.pk}/new/", filled(lapse_minutes=77))
        agreed = second.post(f"/policies/versions/{version.pk}/approve/")
    version.refresh_from_db()
    assert (answer.status_code, agreed.status_code, version.approved_at, PolicyVersion.objects.count()) == (
        503,
        503,
        None,
        2,
    )
    assert 'value="77"' in answer.content.decode()


def test_what_does_not_exist_is_not_found(world: World) -> None:
    browser = browser_of(world.pia)
    for address in (f"/policies/{uuid4()}/", f"/policies/{uuid4()}/new/", f"/policies/versions/{uuid4()}/"):
        assert browser.get(address).status_code == 404
    assert browser.post(f"/policies/versions/{uuid4()}/approve/").status_code == 404


def test_list_asks_the_same_number_of_queries_for_one_system_and_for_three(world: World) -> None:
    browser = browser_of(world.pia)
    browser.get("/policies/")
    with CaptureQueriesContext(connection) as one:
        browser.get("/policies/")
    for slug in ("payments", "archive"):
        proposed(make_world(slug=slug, on_target=f"{slug}_emergency", people=world.people), max_grant_minutes=90)
    with CaptureQueriesContext(connection) as three:
        page = browser.get("/policies/").content
    assert len(three) == len(one)
    assert text(page).count("1 proposed version waits") == 2
    assert not AccessRequest.objects.exists()


def test_policy_is_looked_at_again_in_time_or_said_to_be_overdue(world: World) -> None:
    browser = browser_of(world.pia)
    assert browser.post(f"/policies/{world.system.pk}/new/", filled(review_days=400)).status_code == 422
    browser.post(f"/policies/{world.system.pk}/new/", filled(review_days=90))
    version = PolicyVersion.objects.get(number=2)
    assert (version.review_due_at - version.written_at).days == 90
    assert "Overdue for review" not in text(browser.get(f"/policies/{world.system.pk}/").content)
    PolicyVersion.objects.filter(number=1).update(review_due_at=now())
    assert "Overdue for review" in text(browser.get(f"/policies/{world.system.pk}/").content)
    assert "overdue for review" in text(browser.get("/policies/").content)
