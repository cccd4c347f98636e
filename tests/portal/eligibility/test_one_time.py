"""One-time passwords: who is told, what ends, and that no administrator becomes two people by one."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit.log.models import Event
from audit.log.read import of_subject
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.eligibility.one_time import give_one_time_password
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded
from portal.grants import narrowing
from portal.notifications.messages import message_of
from portal.notifications.models import Alert
from portal.people.actions import add_person
from portal.people.models import Person, SignIn
from tests.browsing import browser_of
from tests.factories import broken_log, code_from, enrol, sign_in_of
from tests.worlds import World, actor, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    made = make_world()
    RoleAssignment.objects.filter(role="administrator").update(system=None)
    return made


def test_person_and_all_other_administrators_are_told(world: World) -> None:
    enrol(world.ann)
    give_one_time_password(by=actor(world.pia), person=world.ann)
    told = {alert.recipient: alert for alert in Alert.objects.filter(kind="signin.reset")}
    assert told.keys() == {world.ann, world.quinn}
    assert {person: alert.path for person, alert in told.items() if person} == {
        world.ann: "/me/sign-ins/", world.quinn: f"/people/{world.ann.pk}/",
    }  # fmt: skip
    text = message_of(told[world.quinn]).text
    assert "by Pia and is good for 72 hours" in text
    assert "The authenticator stays" in text


def test_every_sign_in_ends_with_its_event(world: World) -> None:
    browser = browser_of(world.ann)
    sign_in = sign_in_of(world.ann)
    give_one_time_password(by=actor(world.pia), person=world.ann)
    assert browser.get("/").status_code == 302
    sign_in.refresh_from_db()
    (event,) = of_subject(sign_in.log_subject, ("signin.ended",))
    assert (sign_in.ended_cause, event.by, event.fields["cause"]) == (
        "password given", str(world.pia.pk), "password given",
    )  # fmt: skip
    assert not SignIn.objects.filter(person=world.ann, ended_at__isnull=True).exists()


def test_without_log_nothing_ends_and_nobody_is_told(world: World) -> None:
    browser_of(world.ann)
    admin = browser_of(world.pia)
    with broken_log():
        assert admin.post(f"/people/{world.ann.pk}/one-time-password/").status_code == 503
    world.ann.refresh_from_db()
    assert (sign_in_of(world.ann).ended_at, world.ann.one_time_until, Alert.objects.count()) == (None, None, 0)


def named_owner(world: World) -> Person:
    world.system.owner = world.zoe
    world.system.save()
    return world.zoe


def holds_one_later(world: World) -> Person:
    RoleAssignment.objects.create(
        person=world.zoe, role="reviewer", system=world.system, proposed_by=world.pia, approved_by=world.quinn,
        proposed_at=now(), approved_at=now(), from_at=now().replace(year=now().year + 1, day=1),
    )  # fmt: skip
    return world.zoe


@pytest.mark.parametrize(
    "whose", [lambda world: world.quinn, lambda world: world.ann, named_owner, holds_one_later],
    ids=["administrator", "responder", "named owner", "role to come"],
)  # fmt: skip
def test_role_without_authenticator_gets_no_password_from_one_administrator(world: World, whose: object) -> None:
    person = whose(world)  # type: ignore[operator]  # of the list above
    before = person.password
    with pytest.raises(RefusedByPolicy):
        give_one_time_password(by=actor(world.pia), person=person)
    person.refresh_from_db()
    assert (person.password, person.one_time_until) == (before, None)
    (refused,) = of_subject(person.log_subject, ("person.act_refused",))
    assert refused.fields["kind"] == "role without factor"
    browser = browser_of(world.pia)
    page = browser.get(f"/people/{person.pk}/").content.decode()
    assert ("Make a one-time password" in page, f"No one-time password for {person.name} now" in page) == (False, True)
    answer = browser.post(f"/people/{person.pk}/one-time-password/")
    assert (answer.status_code, "End their roles first" in answer.content.decode()) == (422, True)


def test_once_the_roles_are_ended_the_password_is_made_and_what_follows_waits_for_another(world: World) -> None:
    for role in RoleAssignment.objects.filter(person=world.kim):
        narrowing.end_role(by=actor(world.pia), assignment=role)
    password = give_one_time_password(by=actor(world.pia), person=world.kim)
    browser = Client()
    browser.post("/sign-in/", {"email": world.kim.email, "password": password})
    chosen = {"password": "a sentence of my own", "again": "a sentence of my own"}
    assert browser.post("/sign-in/password/", chosen).headers["Location"] == "/sign-in/enrol/"
    browser.get("/sign-in/enrol/")
    browser.post("/sign-in/enrol/", {"code": code_from(browser.session["enrolling"])})
    assert browser.get("/").status_code == 200
    assert give_one_time_password(by=actor(world.pia), person=world.kim)


def test_added_person_without_a_role_gets_another_without_a_second_administrator(world: World) -> None:
    person, first = add_person(by=actor(world.pia), name="Noa", email="noa@example.org")
    second = give_one_time_password(by=actor(world.pia), person=person)
    person.refresh_from_db()
    assert (person.check_password(first), person.check_password(second)) == (False, True)


def test_only_administrators_with_a_fresh_factor_and_never_for_oneself(world: World) -> None:
    enrol(world.pia)
    for by, person, refusal in (
        (actor(world.mo), world.zoe, NotAllowed),
        (actor(world.pia), world.pia, NotAllowed),
        (actor(world.pia, age_s=16 * 60), world.zoe, StepUpNeeded),
    ):
        with pytest.raises(refusal):
            give_one_time_password(by=by, person=person)
    assert not Event.objects.filter(name="password.given").exists()


def test_whoever_approves_is_told_that_nobody_has_enrolled_yet(world: World) -> None:
    row = RoleAssignment.objects.create(
        person=world.zoe, role="reviewer", system=world.system, proposed_by=world.pia, proposed_at=now(), from_at=now()
    )
    browser, says = browser_of(world.quinn), "Zoe has no authenticator yet"
    assert says in browser.get(f"/roles/{row.pk}/").content.decode()
    enrol(world.zoe)
    assert says not in browser.get(f"/roles/{row.pk}/").content.decode()


def test_operators_command_line_helps_where_no_administrator_is_left(world: World) -> None:
    out = StringIO()
    call_command("one_time_password", "QUINN@example.org", stdout=out)
    (password,) = re.findall(r"one-time password: (\S+)", out.getvalue())
    world.quinn.refresh_from_db()
    assert world.quinn.check_password(password)
    assert of_subject(world.quinn.log_subject, ("password.given",))[-1].by == "process:one_time_password"
    told = Alert.objects.filter(kind="signin.reset")
    assert {alert.recipient for alert in told} == {world.pia, world.quinn}
    assert all("the operator, at the command line" in message_of(alert).text for alert in told)


def test_operators_command_line_says_what_it_could_not_do(world: World) -> None:
    with pytest.raises(CommandError, match="Nobody with this mail address"):
        call_command("one_time_password", "nobody@example.org")
    with broken_log(), pytest.raises(CommandError, match="no password was made"):
        call_command("one_time_password", world.quinn.email)
    Person.objects.filter(pk=world.quinn.pk).update(left_at=now())
    with pytest.raises(CommandError, match="has left"):
        call_command("one_time_password", world.quinn.email)
