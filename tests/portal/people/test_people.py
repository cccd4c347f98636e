"""Founding, adding people, one-time passwords, leaving."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit.log.append import Actor, process
from audit.log.read import of_subject
from portal.clock import ms, now
from portal.eligibility.founding import Founder, found
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.eligibility.one_time import give_one_time_password
from portal.eligibility.queries import holds
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded, WrongState
from portal.grants import narrowing
from portal.people.actions import add_person
from portal.people.models import Person, SignIn
from tests.factories import broken_log, client_of, code_from, fields_of, founders, names_by_subject, person
from tests.worlds import actor, authorised, make_world

pytestmark = pytest.mark.django_db(transaction=True)


def found_by_command(*more: str) -> str:
    out = StringIO()
    call_command(
        "first_administrators",
        "--first",
        "Pia P",
        "pia@example.org",
        "--second",
        "Quinn Q",
        "quinn@example.org",
        *more,
        stdout=out,
    )
    return out.getvalue()


def test_founding_makes_two_administrators_who_vouch_for_each_other() -> None:
    said = found_by_command()
    pia, quinn = Person.objects.get(email="pia@example.org"), Person.objects.get(email="quinn@example.org")
    assert holds(pia.pk, "administrator")
    assert holds(quinn.pk, "administrator")
    assert fields_of("portal.founded", "portal")["administrators"] == [str(pia.pk), str(quinn.pk)]
    role = RoleAssignment.objects.get(person=pia)
    told = fields_of("role.granted", role.log_subject)
    assert (told["beneficiary_id"], told["approved_by"], told["narrows"]) == (str(pia.pk), str(quinn.pk), 0)
    assert told["changed_by"] == "process:first_administrators"
    passwords = re.findall(r"one-time password: (\S+)", said)
    assert pia.check_password(passwords[0])
    assert quinn.check_password(passwords[1])


def test_founding_is_done_once() -> None:
    found_by_command()
    with pytest.raises(CommandError, match="were made already"):
        found_by_command()
    assert Person.objects.count() == 2


def test_founding_needs_two_people() -> None:
    one = Founder("Pia", "pia@example.org")
    with pytest.raises(RefusedByPolicy):
        found(by=process("test"), first=one, second=Founder("Pia again", " PIA@example.org "))
    with pytest.raises(NotAllowed):
        found(by=Actor("11111111-1111-1111-1111-111111111111"), first=one, second=Founder("Q", "q@example.org"))
    assert not Person.objects.exists()


def test_founding_without_log_makes_nobody() -> None:
    with broken_log(), pytest.raises(CommandError, match="nobody was made"):
        found_by_command()
    assert not Person.objects.exists()


def test_added_person_replaces_the_one_time_password_enrols_and_is_in() -> None:
    pia, _ = founders()
    page = client_of(pia).post("/people/new/", {"name": "Ann Bell", "email": "Ann@Example.org"}).content.decode()
    password = re.findall(r"\b[0-9a-f]{6}(?:-[0-9a-f]{6}){3}\b", page)[0]
    ann = Person.objects.get(email="ann@example.org")
    assert names_by_subject(ann.log_subject) == ["person.added", "password.given"]
    browser = Client()
    assert (
        browser.post("/sign-in/", {"email": "ann@example.org", "password": password}).headers["Location"]
        == "/sign-in/password/"
    )
    assert browser.get("/sign-in/enrol/").headers["Location"] == "/sign-in/"
    chosen = {"password": "a sentence of my own", "again": "a sentence of my own"}
    assert browser.post("/sign-in/password/", chosen).headers["Location"] == "/sign-in/enrol/"
    browser.get("/sign-in/enrol/")
    browser.post("/sign-in/enrol/", {"code": code_from(browser.session["enrolling"])})
    assert browser.get("/").status_code == 200
    assert Client().post("/sign-in/", {"email": "ann@example.org", "password": password}).status_code == 422


def test_one_time_password_is_void_after_its_time() -> None:
    pia, _ = founders()
    ann, password = add_person(by=actor(pia), name="Ann", email="ann@example.org")
    Person.objects.filter(pk=ann.pk).update(one_time_until=now() - timedelta(seconds=1))
    assert Client().post("/sign-in/", {"email": ann.email, "password": password}).status_code == 422


def test_only_administrators_with_a_fresh_factor_add_people() -> None:
    pia, _ = founders()
    with pytest.raises(NotAllowed):
        add_person(by=actor(person("Mallory")), name="X", email="x@example.org")
    with pytest.raises(StepUpNeeded):
        add_person(by=actor(pia, age_s=16 * 60), name="X", email="x@example.org")
    with pytest.raises(StepUpNeeded):
        add_person(by=actor(pia, method="recovery"), name="X", email="x@example.org")
    assert not Person.objects.filter(email="x@example.org").exists()


def test_who_works_for_another_company_has_a_sponsor_and_a_contract_in_the_log() -> None:
    pia, quinn = founders()
    ends = now() + timedelta(days=90)
    vera, _ = add_person(
        by=actor(pia), name="Vera", email="vera@example.org", third_party=True, sponsor=quinn, contract_end=ends
    )
    told = of_subject(vera.log_subject, ("person.added",))[0].fields
    assert {name: told.get(name) for name in ("third_party", "sponsor_id", "sponsor_active", "contract_end")} == {
        "third_party": True, "sponsor_id": str(quinn.pk), "sponsor_active": True, "contract_end": ms(ends),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("third_party", "sponsored", "ends_in"),
    [(True, False, 90), (True, True, None), (True, True, -1), (False, True, 90)],
)
def test_sponsor_and_contract_fit_the_person(third_party: bool, sponsored: bool, ends_in: int | None) -> None:
    pia, quinn = founders()
    with pytest.raises(RefusedByPolicy):
        add_person(
            by=actor(pia), name="Vera", email="vera@example.org", third_party=third_party, sponsor=quinn if sponsored else None,
            contract_end=now() + timedelta(days=ends_in) if ends_in else None,
        )  # fmt: skip
    assert not Person.objects.filter(email="vera@example.org").exists()


def test_nobody_is_sponsored_by_who_has_left() -> None:
    pia, quinn = founders()
    Person.objects.filter(pk=quinn.pk).update(left_at=now())
    with pytest.raises(RefusedByPolicy, match="has left"):
        add_person(
            by=actor(pia), name="Vera", email="vera@example.org", third_party=True, sponsor=quinn,
            contract_end=now() + timedelta(days=1),
        )  # fmt: skip


def test_form_takes_sponsor_and_contract() -> None:
    pia, quinn = founders()
    said = {"name": "Vera", "email": "vera@example.org", "third_party": "on"}
    assert client_of(pia).post("/people/new/", said).status_code == 422
    more = {"sponsor": str(quinn.pk), "contract_end": f"{now() + timedelta(days=9):%Y-%m-%dT%H:%M}"}
    assert client_of(pia).post("/people/new/", said | more).status_code == 200
    assert Person.objects.filter(email="vera@example.org").exists()


def test_address_stands_once_whatever_its_case() -> None:
    pia, _ = founders()
    add_person(by=actor(pia), name="Ann", email="ann@example.org")
    with pytest.raises(RefusedByPolicy):
        add_person(by=actor(pia), name="Ann", email="ANN@example.org")


def test_doubled_address_is_told_beside_the_field_and_nothing_typed_is_lost() -> None:
    pia, _ = founders()
    answer = client_of(pia).post("/people/new/", {"name": "Another Pia", "email": "PIA@example.net"})
    page = answer.content.decode()
    assert (answer.status_code, Person.objects.count()) == (422, 2)
    assert "on the list already" in page
    assert 'value="Another Pia"' in page


def test_new_one_time_password_leaves_the_second_factor() -> None:
    pia, _ = founders()
    ann = person("Ann")
    password = give_one_time_password(by=actor(pia), person=ann)
    browser = Client()
    browser.post("/sign-in/", {"email": ann.email, "password": password})
    chosen = {"password": "a sentence of my own", "again": "a sentence of my own"}
    assert browser.post("/sign-in/password/", chosen).headers["Location"] == "/sign-in/code/"


def test_nobody_gives_themselves_a_one_time_password() -> None:
    pia, _ = founders()
    with pytest.raises(NotAllowed):
        give_one_time_password(by=actor(pia), person=pia)


def test_outsider_and_teammate_find_no_people() -> None:
    founders()
    world = make_world()
    for name in ("zoe", "ann", "mo", "otto"):
        browser = client_of(world.people[name])
        assert browser.get("/people/").status_code == 403
        assert browser.get("/people/new/").status_code == 403
        assert browser.get(f"/people/{world.ann.pk}/").status_code == 404
        assert browser.post(f"/people/{world.ann.pk}/left/").status_code == 403
        assert browser.post(f"/people/{world.ann.pk}/one-time-password/").status_code == 403
    world.ann.refresh_from_db()
    assert world.ann.left_at is None


def test_who_left_holds_nothing_and_is_signed_in_nowhere() -> None:
    pia, _ = founders()
    world = make_world()
    browser = client_of(world.ann)
    grant = authorised(world)
    answer = client_of(pia).post(f"/people/{world.ann.pk}/left/")
    assert answer.status_code == 302
    assert browser.get("/").status_code == 302
    grant.refresh_from_db()
    assert (grant.state, grant.end_cause) == ("failed", "revoked")
    assert not SignIn.objects.filter(person=world.ann, ended_at__isnull=True).exists()
    assert not RoleAssignment.objects.filter(person=world.ann, ended_at__isnull=True).exists()
    assert not Eligibility.objects.filter(person=world.ann, ended_at__isnull=True).exists()
    with pytest.raises(WrongState):
        narrowing.note_leaving(by=actor(pia), person=world.ann)


def test_leaving_without_log_ends_nothing() -> None:
    pia, _ = founders()
    world = make_world()
    browser = client_of(pia)
    with broken_log():
        assert browser.post(f"/people/{world.ann.pk}/left/").status_code == 503
    world.ann.refresh_from_db()
    assert world.ann.left_at is None
    assert RoleAssignment.objects.filter(person=world.ann, ended_at__isnull=True).exists()
