"""Wrong passwords wait longer and longer, and never keep the owner of an account out for more than a minute."""

from typing import Any

import pytest
from django.test import Client

from audit.log.read import named
from portal.clock import now
from portal.people import throttle
from portal.people.models import Attempts, Person
from tests.factories import PASSWORD, client_by_form, code_from, code_of, person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Person:
    return person()


def guess(browser: Client, made: Person, password: str = "wrong", address: str = "127.0.0.1") -> str:
    answer = browser.post("/sign-in/", {"email": made.email, "password": password}, REMOTE_ADDR=address)
    return str(answer.content.decode())


def test_account_waits_after_ten_wrong_passwords_even_for_the_right_one(ada: Person) -> None:
    browser = Client()
    for _ in range(10):
        assert "do not belong together" in guess(browser, ada)
    assert "Wait 1 second" in guess(browser, ada, PASSWORD)


@pytest.mark.parametrize(("forwarded", "remote"), [("no address at all", "10.0.0.1"), ("", "unix:/run/portal.sock")])
def test_sign_in_works_behind_a_proxy_that_tells_no_address(
    ada: Person, settings: Any, forwarded: str, remote: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    browser = Client(headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=remote)
    assert "do not belong together" in browser.post("/sign-in/", {"email": ada.email, "password": "x"}).content.decode()
    browser.post("/sign-in/", {"email": ada.email, "password": PASSWORD})
    assert browser.post("/sign-in/code/", {"code": code_of(ada)}).status_code == 302
    (event,) = named(["signin.opened"])
    assert "address" not in event.personal


def test_account_counts_guesses_from_all_addresses(ada: Person) -> None:
    for number in range(10):
        guess(Client(), ada, address=f"192.0.2.{number}")
    assert "Wait 1 second" in guess(Client(), ada, PASSWORD, address="198.51.100.7")


def test_address_counts_guesses_at_all_accounts(ada: Person) -> None:
    for number in range(30):
        Client().post("/sign-in/", {"email": f"nobody{number}@example.org", "password": "x"})
    assert "Wait 1 second" in guess(Client(), ada, PASSWORD)
    assert "Wait" not in guess(Client(), ada, PASSWORD, address="198.51.100.7")


def test_browser_that_is_known_is_not_kept_out_by_others(ada: Person) -> None:
    known = client_by_form(ada)
    known.post("/sign-out/")
    for number in range(40):
        guess(Client(), ada, address="127.0.0.1" if number % 2 else f"192.0.2.{number}")
    assert "Wait" in guess(Client(), ada, PASSWORD)
    assert known.post("/sign-in/", {"email": ada.email, "password": PASSWORD}).headers["Location"] == "/sign-in/code/"


def test_known_browser_has_a_count_of_its_own(ada: Person) -> None:
    known = client_by_form(ada)
    known.post("/sign-out/")
    for _ in range(5):
        guess(known, ada)
    assert "Wait 1 second" in guess(known, ada, PASSWORD)


def test_known_browser_of_one_is_unknown_for_another(ada: Person) -> None:
    bob, known = person("Bob"), client_by_form(ada)
    known.post("/sign-out/")
    for _ in range(10):
        guess(Client(), bob)
    assert "Wait 1 second" in guess(known, bob, PASSWORD)


def counts() -> dict[str, int]:
    return {row.key.partition(":")[0]: row.failures for row in Attempts.objects.all()}


def test_right_password_takes_its_own_try_back_and_the_second_factor_empties_the_accounts_count(ada: Person) -> None:
    browser = Client()
    for _ in range(9):
        guess(browser, ada)
    guess(browser, ada, PASSWORD)
    assert counts() == {"account": 9, "address": 9}
    browser.post("/sign-in/code/", {"code": code_of(ada)})
    assert counts() == {"address": 9}


def test_ones_own_password_buys_no_guesses_at_other_accounts(ada: Person) -> None:
    others = [person(f"Other{number}") for number in range(30)]
    for number, other in enumerate(others):
        guess(Client(), other)
        if number % 10 == 9:
            client_by_form(ada)
    assert "Wait" in guess(Client(), person("Another"))


def test_many_who_sign_in_from_one_address_do_not_keep_each_other_out() -> None:
    for number in range(35):
        assert "Wait" not in guess(Client(), person(f"Colleague{number}"), PASSWORD)
    assert counts()["address"] == 0


def test_enrolling_at_the_first_sign_in_empties_the_count_too() -> None:
    made, browser = person("New", enrolled=False), Client()
    guess(browser, made)
    guess(browser, made, PASSWORD)
    browser.get("/sign-in/enrol/")
    browser.post("/sign-in/enrol/", {"code": code_from(browser.session["enrolling"])})
    assert counts() == {"address": 1}


def test_what_is_forgotten_is_removed_with_the_next_try() -> None:
    long_ago = now() - throttle.FORGOTTEN_AFTER * 1.01
    Attempts.objects.bulk_create(Attempts(key=f"account:{name}", failures=3, last_at=long_ago) for name in range(5))
    Attempts.objects.create(key="account:lately", failures=3, last_at=now())
    throttle.begin(("account:x",))
    assert set(Attempts.objects.values_list("key", "failures")) == {("account:lately", 3), ("account:x", 1)}


def test_count_that_is_swept_by_somebody_else_meanwhile_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    real, taken = Attempts.objects.bulk_create, list[object]()

    def and_swept(rows: list[Attempts], **how: Any) -> object:
        made = real(rows, **how)
        if not taken:
            taken.append(Attempts.objects.all().delete())
        return made

    monkeypatch.setattr(Attempts.objects, "bulk_create", and_swept)
    assert throttle.begin(("account:x",)) == 0
    assert counts() == {"account": 1}


@pytest.mark.parametrize(("failures", "expected"), [(9, 0), (10, 1), (11, 2), (13, 8), (16, 60), (5_000, 60)])
def test_wait_doubles_up_to_a_minute(failures: int, expected: int) -> None:
    Attempts.objects.create(key="account:x", failures=failures, last_at=now())
    assert throttle.begin(("account:x",)) == expected


def test_try_while_waiting_does_not_make_the_wait_longer() -> None:
    Attempts.objects.create(key="account:x", failures=16, last_at=now())
    for _ in range(3):
        throttle.begin(("account:x",))
    assert Attempts.objects.get().failures == 16


def test_counts_are_forgotten_after_a_quarter_of_an_hour() -> None:
    Attempts.objects.create(key="account:x", failures=500, last_at=now() - throttle.FORGOTTEN_AFTER * 1.01)
    assert throttle.begin(("account:x",)) == 0
    assert Attempts.objects.get().failures == 1
