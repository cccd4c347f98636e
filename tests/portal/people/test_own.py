"""Step-up, one's own sign-ins, and one's own password."""

from datetime import timedelta

import pytest
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken

from audit.log.append import Actor
from portal.clock import now
from portal.errors import NotAllowed
from portal.people import factors
from portal.people.actions import end_sign_in, enrol_factor, make_recovery_codes, open_sign_in, strengthen
from portal.people.factors import Proof
from portal.people.models import Person, SignIn
from portal.people.signing_in import actor_of
from tests.factories import (
    PASSWORD,
    broken_log,
    client_by_form,
    client_of,
    code_of,
    names_by_subject,
    person,
    sign_in_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Person:
    return person()


@pytest.fixture
def browser(ada: Person) -> Client:
    return client_of(ada)


def grow_old(made: Person, minutes: int = 16) -> None:
    SignIn.objects.filter(person=made).update(strong_at=now() - timedelta(minutes=minutes))


def test_act_that_needs_a_fresh_factor_asks_for_it_and_comes_back(ada: Person, browser: Client) -> None:
    grow_old(ada)
    asked = browser.get("/me/password/").headers["Location"]
    assert asked == "/step-up/?next=%2Fme%2Fpassword%2F"
    answer = browser.post("/step-up/", {"code": code_of(ada), "next": "/me/password/"})
    assert answer.headers["Location"] == "/me/password/"
    assert browser.get("/me/password/").status_code == 200
    assert names_by_subject(sign_in_of(ada).log_subject) == ["signin.opened", "signin.strengthened"]


def test_fifteen_minutes_are_fresh(ada: Person, browser: Client) -> None:
    grow_old(ada, 14)
    assert browser.get("/me/password/").status_code == 200


def test_wrong_code_strengthens_nothing(ada: Person, browser: Client) -> None:
    grow_old(ada)
    before = sign_in_of(ada).strong_at
    right = code_of(ada)
    assert browser.post("/step-up/", {"code": f"{(int(right) + 1) % 1_000_000:06d}"}).status_code == 422
    assert sign_in_of(ada).strong_at == before


def test_step_up_leads_nowhere_outside(ada: Person, browser: Client) -> None:
    assert browser.post("/step-up/", {"code": code_of(ada), "next": "https://evil.example/"}).headers["Location"] == "/"


def test_proof_cannot_be_made_up(ada: Person) -> None:
    with pytest.raises(TypeError):
        Proof(ada.pk, "totp", object())


def test_proof_of_another_opens_and_strengthens_nothing(ada: Person, browser: Client) -> None:
    bob = person("Bob")
    proof = factors.check_code(bob, code_of(bob))
    assert isinstance(proof, Proof)
    standing = sign_in_of(ada)
    actor = actor_of(standing)
    assert actor is not None
    with pytest.raises(NotAllowed):
        strengthen(by=actor, sign_in=standing, proof=proof)
    with pytest.raises(NotAllowed):
        open_sign_in(by=actor, person=ada, proof=proof, browser_key="x")


def test_recovery_code_in_place_of_step_up_is_refused_for_strong_acts(ada: Person, browser: Client) -> None:
    codes = factors.new_recovery_codes(ada)
    grow_old(ada)
    assert (
        browser.post("/sign-in/recovery/", {"code": codes[3], "next": "/me/password/"})
        .headers["Location"]
        .startswith("/sign-in/enrol/")
    )
    assert browser.get("/me/password/").headers["Location"].startswith("/step-up/")
    assert browser.get("/sign-in/enrol/").status_code == 200


def test_used_recovery_code_is_told_to_its_owner(ada: Person, browser: Client) -> None:
    from portal.notifications.models import Alert

    browser.post("/sign-in/recovery/", {"code": factors.new_recovery_codes(ada)[0]})
    assert [(alert.kind, alert.recipient_id, alert.facts["left"]) for alert in Alert.objects.all()] == [
        ("signin.recovery_used", ada.pk, 9)
    ]


def test_new_authenticator_needs_a_fresh_proof(ada: Person, browser: Client) -> None:
    grow_old(ada)
    assert browser.get("/sign-in/enrol/").headers["Location"].startswith("/step-up/")


def test_nobody_enrols_for_another(ada: Person) -> None:
    bob = person("Bob")
    with pytest.raises(NotAllowed):
        enrol_factor(by=Actor(str(ada.pk), ada.name), person=bob, key=factors.new_key(), code="000000")
    with pytest.raises(NotAllowed):
        make_recovery_codes(by=Actor(str(ada.pk), ada.name), person=bob)


def test_sign_ins_list_only_ones_own(ada: Person, browser: Client) -> None:
    client_of(person("Bob"))
    second = client_of(ada)
    page = second.get("/me/sign-ins/").content.decode()
    assert page.count("Sign out</button>") == 2  # in the menu and for this browser
    assert page.count("/end/") == 1


def test_owner_ends_another_browser_of_theirs_at_once(ada: Person, browser: Client) -> None:
    first = sign_in_of(ada)
    second = client_of(ada)
    assert second.post(f"/me/sign-ins/{first.pk}/end/").status_code == 302
    assert browser.get("/").headers["Location"] == "/sign-in/?next=/"
    assert second.get("/").status_code == 200


def test_outsider_does_not_end_the_sign_in_of_another(ada: Person, browser: Client) -> None:
    first = sign_in_of(ada)
    outsider = client_of(person("Charlie"))
    assert outsider.post(f"/me/sign-ins/{first.pk}/end/").status_code == 403
    with pytest.raises(NotAllowed):
        end_sign_in(by=Actor(str(person("Bob").pk)), sign_in=first)
    first.refresh_from_db()
    assert first.ended_at is None


def test_signing_out_twice_is_no_error(ada: Person, browser: Client) -> None:
    assert [browser.post("/sign-out/").status_code for _ in range(2)] == [302, 302]
    assert sign_in_of(ada).ended_cause == "signed out"


def test_signing_out_needs_a_post(browser: Client) -> None:
    assert browser.get("/sign-out/").status_code == 405


def test_new_password_signs_out_everywhere(ada: Person, browser: Client) -> None:
    other = client_of(ada)
    answer = browser.post("/me/password/", {"password": "quite another sentence", "again": "quite another sentence"})
    assert answer.headers["Location"] == "/sign-in/"
    assert other.get("/").status_code == 302
    assert not SignIn.objects.filter(ended_at__isnull=True).exists()
    assert "password.changed" in names_by_subject(ada.log_subject)
    client_by_form(ada, "quite another sentence")


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("short", "short", "at least 12"),
        ("password12345", "password12345", "too common"),
        ("quite another sentence", "quite another", "differ"),
        (PASSWORD, PASSWORD, "that you have"),
    ],
)
def test_weak_or_mistyped_password_is_refused_with_a_sentence(
    ada: Person, browser: Client, password: str, again: str, says: str
) -> None:
    answer = browser.post("/me/password/", {"password": password, "again": again})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_log_that_cannot_be_written_changes_nothing(ada: Person, browser: Client) -> None:
    factors.new_recovery_codes(ada)
    before = set(StaticToken.objects.values_list("token", flat=True))
    said = {"password": "quite another sentence", "again": "quite another sentence"}
    with broken_log():
        answers = [browser.post("/me/password/", said), browser.post("/me/recovery-codes/"), browser.post("/sign-out/")]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    assert set(StaticToken.objects.values_list("token", flat=True)) == before
    assert sign_in_of(ada).ended_at is None


def test_own_page_warns_when_no_recovery_code_is_left(ada: Person, browser: Client) -> None:
    factors.new_recovery_codes(ada)
    assert "no recovery code left" not in browser.get("/me/sign-ins/").content.decode()
    StaticToken.objects.all().delete()
    assert "You have no recovery code left" in browser.get("/me/sign-ins/").content.decode()
