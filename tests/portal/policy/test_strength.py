"""A policy that takes passkeys only: what is asked of whom, what is kept meanwhile, and how a bypass goes on without, for all to see."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from audit.controls.model import TestResult
from audit.facts.given import Period
from audit.log.ranges import Entry
from audit.log.read import of_subject
from portal.access_requests.actions import decline
from portal.access_requests.asking import ask
from portal.access_requests.models import AccessRequest, Approval
from portal.errors import StepUpNeeded
from portal.grants import actions, authorising, opening
from portal.grants.models import Grant
from portal.notifications.models import Alert
from portal.people import factors
from portal.people.models import SignIn
from portal.policy.actions import approve, propose
from portal.policy.rules import Policy, parse, sentences
from tests.audit.facts.stream import DAY, Stream, judge
from tests.authenticator import Authenticator
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log, fields_of, passkey_of
from tests.worlds import REASON, World, actor, make_world, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
STRICT = Policy(phishing_resistant=1)
SAID: dict[str, object] = {
    "criterion": "outage", "category": "availability", "reason": REASON, "intended_classes": ["data_read", "data_change"],
    "incident_ref": "INC-1", "minutes": "30",
}  # fmt: skip
SHORT = {"criterion": "outage", "reason": "Writes fail."}


@pytest.fixture
def world() -> World:
    return make_world(policy=STRICT)


@pytest.fixture
def key() -> Authenticator:
    return Authenticator()


def answer_of(browser: Client, key: Authenticator) -> str:
    return key.get(browser.post("/passkey/options/").json())


def test_rule_is_new_so_older_versions_keep_their_hash() -> None:
    assert "phishing_resistant" not in Policy().document()
    assert Policy().sha256() == "e77d17a4612885df12bdf5c69482f6475fbefd717c0b0e7ac1b0b2e0679027f5"
    assert parse(STRICT.document()) == STRICT
    assert (STRICT.figures()["allowed_strong_methods"], "allowed_strong_methods" in Policy().figures()) == (
        ["webauthn"],
        False,
    )
    assert "Asks for your passkey; an authenticator's code is not enough." in sentences(STRICT, mode="approved", approvers=2)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "age_s", "enough"),
    [("webauthn", 10, True), ("webauthn", 901, False), ("totp", 10, False), ("recovery", 10, False), (None, 0, False)],
)
def test_asking_deciding_and_a_bypass_take_a_passkey(world: World, method: str | None, age_s: int, enough: bool) -> None:  # fmt: skip
    waiting = ask(by=actor(world.ann, method="webauthn"), privilege=world.privilege, asked=world.asked(reason=f"{REASON} 1"))  # fmt: skip
    ann, ines = (actor(each, method=method, age_s=age_s) for each in (world.ann, world.ines))
    acts = (
        lambda: ask(by=ann, privilege=world.privilege, asked=world.asked(reason=f"{REASON} 2")),
        lambda: authorising.bypass(by=ann, privilege=world.privilege, asked=world.asked("bypass")),
        lambda: decline(by=ines, request=waiting, comment="No."),
    )
    for act in acts:
        if enough:
            act()
        else:
            with pytest.raises(StepUpNeeded) as needed:
                act()
            assert needed.value.resistant is True
    assert (AccessRequest.objects.count(), Approval.objects.count()) == ((3, 1) if enough else (1, 0))
    assert set(AccessRequest.objects.values_list("factor", flat=True)) == {"webauthn"}
    assert set(Approval.objects.values_list("factor", flat=True)) <= {"webauthn"}


def test_older_policy_takes_a_code_and_asks_nothing_for_asking() -> None:
    world = make_world()
    made = ask(by=actor(world.ann, age_s=7200), privilege=world.privilege, asked=world.asked())
    assert made.factor == "totp"
    assert fields_of("request.made", made.log_subject)["factor"] == "totp"
    assert "weaker_factor" not in fields_of("request.made", made.log_subject)


def test_who_signed_in_by_code_is_told_what_to_do_and_keeps_what_was_typed(world: World, key: Authenticator) -> None:
    passkey_of(world.ann, key)
    browser = browser_of(world.ann)
    answer = browser.post("/requests/new/", SAID)
    page = answer.content.decode()
    assert (answer.status_code, "A passkey is needed here" in page, "Code of your authenticator" in page) == (200, True, False)  # fmt: skip
    kept = {name: value for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page) if name in SAID}  # fmt: skip
    assert kept["reason"] == REASON
    assert not AccessRequest.objects.exists()
    answer = browser.post("/requests/new/", {**SAID, "passkey": answer_of(browser, key)})
    made = AccessRequest.objects.get()
    assert (answer.headers["Location"], made.factor) == (f"/requests/{made.pk}/", "webauthn")
    assert "signed in with: passkey" in browser.get(f"/requests/{made.pk}/").content.decode()


def test_join_keeps_what_was_typed_too(world: World) -> None:
    theirs = ask(by=actor(world.ann, method="webauthn"), privilege=world.privilege, asked=world.asked())
    browser = browser_of(world.ben)
    said = {"privilege": world.privilege.pk, "reason": f"{REASON} I help."}
    page = browser.post(f"/requests/{theirs.pk}/join/", said).content.decode()
    assert ("A passkey is needed here" in page, f"{REASON} I help." in page) == (True, True)
    assert AccessRequest.objects.count() == 1


def test_code_does_not_do_where_a_passkey_is_needed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PORTAL_PASSKEY_COOLING_HOURS", 6)
    browser = browser_of(world.ann)
    page = browser.post("/requests/new/", {**SAID, "code": code_of_device(world.ann)}).content.decode()
    assert ("A passkey is needed here" in page, "/me/passkeys/new/" in page) == (True, True)
    assert "It counts in full 6 hours later." in page
    assert not AccessRequest.objects.exists()


# --- the bypass that goes on with less


@pytest.fixture
def open_world() -> Iterator[World]:
    with sealing():
        yield make_world()


def test_bypass_leads_to_the_passkey_and_offers_to_go_on_without(world: World, key: Authenticator) -> None:
    passkey_of(world.ann, key)
    browser = browser_of(world.ann)
    where = browser.get("/requests/bypass/").headers["Location"]
    assert parse_qs(urlsplit(where).query) == {"next": ["/requests/bypass/"], "only": ["passkey"]}
    page = browser.get(where).content.decode()
    assert 'href="/requests/bypass/?weaker=1"' in page
    page = browser.get("/requests/bypass/?weaker=1").content.decode()
    assert ("This alarms everybody" in page, 'name="weaker" value="1"' in page) == (True, True)
    stale(world.ann)
    assert browser.get("/requests/bypass/?weaker=1").headers["Location"] == "/step-up/?next=%2Frequests%2Fbypass%2F%3Fweaker%3D1"  # fmt: skip


def recovered(world: World) -> Client:
    """Ann, whose phone is gone, signed in with a recovery code."""
    codes = factors.new_recovery_codes(world.ann)
    browser = browser_of(world.ann)
    stale(world.ann)
    answer = browser.post("/sign-in/recovery/", {"code": codes[0], "next": "/requests/bypass/"})
    assert answer.headers["Location"] == "/sign-in/enrol/?next=%2Frequests%2Fbypass%2F"
    assert 'href="/requests/bypass/">Go on without' in browser.get(answer.headers["Location"]).content.decode()
    return browser


def test_recovery_code_breaks_the_glass_with_an_alarm_and_shows_the_password(
    open_world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = open_world
    monkeypatch.setattr(logging.getLogger("breakglass.alarm"), "propagate", True)
    browser = recovered(world)
    page = browser.get("/requests/bypass/").content.decode()
    assert ("This alarms everybody" in page, 'name="weaker" value="1"' in page) == (True, True)
    browser.post("/requests/bypass/", {**SHORT, "weaker": "1"})
    made, grant = AccessRequest.objects.get(), Grant.objects.get()
    assert (made.factor, grant.state) == ("recovery", "active")
    said = of_subject(made.log_subject, ("request.made",))[0].fields
    assert (said["factor"], said["weaker_factor"]) == ("recovery", 1)
    told = Alert.objects.filter(kind="request.bypass_weak")
    assert {each.recipient.name if each.recipient else each.address for each in told} == {
        "Ann", "Ines", "Jon", "Mo", *settings.PORTAL_SECURITY_LIST,
    }  # fmt: skip
    alarm = f"A bypass of billing was opened with a weak factor (recovery): request {made.pk}."
    assert {each.message for each in caplog.records if each.name == "breakglass.alarm"} == {alarm}
    assert "weaker than the policy asks" in browser.get(f"/requests/{made.pk}/").content.decode()
    assert browser.post(f"/grants/{grant.pk}/reveal/").status_code == 200
    assert [row.result for row in _act_of(judged(), "open", "reveal")] == ["deviation", "deviation"]


def test_recovery_code_opens_nothing_else_and_no_bypass_that_did_not_say_so(open_world: World) -> None:
    world = open_world
    browser = recovered(world)
    page = browser.post("/requests/bypass/", SHORT).content.decode()
    assert "Confirm that it is you" in page
    ann, ines = actor(world.ann, method="recovery"), actor(world.ines, method="recovery")
    waiting = request_of(world)
    with pytest.raises(StepUpNeeded):
        authorising.approve(by=ines, request=waiting)
    grant = authorising.approve(by=actor(world.jon), request=waiting)
    assert grant is not None
    grant = opening.run(grant.pk)
    with pytest.raises(StepUpNeeded):
        actions.reveal(by=ann, grant=grant)
    for old in (actor(world.ann, method="recovery", age_s=901), actor(world.ann, method=None)):
        with pytest.raises(StepUpNeeded):
            authorising.bypass(by=old, privilege=world.privilege, asked=world.asked("bypass"), weaker=True)
    assert AccessRequest.objects.count() == 1


def test_saying_so_with_the_right_factor_is_no_deviation(open_world: World) -> None:
    authorising.bypass(by=actor(open_world.ann), privilege=open_world.privilege, asked=open_world.asked("bypass"), weaker=True)  # fmt: skip
    assert not Alert.objects.filter(kind="request.bypass_weak").exists()


def test_without_the_log_nobody_is_told_and_nothing_opens(open_world: World) -> None:
    browser = recovered(open_world)
    with broken_log():
        assert browser.post("/requests/bypass/", {**SHORT, "weaker": "1"}).status_code == 503
    assert (AccessRequest.objects.count(), Alert.objects.filter(kind="request.bypass_weak").count()) == (0, 0)


def test_code_under_a_policy_of_passkeys_is_a_deviation_and_a_passkey_none(world: World) -> None:
    """By the policy's own events, folded: the figure that it tightens reaches the test of sign-ins."""
    version = propose(by=actor(world.pia), system=world.system, policy=Policy(phishing_resistant=1, max_grant_minutes=90))  # fmt: skip
    approve(by=actor(world.quinn), version=version)
    for name, method in (("ann", "totp"), ("ben", "webauthn")):
        authorising.bypass(
            by=actor(world.people[name], method=method), privilege=world.privilege, asked=world.asked("bypass"), weaker=True
        )  # fmt: skip
    found = {str(row.id): row.result for row in _act_of(judged(), "open")}
    assert sorted(found.values()) == ["deviation", "pass"]
    assert SignIn.objects.count() == 0


def judged() -> Any:
    """The log of the portal as it is now, folded and tested."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.body FROM audit_event e LEFT JOIN audit_sealed_entry s ON s.event_id = e.id LEFT JOIN audit_queue q ON q.event_id = e.id "
            "ORDER BY s.index NULLS LAST, q.seq"
        )  # fmt: skip
        bodies = [bytes(row[0]) for row in cursor.fetchall()]
    at = max(int(json.loads(body)["at"]) for body in bodies)
    entries = [Entry(index, body) for index, body in enumerate(bodies)]
    return judge(Stream(), period=Period(at - DAY, at + DAY, at + 2 * DAY), entries=entries)


def _act_of(found: Any, *kinds: str) -> list[Any]:
    test: TestResult = found.results["T-12"]
    chosen = {row["id"] for row in found.facts("acts") if row["kind"] in kinds}
    return [row for row in test.rows if row.id in chosen]
