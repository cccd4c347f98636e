"""From the password to the second factor: nobody is in before both were checked, and nothing is recorded that was not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from portal.people import factors, signing_in
from portal.people.models import Person, SignIn
from tests.factories import (
    PASSWORD,
    broken_log,
    client_of,
    code_from,
    code_of,
    enrol,
    names_by_subject,
    person,
    sign_in_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Person:
    return person()


def count(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event WHERE name = %s", [name])
        return int(cursor.fetchone()[0])


def typed(browser: Client, made: Person, password: str = PASSWORD, **more: str) -> Any:
    return browser.post("/sign-in/", {"email": made.email, "password": password, **more})


def test_password_alone_opens_no_page(ada: Person) -> None:
    browser = Client()
    assert typed(browser, ada).headers["Location"] == "/sign-in/code/"
    assert browser.get("/").headers["Location"] == "/sign-in/?next=/"
    assert not SignIn.objects.exists()


def test_password_and_code_sign_in_with_the_method_that_was_checked(ada: Person) -> None:
    browser = client_of(ada)
    assert browser.get("/").status_code == 200
    made = sign_in_of(ada)
    assert (made.factor, made.ended_at, made.address) == ("totp", None, "127.0.0.1")
    assert names_by_subject(made.log_subject) == ["signin.opened"]


@pytest.mark.parametrize(("every", "moves"), [(timedelta(0), True), (timedelta(minutes=1), False)])
def test_browser_that_comes_back_is_seen_again_after_a_while(
    ada: Person, monkeypatch: pytest.MonkeyPatch, every: timedelta, moves: bool
) -> None:
    browser = client_of(ada)
    before = sign_in_of(ada).seen_at
    monkeypatch.setattr(signing_in, "SEEN_EVERY", every)
    assert browser.get("/").status_code == 200
    assert (sign_in_of(ada).seen_at > before) == moves


def test_key_of_the_cookie_changes_at_each_step(ada: Person) -> None:
    browser = Client()
    browser.get("/sign-in/")
    typed(browser, ada)
    first = browser.cookies["breakglass"].value
    browser.post("/sign-in/code/", {"code": code_of(ada)})
    assert browser.cookies["breakglass"].value != first


def test_a_code_counts_once(ada: Person) -> None:
    browser, other = Client(), Client()
    typed(browser, ada)
    typed(other, ada)
    code = code_of(ada)
    assert browser.post("/sign-in/code/", {"code": code}).status_code == 302
    assert other.post("/sign-in/code/", {"code": code}).status_code == 422
    assert SignIn.objects.count() == 1


def test_wrong_code_is_on_record_and_makes_the_next_wait(ada: Person) -> None:
    browser = Client()
    typed(browser, ada)
    right = code_of(ada)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert b"not the code" in browser.post("/sign-in/code/", {"code": wrong}).content
    assert b"Wait 1 second" in browser.post("/sign-in/code/", {"code": right}).content
    assert (count("signin.refused"), count("signin.opened")) == (1, 0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/me/sign-ins/?page=2", "/me/sign-ins/?page=2"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("http:evil", "/"),
        ("\n//evil.example", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_lands_where_the_link_pointed_within_the_portal(
    ada: Person, given: str, expected: str
) -> None:
    browser = Client()
    typed(browser, ada, next=given)
    assert browser.post("/sign-in/code/", {"code": code_of(ada)}).headers["Location"] == expected


def test_link_of_a_mail_leads_there_after_sign_in(ada: Person) -> None:
    browser = Client()
    asked = browser.get("/me/sign-ins/").headers["Location"]
    assert asked == "/sign-in/?next=/me/sign-ins/"
    page = browser.get(asked).content.decode()
    assert re.findall(r'name="next" value="([^"]+)"', page) == ["/me/sign-ins/"]


def test_without_authenticator_enrolling_comes_first(ada: Person) -> None:
    bob = person("Bob", enrolled=False)
    browser = Client()
    assert typed(browser, bob, next="/me/sign-ins/").headers["Location"] == "/sign-in/enrol/"
    page = browser.get("/sign-in/enrol/").content.decode()
    assert 'src="data:image/svg+xml' in page
    key = browser.session["enrolling"]
    assert factors.as_text(key) in page
    answer = browser.post("/sign-in/enrol/", {"code": code_from(key)})
    codes = re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", answer.content.decode())
    assert len(set(codes)) == 10
    assert 'href="/me/sign-ins/"' in answer.content.decode()
    assert sign_in_of(bob).factor == "totp"
    assert names_by_subject(bob.log_subject) == ["factor.enrolled", "recovery.made"]
    assert browser.get("/").status_code == 200


def test_enrolling_with_a_wrong_code_keeps_nothing(ada: Person) -> None:
    bob = person("Bob", enrolled=False)
    browser = Client()
    typed(browser, bob)
    browser.get("/sign-in/enrol/")
    wrong = f"{(int(code_from(browser.session['enrolling'])) + 1) % 1_000_000:06d}"
    assert browser.post("/sign-in/enrol/", {"code": wrong}).status_code == 422
    assert not TOTPDevice.objects.filter(user=bob).exists()
    assert not SignIn.objects.exists()


def test_password_alone_enrols_no_second_authenticator(ada: Person) -> None:
    browser = Client()
    typed(browser, ada)
    key = TOTPDevice.objects.get(user=ada).key
    assert browser.get("/sign-in/enrol/").status_code == 302
    assert TOTPDevice.objects.get(user=ada).key == key


def test_recovery_code_signs_in_once_is_weak_and_leads_to_a_new_authenticator(ada: Person) -> None:
    codes = factors.new_recovery_codes(ada)
    browser = Client()
    typed(browser, ada, next="/me/sign-ins/")
    answer = browser.post("/sign-in/recovery/", {"code": codes[0].upper()})
    assert answer.headers["Location"] == "/sign-in/enrol/?next=%2Fme%2Fsign-ins%2F"
    assert sign_in_of(ada).factor == "recovery"
    assert browser.get("/me/password/").headers["Location"] == "/step-up/?next=%2Fme%2Fpassword%2F"
    browser.get("/sign-in/enrol/")
    browser.post("/sign-in/enrol/", {"code": code_from(browser.session["enrolling"])})
    assert sign_in_of(ada).factor == "totp"
    assert browser.get("/me/password/").status_code == 200
    assert names_by_subject(ada.log_subject) == ["factor.removed", "factor.enrolled", "recovery.made"]
    other = Client()
    typed(other, ada)
    assert other.post("/sign-in/recovery/", {"code": codes[0]}).status_code == 422


@pytest.mark.parametrize(("name", "signed_in"), [("signin.opened", False), ("signin.strengthened", True)])
def test_recovery_code_stays_unused_where_the_log_refuses(ada: Person, name: str, signed_in: bool) -> None:
    codes = factors.new_recovery_codes(ada)
    before, browser = held_by(ada), client_of(ada) if signed_in else Client()
    if not signed_in:
        typed(browser, ada)
    with log_without(name):
        assert browser.post("/sign-in/recovery/", {"code": codes[0]}).status_code == 503
    assert (held_by(ada), SignIn.objects.filter(factor="recovery").count()) == (before, 0)
    if not signed_in:
        typed(browser, ada)
    assert browser.post("/sign-in/recovery/", {"code": codes[0]}).status_code == 302
    assert sign_in_of(ada).factor == "recovery"


def test_recovery_codes_are_kept_as_digests_only(ada: Person) -> None:
    codes = factors.new_recovery_codes(ada)
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM otp_static_statictoken")
        stored = {row[0] for row in cursor.fetchall()}
    assert stored == {factors.stored_form(ada, code) for code in codes}
    assert not any(code.replace("-", "") in token or token in code for code in codes for token in stored)


def test_way_in_is_over_after_ten_minutes(ada: Person) -> None:
    browser = Client()
    typed(browser, ada)
    session = browser.session
    session["signing_in"] = {**session["signing_in"], "at": session["signing_in"]["at"] - 601_000}
    session.save()
    assert browser.post("/sign-in/code/", {"code": code_of(ada)}).headers["Location"] == "/sign-in/"
    assert not SignIn.objects.exists()


def test_changed_password_stops_who_is_on_the_way_in(ada: Person) -> None:
    browser = Client()
    typed(browser, ada)
    ada.set_password("another long password")
    ada.save()
    assert browser.post("/sign-in/code/", {"code": code_of(ada)}).headers["Location"] == "/sign-in/"


def test_who_left_cannot_sign_in(ada: Person) -> None:
    ada.left_at = ada.added_at
    ada.save()
    assert typed(Client(), ada).status_code == 422


def test_log_that_cannot_be_written_lets_nobody_in(ada: Person) -> None:
    browser = Client()
    typed(browser, ada)
    with broken_log():
        assert browser.post("/sign-in/code/", {"code": code_of(ada)}).status_code == 503
    assert not SignIn.objects.exists()
    assert browser.get("/").status_code == 302


@contextmanager
def log_without(name: str) -> Iterator[None]:
    """The database refuses the entries of one name, so that what comes before it goes through."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE audit_event ADD CONSTRAINT broken CHECK (name <> '{name}') NOT VALID")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_event DROP CONSTRAINT broken")


def held_by(made: Person) -> tuple[list[str], list[str]]:
    """Keys of the authenticators, and recovery codes."""
    tokens = StaticToken.objects.filter(device__user=made).order_by("pk").values_list("token", flat=True)
    return list(TOTPDevice.objects.filter(user=made).values_list("key", flat=True)), list(tokens)


STEPS = ("factor.enrolled", "recovery.made", "signin.opened")


@pytest.mark.parametrize("name", STEPS)
def test_first_authenticator_is_enrolled_whole_or_not_at_all(name: str) -> None:
    bob, browser = person("Bob", enrolled=False), Client()
    typed(browser, bob)
    browser.get("/sign-in/enrol/")
    with log_without(name):
        answer = browser.post("/sign-in/enrol/", {"code": code_from(browser.session["enrolling"])})
    assert (answer.status_code, held_by(bob), SignIn.objects.count()) == (503, ([], []), 0)
    assert names_by_subject(bob.log_subject) == []
    assert browser.get("/").status_code == 302
    typed(browser, bob)
    browser.get("/sign-in/enrol/")
    assert browser.post("/sign-in/enrol/", {"code": code_from(browser.session["enrolling"])}).status_code == 200
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("name", ["factor.removed", *STEPS[:2], "signin.strengthened"])
def test_authenticator_stays_where_a_new_one_could_not_be_taken_up(ada: Person, name: str) -> None:
    """Told that nothing was done, she has her old one still, and her old recovery codes."""
    factors.new_recovery_codes(ada)
    browser = client_of(ada)
    browser.get("/sign-in/enrol/")
    before, signed_in = held_by(ada), SignIn.objects.values().get()
    code = code_from(browser.session["enrolling"])
    with log_without(name):
        answer = browser.post("/sign-in/enrol/", {"code": code})
    assert (answer.status_code, held_by(ada), names_by_subject(ada.log_subject)) == (503, before, [])
    assert SignIn.objects.values().get() == signed_in
    assert browser.post("/sign-in/enrol/", {"code": code}).status_code == 200
    assert held_by(ada)[0] != before[0]


def test_enrolled_again_by_hand_is_not_needed_twice(ada: Person) -> None:
    enrol(person("Bob", enrolled=False))
    assert client_of(ada).get("/sign-in/").headers["Location"] == "/"


def test_demo_leads_from_each_step_of_the_way_in_to_its_codes(ada: Person, settings: Any) -> None:
    enrol(ada)
    browser = Client()
    assert "/demo/" not in browser.get("/sign-in/").content.decode()
    settings.PORTAL_DEMO, settings.ROOT_URLCONF = True, "tests.architecture.every_url"
    assert 'href="/demo/"' in browser.get("/sign-in/").content.decode()
    assert 'href="/demo/"' in typed_to_the_code(browser, ada)


def typed_to_the_code(browser: Client, made: Person) -> str:
    return str(browser.get(typed(browser, made).headers["Location"]).content.decode())
