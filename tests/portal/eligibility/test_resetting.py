"""A lost second factor: two others reset it, time passes before it takes effect, and nobody becomes a second person by it."""

import os
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.log.append import LogUnavailable, process
from portal.access_requests.actions import decline
from portal.clock import now
from portal.eligibility import resetting
from portal.eligibility.models import RoleAssignment
from portal.eligibility.one_time import give_one_time_password
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import authorising
from portal.notifications.models import Alert
from portal.people import factors, resets
from portal.people.actions import choose_password, may_enrol, renew_password
from portal.people.models import FactorReset, Passkey, Person, SignIn
from portal.people.reset_states import CANCELLED, COOLING, DECLINED, DONE, LAPSED, MOVES, OPEN, PROPOSED, STATES
from tests.browsing import browser_of
from tests.factories import (
    broken_log,
    client_by_form,
    code_from,
    enrol,
    names_by_subject,
    passkey_of,
    sign_in_of,
)
from tests.worlds import World, actor, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "The phone fell into the harbour; I called back."
DAY = timedelta(hours=24)


@pytest.fixture
def world() -> World:
    """Pia and Quinn administer everything; Ann has an authenticator."""
    made = make_world()
    RoleAssignment.objects.filter(role="administrator").update(system=None)
    enrol(made.ann)
    return made


def proposed(world: World) -> FactorReset:
    return resetting.propose(by=actor(world.pia), person=world.ann, reason=REASON)


def cooling(world: World) -> FactorReset:
    return resetting.approve(by=actor(world.quinn), reset=proposed(world))


def cooled(world: World, ago: timedelta = timedelta(minutes=1)) -> FactorReset:
    reset = cooling(world)
    FactorReset.objects.filter(pk=reset.pk).update(cools_until=now() - ago)
    reset.refresh_from_db()
    return reset


def told(what: str) -> set[str]:
    found = Alert.objects.filter(kind="signin.factor_reset", facts__what=what)
    return {each.recipient.name if each.recipient else each.address for each in found}


def test_two_others_reset_it_and_everybody_concerned_is_told_of_each_step(world: World) -> None:
    browser_of(world.ann)
    reset = proposed(world)
    assert told("proposed") == {"Ann", "Quinn", *settings.PORTAL_SECURITY_LIST}
    assert SignIn.objects.filter(person=world.ann, ended_at__isnull=True).count() == 1
    resetting.approve(by=actor(world.mo), reset=reset)
    assert told("approved") == {"Ann", "Pia", "Quinn", *settings.PORTAL_SECURITY_LIST}
    reset.refresh_from_db()
    assert reset.approved_at is not None
    assert reset.cools_until == reset.approved_at + DAY
    assert sign_in_of(world.ann).ended_cause == "factor being reset"
    assert factors.is_enrolled(world.ann), "nothing is lost before the time is over"
    names = [name for name in names_by_subject(world.ann.log_subject) if name.startswith("factor.reset")]
    assert names == ["factor.reset_proposed", "factor.reset_approved"]


Act = Callable[[World, FactorReset, str], object]
ACTS: dict[str, Act] = {
    "propose": lambda world, _, who: resetting.propose(by=actor(world.people[who]), person=world.kim, reason=REASON),
    "approve": lambda world, reset, who: resetting.approve(by=actor(world.people[who]), reset=reset),
    "decline": lambda world, reset, who: resetting.decline(by=actor(world.people[who]), reset=reset),
    "cancel": lambda world, reset, who: resetting.cancel(by=actor(world.people[who]), reset=reset),
}


@pytest.mark.parametrize(
    ("act", "may"),
    [
        ("propose", {"pia", "quinn"}), ("approve", {"quinn", "mo"}), ("decline", {"pia", "quinn", "mo"}),
        ("cancel", {"ann", "pia", "quinn"}),
    ],
)  # fmt: skip
def test_who_may_do_what(world: World, act: str, may: set[str]) -> None:
    """The person never decides, who proposed never approves, and outsiders are refused on record."""
    enrol(world.kim)
    reset = proposed(world)
    found = set()
    for who in ("ann", "ben", "ines", "kim", "mo", "otto", "pia", "quinn", "zoe"):
        try:
            ACTS[act](world, reset, who)
            found.add(who)
        except NotAllowed:
            assert names_by_subject(world.ann.log_subject)[-1] in ("person.act_refused", "factor.reset_proposed")
        FactorReset.objects.filter(pk=reset.pk).update(
            state=PROPOSED, approved_by=None, approved_at=None, cools_until=None, closed_at=None
        )
        FactorReset.objects.filter(person=world.kim).delete()
    assert found == may


@pytest.mark.parametrize("act", ["approve", "cancel"])
def test_a_fresh_factor_is_needed(world: World, act: str) -> None:
    reset = proposed(world)
    stale = actor(world.quinn, age_s=901)
    with pytest.raises(StepUpNeeded):
        getattr(resetting, act)(by=stale, reset=reset)
    with pytest.raises(StepUpNeeded):
        resetting.propose(by=stale, person=world.kim, reason=REASON)
    reset.refresh_from_db()
    assert (reset.state, FactorReset.objects.count()) == (PROPOSED, 1)


MOVING: dict[str, Callable[[World, FactorReset], object]] = {
    "approve": lambda world, reset: resetting.approve(by=actor(world.quinn), reset=reset),
    "decline": lambda world, reset: resetting.decline(by=actor(world.quinn), reset=reset),
    "cancel": lambda world, reset: resetting.cancel(by=actor(world.ann), reset=reset),
    "lapse": lambda _, reset: resetting.lapse(by=process("sweep"), reset=reset),
}


@pytest.mark.parametrize("state", list(STATES))
def test_every_move_from_every_state(world: World, state: str) -> None:
    """What the table does not allow is refused and changes nothing; finishing is enrolling, and has its own tests."""
    reset, long_ago = proposed(world), now() - timedelta(days=9)
    approved = {"approved_by": world.quinn, "approved_at": long_ago, "cools_until": long_ago}
    none: dict[str, Any] = dict.fromkeys(approved)
    given = approved if state in (COOLING, DONE) else none
    for name, act in MOVING.items():
        closed = None if state in OPEN else now()
        FactorReset.objects.filter(pk=reset.pk).update(state=state, closed_at=closed, proposed_at=long_ago, **given)
        if state in MOVES[name].sources:
            act(world, reset)
            reset.refresh_from_db()
            assert reset.state == MOVES[name].target
        else:
            with pytest.raises(WrongState):
                act(world, reset)
            reset.refresh_from_db()
            assert reset.state == state


def test_nothing_is_asked_or_decided_until_it_is_over(world: World) -> None:
    waiting = request_of(world, "ben")
    RoleAssignment.objects.create(
        person=world.ann, role="approver", system=world.system, proposed_by=world.pia, proposed_at=now(), approved_by=world.quinn,
        approved_at=now(), from_at=now() - DAY,
    )  # fmt: skip
    reset = proposed(world)
    request_of(world, "ann")
    resetting.approve(by=actor(world.quinn), reset=reset)
    acts: tuple[Callable[[], object], ...] = (
        lambda: request_of(world, "ann", reason=f"{REASON} Another one, of enough characters."),
        lambda: authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass")),
        lambda: authorising.approve(by=actor(world.ann), request=waiting),
        lambda: decline(by=actor(world.ann), request=waiting, comment="No."),
    )
    for act in acts:
        with pytest.raises(RefusedByPolicy, match="being reset"):
            act()
    resetting.cancel(by=actor(world.ann), reset=reset)
    decline(by=actor(world.ann), request=waiting, comment="No.")


def test_password_enrols_only_once_the_time_is_over_and_only_for_three_days(world: World) -> None:
    reset = cooling(world)
    by = actor(world.ann, method=None)
    assert reset.cools_until is not None
    for at, ready in ((-1, False), (0, True), (72 * 3600 - 1, True), (72 * 3600, False)):
        with time_machine.travel(reset.cools_until + timedelta(seconds=at), tick=False):
            if ready:
                assert may_enrol(by, world.ann) is True
            else:
                with pytest.raises(StepUpNeeded):
                    may_enrol(by, world.ann)


def test_after_it_what_was_lost_is_void_and_a_new_factor_counts(world: World) -> None:
    passkey_of(world.ann)
    old = factors.new_recovery_codes(world.ann)
    reset = cooled(world)
    browser = Client()
    answer = browser.post("/sign-in/", {"email": world.ann.email, "password": "ann-password-long"})
    assert answer.headers["Location"] == "/sign-in/enrol/"
    assert "Two others reset your second factor" in browser.get("/sign-in/enrol/").content.decode()
    answer = browser.post("/sign-in/enrol/", {"code": code_from(browser.session["enrolling"])})
    assert (answer.status_code, sign_in_of(world.ann).factor) == (200, "totp")
    reset.refresh_from_db()
    assert (reset.state, Passkey.objects.count(), TOTPDevice.objects.filter(user=world.ann).count()) == (DONE, 0, 1)
    assert isinstance(factors.check_recovery(world.ann, old[0]), factors.NotProven)
    assert names_by_subject(world.ann.log_subject)[-5:] == [
        "factor.removed", "factor.removed", "factor.reset_finished", "factor.enrolled", "recovery.made",
    ]  # fmt: skip
    request_of(world, "ann")


# --- nobody becomes a second person by it


def test_one_time_password_and_reset_never_meet(world: World) -> None:
    """Whoever was shown a password must not get the factor reset as well, whichever comes first."""
    reset = proposed(world)
    with pytest.raises(RefusedByPolicy, match="being reset"):
        give_one_time_password(by=actor(world.quinn), person=world.ann)
    resetting.cancel(by=actor(world.quinn), reset=reset)
    password = give_one_time_password(by=actor(world.quinn), person=world.ann)
    ann = Person.objects.get(pk=world.ann.pk)
    with pytest.raises(RefusedByPolicy, match="Somebody else made"):
        proposed(world)
    choose_password(by=actor(ann, method=None), person=ann, password=password + " and mine")
    with pytest.raises(RefusedByPolicy, match="Somebody else made"):
        proposed(world)
    client_by_form(ann, password + " and mine")
    assert proposed(world).state == PROPOSED


def test_password_given_on_the_host_meanwhile_stops_the_second_yes(world: World) -> None:
    reset = proposed(world)
    with transaction.atomic():
        renew_password(process("one_time_password"), world.ann)
    with pytest.raises(RefusedByPolicy, match="Somebody else made"):
        resetting.approve(by=actor(world.quinn), reset=reset)


def test_there_is_one_reset_at_a_time_and_something_to_reset(world: World) -> None:
    proposed(world)
    with pytest.raises(RefusedByPolicy, match="under way"):
        proposed(world)
    with pytest.raises(RefusedByPolicy, match="no second factor"):
        resetting.propose(by=actor(world.pia), person=world.zoe, reason=REASON)
    with pytest.raises(RefusedByPolicy, match="Say how"):
        resetting.propose(by=actor(world.quinn), person=_with_factor(world.ben), reason=" ")


def _with_factor(person: Person) -> Person:
    enrol(person)
    return person


def test_without_the_log_nothing_changes(world: World) -> None:
    reset = proposed(world)
    before = list(FactorReset.objects.values())
    with broken_log():
        for act in (resetting.approve, resetting.decline, resetting.cancel):
            with pytest.raises(LogUnavailable):
                act(by=actor(world.quinn), reset=reset)
        with pytest.raises(LogUnavailable):
            resetting.reset_on_host(by=process("reset_factor"), person=world.ann, reason=REASON, host="h", account="a")
    assert (list(FactorReset.objects.values()), factors.has_totp(world.ann)) == (before, True)


def test_sweep_lapses_what_nobody_approved_or_used(world: World) -> None:
    unused = cooled(world, resets.USABLE_FOR)
    enrol(world.kim)
    waiting = resetting.propose(by=actor(world.pia), person=world.kim, reason=REASON)
    assert (resetting.lapse_due(), resetting.lapse_due()) == (1, 0)
    FactorReset.objects.filter(pk=waiting.pk).update(proposed_at=now() - resets.USABLE_FOR)
    assert resetting.lapse_due() == 1
    assert {each.state for each in FactorReset.objects.filter(pk__in=[unused.pk, waiting.pk])} == {LAPSED}


# --- by the pages


def test_by_the_pages_from_the_proposal_to_the_cancelling(world: World) -> None:
    pia, quinn, ann = (browser_of(each) for each in (world.pia, world.quinn, world.ann))
    assert "Reset the second factor" in pia.get(f"/people/{world.ann.pk}/").content.decode()
    page = f"/people/{world.ann.pk}/factor-reset/"
    assert pia.post(page, {"reason": ""}).status_code == 422
    where = pia.post(page, {"reason": REASON}).headers["Location"]
    assert "Reset of the second factor of Ann" in quinn.get("/").content.decode()
    assert "Reset of the second factor of Ann" not in pia.get("/").content.decode()
    assert [who.get(where).status_code for who in (pia, quinn, ann, browser_of(world.ben))] == [200, 200, 200, 404]
    assert pia.post(f"{where}decide/", {"decision": "approve"}).status_code == 403
    assert quinn.post(f"{where}decide/", {"decision": "approve"}).status_code == 302
    assert ann.get("/").status_code == 302, "signed out"
    ann = browser_of(world.ann)
    assert "Your second factor is being reset" in ann.get("/me/sign-ins/").content.decode()
    assert "I have not lost it: cancel" in ann.get(where).content.decode()
    assert ann.post(f"{where}cancel/").status_code == 302
    assert FactorReset.objects.get().state == CANCELLED
    assert quinn.post(f"{where}decide/", {"decision": "decline"}).status_code == 409
    assert FactorReset.objects.exclude(state=DECLINED).count() == 1


# --- everybody locked out


def test_host_command_removes_the_factors_and_alarms_everyone(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    passkey_of(world.ann)
    factors.new_recovery_codes(world.ann)
    browser_of(world.ann)
    reset = proposed(world)
    with pytest.raises(CommandError, match="Nobody"):
        call_command("reset_factor", "nobody@example.org", reason=REASON)
    with monkeypatch.context() as as_nobody:
        as_nobody.setattr(os, "geteuid", lambda: 65534)
        with pytest.raises(CommandError, match="needs root"):
            call_command("reset_factor", world.ann.email, reason=REASON)
    assert factors.is_enrolled(world.ann)
    said = StringIO()
    call_command("reset_factor", world.ann.email.upper(), reason=REASON, stdout=said)
    assert "has no second factor now" in said.getvalue()
    assert not factors.is_enrolled(world.ann)
    assert not StaticDevice.objects.filter(user=world.ann).exists()
    assert sign_in_of(world.ann).ended_cause == "factor reset on host"
    everybody = {each.name for each in Person.objects.all()}
    assert told("done on the host") == everybody | set(settings.PORTAL_SECURITY_LIST)
    assert len([each for each in caplog.records if "was reset on host" in each.message]) > 0
    reset.refresh_from_db()
    assert reset.state == CANCELLED
    assert names_by_subject(world.ann.log_subject)[-1] == "factor.reset_on_host"
    with pytest.raises(NotAllowed):
        resetting.reset_on_host(by=actor(world.pia), person=world.ann, reason=REASON, host="h", account="a")
