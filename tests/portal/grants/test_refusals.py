"""Who is refused again and again is told of once, with the count: to those whom the portal, or the system's policy, names for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit.log.append import LogUnavailable, process
from audit.log.models import Event
from audit.log.read import named
from portal.access_requests.asking import ask
from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed
from portal.grants import refusals
from portal.notifications.models import Alert
from portal.people.actions import refuse_sign_in
from portal.people.models import Attempts, Person
from portal.policy.models import PolicyVersion
from portal.policy.rules import parse
from tests.at_once import at_once
from tests.factories import broken_log, founders, person
from tests.worlds import World, actor, make_world, sealing

pytestmark = pytest.mark.django_db(transaction=True)
GUESS = "a guess that nobody may read"


def refused(about: Person | None, times: int, at: str = "sign-in", email: str = "") -> None:
    for _ in range(times):
        refuse_sign_in(by=process(at), kind="wrong code", person=about, email=email)


def told() -> list[tuple[str, str, int]]:
    rows = Alert.objects.order_by("queued_at", "recipient__name").select_related("recipient")
    return [(each.recipient.name if each.recipient else "list", each.path, each.facts["times"]) for each in rows]


def test_five_wrong_passwords_are_told_once_to_the_person_the_administrators_and_the_list() -> None:
    pia, quinn = founders()
    ann = person("Ann A")
    for _ in range(4):
        Client().post("/sign-in/", {"email": ann.email.upper(), "password": GUESS})
    assert (refusals.tell_due(), Alert.objects.count()) == (0, 0)
    Client().post("/sign-in/", {"email": ann.email, "password": GUESS})
    assert refusals.tell_due() == 1
    page = f"/people/{ann.pk}/"
    expected = [("Ann A", "/me/sign-ins/", 5), *((each.name, page, 5) for each in (pia, quinn)), ("list", page, 5)]
    assert sorted(told()) == sorted(expected)
    (event,) = named(["signin.refused_often"])
    assert (event.subject, event.fields["person_id"], event.fields["times"]) == (ann.log_subject, str(ann.pk), 5)
    assert not any(GUESS.encode() in bytes(body) for body in Event.objects.values_list("body", flat=True))
    assert GUESS not in str(list(Alert.objects.values_list("facts", flat=True)))


def test_a_thousand_are_one_alert_and_one_count_until_the_hour_is_over() -> None:
    founders()
    ann = person("Ann A")
    refused(ann, 1000)
    assert (refusals.tell_due(), refusals.tell_due()) == (1, 0)
    assert {times for _, _, times in told()} == {1000}
    alerts = Alert.objects.count()
    refused(ann, 6)
    later = now() + timedelta(minutes=14)
    assert (refusals.tell_due(later), Alert.objects.count()) == (0, alerts)
    assert len(named(["signin.refused_often"])) == 1


def test_it_is_told_again_after_an_hour_of_silence() -> None:
    founders()
    ann = person("Ann A")
    refused(ann, 5)
    assert refusals.tell_due() == 1
    seen = refusals.Refusals(ann.pk, 5, now(), now())
    with pytest.raises(ChangedMeanwhile):
        refusals.tell_of_sign_ins(by=process("sweep"), seen=seen, at=now() + refusals.QUIET - timedelta(minutes=1))
    refusals.tell_of_sign_ins(by=process("sweep"), seen=seen, at=now() + refusals.QUIET + timedelta(minutes=1))
    assert len(named(["signin.refused_often"])) == 2


def test_old_refusals_and_too_few_are_silent() -> None:
    founders()
    refused(person("Ann A"), 5)
    refused(person("Ben B"), 4)
    assert refusals.tell_due(now() + refusals.WITHIN + timedelta(minutes=1)) == 0
    assert (refusals.tell_due(), {each.about for each in Alert.objects.all()}) == (
        1,
        {Person.objects.get(name="Ann A").log_subject},
    )


def test_names_that_nobody_has_alarm_nobody() -> None:
    founders()
    for number in range(6):
        Client().post("/sign-in/", {"email": f"nobody{number}@example.org", "password": GUESS})
        Client().post("/sign-in/", {"email": "nobody@example.org", "password": GUESS})
    assert (refusals.tell_due(), Alert.objects.count()) == (0, 0)
    assert (
        Event.objects.filter(name="signin.refused").count(),
        Event.objects.filter(name="signin.refused", subject="").count(),
    ) == (12, 12)


def test_locked_account_is_told_of_with_those_tries_that_were_looked_at() -> None:
    founders()
    ann = person("Ann A")
    for _ in range(14):
        Client().post("/sign-in/", {"email": ann.email, "password": GUESS})
    assert Attempts.objects.get(key__startswith="account:").failures == 10
    assert (refusals.tell_due(), {times for _, _, times in told()}) == (1, {10})


def test_step_ups_count_with_sign_ins_and_who_left_is_nobodys_alarm() -> None:
    founders()
    ann, ben = person("Ann A"), person("Ben B")
    refused(ann, 3)
    refused(ann, 2, at="step-up")
    refused(ben, 9)
    Person.objects.filter(pk=ben.pk).update(left_at=now())
    assert refusals.tell_due() == 1
    assert {times for _, _, times in told()} == {5}


def test_nothing_is_told_where_the_log_refuses_and_it_is_told_later() -> None:
    founders()
    refused(person("Ann A"), 5)
    with broken_log():
        assert (refusals.tell_due(), Alert.objects.count()) == (0, 0)
        with pytest.raises(LogUnavailable):
            refusals.tell_of_sign_ins(
                by=process("sweep"),
                seen=refusals.Refusals(Person.objects.get(name="Ann A").pk, 5, now(), now()),
                at=now(),
            )
    assert not Alert.objects.exists()
    assert refusals.tell_due() == 1


def test_many_sweeps_at_once_tell_once() -> None:
    founders()
    refused(person("Ann A"), 5)
    assert sorted(map(str, at_once(4, refusals.tell_due))) == ["0", "0", "0", "1"]


# --- openings


@pytest.fixture
def world(transactional_db: None) -> Any:
    with sealing():
        yield make_world()


def wants(world: World, who: str, times: int = 5) -> None:
    for _ in range(times):
        with pytest.raises(NotAllowed):
            ask(by=actor(world.people[who]), privilege=world.privilege, asked=world.asked())


def test_refused_openings_go_to_whom_the_policy_names_for_attempts_that_failed(world: World) -> None:
    wants(world, "zoe", 4)
    assert refusals.tell_due() == 0
    wants(world, "zoe", 1)
    assert (refusals.tell_due(), refusals.tell_due()) == (1, 0)
    page = f"/policies/{world.system.pk}/"
    assert sorted(told()) == [("Mo", page, 5), ("Zoe", "/me/sign-ins/", 5)]
    (event,) = named(["request.refused_often"])
    assert (event.fields["person_id"], event.fields["system_id"], event.fields["times"]) == (
        str(world.zoe.pk),
        str(world.system.pk),
        5,
    )
    Alert.objects.all().delete()
    policy = parse({"alerts": {"failed": ["reviewers", "security"]}})
    PolicyVersion.objects.update(document=policy.document(), sha256=policy.sha256())
    wants(world, "jon")
    assert refusals.tell_due() == 1
    assert sorted(told()) == sorted(
        [("Jon", "/me/sign-ins/", 5), *((name, page, 5) for name in ("Kim", "Lea", "list"))]
    )


def test_each_system_is_told_of_its_own(world: World) -> None:
    other = make_world(slug="other", people=world.people)
    wants(world, "zoe")
    assert refusals.tell_due() == 1
    wants(other, "zoe")
    assert refusals.tell_due() == 1
    assert [each.fields["system_id"] for each in named(["request.refused_often"])] == [
        str(world.system.pk),
        str(other.system.pk),
    ]
