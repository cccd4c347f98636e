"""Passkeys: what is checked of an answer, what is kept, and that none can be used in another's place, twice, too late or elsewhere."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webauthn import base64url_to_bytes

from audit.log.append import LogUnavailable
from portal.clock import ms, now
from portal.errors import NotAllowed, RefusedByPolicy, StepUpNeeded
from portal.notifications.models import Alert
from portal.people import factors, passkeys
from portal.people.factors import NotProven, Proof
from portal.people.models import Passkey, PasskeyChallenge, Person
from portal.people.own_passkeys import LAST, add_passkey, remove_passkey, rename_passkey
from portal.people.passkeys import CONFIRM, SIGN_IN, NotThisPasskey
from portal.people.strength import RESISTANT_METHODS, need_fresh
from tests.authenticator import PRESENT, VERIFIED, Authenticator, text
from tests.factories import (
    PASSWORD,
    broken_log,
    client_of,
    fields_of,
    founders,
    names_by_subject,
    passkey_of,
    person,
    sign_in_of,
)
from tests.worlds import actor

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "a" * 64


@pytest.fixture
def ada() -> Person:
    return person()


@pytest.fixture
def key() -> Authenticator:
    return Authenticator()


def asked(made: Person, purpose: str = CONFIRM, browser: str = HERE) -> dict[str, Any]:
    return dict(json.loads(passkeys.request_options(made, browser, purpose)))


def check(made: Person, answer: str, purpose: str = CONFIRM, browser: str = HERE) -> Proof | NotProven:
    return factors.check_passkey(made, browser, purpose, answer)


def test_browser_is_asked_for_a_verified_user_at_this_address(ada: Person, key: Authenticator) -> None:
    told = json.loads(passkeys.creation_options(ada, HERE))
    assert told["rp"] == {"name": "Breakglass Portal", "id": "localhost"}
    assert told["authenticatorSelection"]["userVerification"] == "required"
    assert told["attestation"] == "none"
    row = passkey_of(ada, key)
    again = asked(ada)
    assert (again["rpId"], again["userVerification"]) == ("localhost", "required")
    assert [each["id"] for each in again["allowCredentials"]] == [json.loads(key.get(again))["id"]]
    assert json.loads(passkeys.creation_options(ada, HERE))["excludeCredentials"] == again["allowCredentials"]
    assert (row.transports, row.synced, row.sign_count) == (["usb"], False, 0)


def test_adding_is_on_record_and_its_owner_is_told(ada: Person, key: Authenticator) -> None:
    row = passkey_of(ada, key, settled=False)
    assert names_by_subject(ada.log_subject) == ["factor.enrolled"]
    assert fields_of("factor.enrolled", ada.log_subject) == {
        "person_id": str(ada.pk), "factor": "webauthn", "passkey_id": str(row.pk), "aaguid": str(row.aaguid), "synced": 0,
        "settles_at": ms(row.settles_at),
    }  # fmt: skip
    assert [(each.kind, each.recipient) for each in Alert.objects.all()] == [("signin.passkey_changed", ada)]


def test_first_passkey_added_with_a_code_proves_no_more_than_it_for_a_day_and_administrators_know(
    ada: Person, key: Authenticator
) -> None:
    """Whoever phished one code of Ada's could have added it."""
    pia, quinn = founders()
    checked = passkeys.registered(ada, HERE, key.create(json.loads(passkeys.creation_options(ada, HERE))))
    row = add_passkey(by=actor(ada), person=ada, passkey=checked, name="Mine", administrators=[pia, quinn])
    assert row.settles_at - row.added_at == timedelta(hours=24)
    told = Alert.objects.order_by("kind", "recipient__name").values_list("kind", "recipient")
    assert list(told) == [
        ("signin.first_passkey", pia.pk),
        ("signin.first_passkey", quinn.pk),
        ("signin.passkey_changed", ada.pk),
    ]
    outcome = check(ada, key.get(asked(ada)))
    assert isinstance(outcome, Proof)
    assert outcome.method == "webauthn_new"
    need_fresh(actor(ada, method="webauthn_new"))
    with pytest.raises(StepUpNeeded):
        need_fresh(actor(ada, method="webauthn_new"), methods=RESISTANT_METHODS)
    Passkey.objects.update(settles_at=now())
    assert getattr(check(ada, key.get(asked(ada))), "method", "") == "webauthn"


@pytest.mark.parametrize(("method", "settled", "then"), [
    ("totp", True, "refused"), ("recovery", True, "refused"), ("webauthn", True, "at once"), ("webauthn_new", False, "with the first"),
])  # fmt: skip
def test_another_passkey_is_added_with_a_passkey_and_settles_no_sooner_than_it(
    ada: Person, key: Authenticator, method: str, settled: bool, then: str
) -> None:
    first = passkey_of(ada, key, settled=settled)
    checked = passkeys.registered(ada, HERE, Authenticator().create(json.loads(passkeys.creation_options(ada, HERE))))
    by = actor(ada, method=method)
    if then == "refused":
        with pytest.raises(StepUpNeeded) as refusal:
            add_passkey(by=by, person=ada, passkey=checked, name="Another", administrators=())
        assert (refusal.value.resistant, Passkey.objects.count()) == (True, 1)
        return
    row = add_passkey(by=by, person=ada, passkey=checked, name="Another", administrators=())
    assert row.settles_at == (first.settles_at if then == "with the first" else row.added_at)


def test_who_lost_the_passkey_removes_it_and_the_next_has_to_settle(ada: Person, key: Authenticator) -> None:
    remove_passkey(by=actor(ada), passkey=passkey_of(ada, key))
    assert passkey_of(ada, Authenticator(), settled=False).is_settling


def test_passkey_proves_who_it_is_and_its_counter_is_kept(ada: Person, key: Authenticator) -> None:
    row = passkey_of(ada, key)
    outcome = check(ada, replace(key, count=7).get(asked(ada), handle=ada.pk.bytes))
    assert isinstance(outcome, Proof)
    assert (outcome.person_id, outcome.method) == (ada.pk, "webauthn")
    row.refresh_from_db()
    assert (row.sign_count, row.last_used_at is not None) == (7, True)


WRONG: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "http://localhost:8001"},
    "a look-alike": {"origin": "https://portal-breakglass.example", "domain": "portal-breakglass.example"},
    "another domain": {"domain": "example.org"},
    "a foreign page's frame": {"cross_origin": True},
    "nobody present": {"flags": VERIFIED},
    "user not verified": {"flags": PRESENT},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_wrong_registration_keeps_nothing(ada: Person, key: Authenticator, changed: dict[str, Any]) -> None:
    with pytest.raises(NotThisPasskey):
        passkey_of(ada, replace(key, **changed))
    assert not Passkey.objects.exists()


@pytest.mark.parametrize(
    "changed", [*WRONG.values(), {"key": Authenticator().key}, {"credential_id": b"x" * 32}],
    ids=[*WRONG, "another key", "another credential"],
)  # fmt: skip
def test_wrong_answer_proves_nothing(ada: Person, key: Authenticator, changed: dict[str, Any]) -> None:
    passkey_of(ada, key)
    outcome = check(ada, replace(key, **changed).get(asked(ada)))
    assert isinstance(outcome, NotProven)
    assert (outcome.kind, Passkey.objects.get().last_used_at) == ("wrong passkey", None)


def test_another_persons_passkey_proves_nothing(ada: Person, key: Authenticator) -> None:
    bob = person("Bob")
    passkey_of(bob, key)
    passkey_of(ada, Authenticator())
    for answer in (key.get(asked(ada)), key.get(asked(ada), handle=bob.pk.bytes)):
        assert isinstance(check(ada, answer), NotProven)


def test_challenge_is_for_one_use_browser_purpose_and_person(ada: Person, key: Authenticator) -> None:
    passkey_of(ada, key)
    bob = person("Bob")
    passkey_of(bob, Authenticator())
    once = key.get(asked(ada))
    assert isinstance(check(ada, once), Proof)
    spent = [
        check(ada, once),
        check(ada, key.get(asked(ada, browser="b" * 64))),
        check(ada, key.get(asked(ada, SIGN_IN))),
        check(ada, key.get(asked(bob))),
    ]
    assert {getattr(each, "kind", "proof") for each in spent} <= {"passkey too late", "wrong passkey"}
    late = key.get(asked(ada))
    PasskeyChallenge.objects.update(expires_at=now() - timedelta(seconds=1))
    assert getattr(check(ada, late), "kind", "proof") == "passkey too late"


def test_wrong_answer_uses_the_challenge_up(ada: Person, key: Authenticator) -> None:
    passkey_of(ada, key)
    told = asked(ada)
    check(ada, replace(key, flags=PRESENT).get(told))
    assert getattr(check(ada, key.get(told)), "kind", "proof") == "passkey too late"


@pytest.mark.parametrize(("kept", "shown", "taken"), [(0, 0, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)])  # fmt: skip
def test_counter_never_goes_back(ada: Person, key: Authenticator, kept: int, shown: int, taken: bool) -> None:
    passkey_of(ada, key)
    Passkey.objects.update(sign_count=kept)
    outcome = check(ada, replace(key, count=shown).get(asked(ada)))
    assert isinstance(outcome, Proof) is taken
    assert Passkey.objects.get().sign_count == (shown if taken else kept)
    if isinstance(outcome, NotProven):
        assert outcome.kind == "passkey counter went back"


PARTS = st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON"])
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
NESTED = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=5))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.text(max_size=200) | NESTED.map(json.dumps))
def test_any_text_is_an_answer_that_proves_nothing(ada: Person, junk: str) -> None:
    asked(ada)
    assert isinstance(check(ada, junk), NotProven)
    passkeys.creation_options(ada, HERE)
    with pytest.raises(NotThisPasskey):
        passkeys.registered(ada, HERE, junk)


def test_one_flipped_byte_anywhere_proves_nothing(ada: Person, key: Authenticator) -> None:
    passkey_of(ada, key)
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        body = json.loads(key.get(asked(ada)))
        raw = bytearray(base64url_to_bytes(body["response"][part]))
        raw[len(raw) // 2] ^= 1
        body["response"][part] = text(bytes(raw))
        assert isinstance(check(ada, json.dumps(body)), NotProven)


def test_only_the_owner_with_a_fresh_factor_looks_after_passkeys(ada: Person, key: Authenticator) -> None:
    row, bob = passkey_of(ada, key), person("Bob")
    checked = passkeys.registered(ada, HERE, Authenticator().create(json.loads(passkeys.creation_options(ada, HERE))))
    by = actor(bob)
    with pytest.raises(NotAllowed):
        add_passkey(by=by, person=ada, passkey=checked, name="Mine", administrators=())
    with pytest.raises(NotAllowed):
        add_passkey(by=by, person=bob, passkey=checked, name="Mine", administrators=())
    with pytest.raises(NotAllowed):
        rename_passkey(by=by, passkey=row, name="Mine")
    with pytest.raises(NotAllowed):
        remove_passkey(by=by, passkey=row)
    for stale in (actor(ada, age_s=16 * 60), actor(ada, method=None), actor(ada, method="recovery")):
        with pytest.raises(StepUpNeeded):
            add_passkey(by=stale, person=ada, passkey=checked, name="Another", administrators=())
        with pytest.raises(StepUpNeeded):
            remove_passkey(by=stale, passkey=row)
    assert list(Passkey.objects.values_list("name", flat=True)) == ["Blue key"]


def test_last_factor_stays(ada: Person, key: Authenticator) -> None:
    row = passkey_of(ada, key)
    TOTPDevice.objects.filter(user=ada).delete()
    with pytest.raises(RefusedByPolicy, match=LAST):
        remove_passkey(by=actor(ada, method="webauthn"), passkey=row)
    other = passkey_of(ada, Authenticator(), "Red key")
    remove_passkey(by=actor(ada, method="webauthn"), passkey=row)
    assert list(Passkey.objects.all()) == [other]
    assert names_by_subject(ada.log_subject)[-2:] == ["factor.enrolled", "factor.removed"]


def test_log_that_cannot_be_written_changes_no_passkey(ada: Person, key: Authenticator) -> None:
    row = passkey_of(ada, key)
    checked = passkeys.registered(ada, HERE, Authenticator().create(json.loads(passkeys.creation_options(ada, HERE))))
    with broken_log():
        with pytest.raises(LogUnavailable):
            add_passkey(
                by=actor(ada, method="webauthn"), person=ada, passkey=checked, name="Another", administrators=()
            )
        with pytest.raises(LogUnavailable):
            rename_passkey(by=actor(ada), passkey=row, name="Another")
        with pytest.raises(LogUnavailable):
            remove_passkey(by=actor(ada), passkey=row)
    assert list(Passkey.objects.values_list("name", flat=True)) == ["Blue key"]


# --- by the pages


def test_page_asks_for_a_passkey_before_another_is_added(ada: Person, key: Authenticator) -> None:
    browser = client_of(ada)
    assert "for 24 hours this one proves no more" in browser.get("/me/passkeys/new/").content.decode()
    added_by_page(browser, key)
    answer = browser.get("/me/passkeys/new/")
    assert (answer.status_code, "only=passkey" in answer.headers["Location"]) == (302, True)
    assert browser.post("/me/passkeys/options/").status_code == 403
    told = post_json(browser, "/passkey/options/")
    assert browser.post("/step-up/", {"passkey": key.get(told), "next": "/me/passkeys/new/"}).status_code == 302
    added_by_page(browser, Authenticator(), "Red key")
    assert [each.is_settling for each in Passkey.objects.all()] == [True, True]


def post_json(browser: Client, address: str) -> dict[str, Any]:
    answer = browser.post(address)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def added_by_page(browser: Client, key: Authenticator, name: str = "Blue key") -> None:
    told = post_json(browser, "/me/passkeys/options/")
    answer = browser.post("/me/passkeys/new/", {"name": name, "passkey": key.create(told)})
    assert answer.headers.get("Location") == "/me/sign-ins/", answer.content


def test_added_by_the_page_it_signs_in_and_steps_up(ada: Person, key: Authenticator) -> None:
    added_by_page(client_of(ada), key)
    browser = Client()
    browser.post("/sign-in/", {"email": ada.email, "password": PASSWORD, "next": "/me/sign-ins/"})
    page = browser.get("/sign-in/code/").content.decode()
    assert ("Use your passkey" in page, "Code of your authenticator" in page) == (True, True)
    answer = browser.post("/sign-in/code/", {"passkey": key.get(post_json(browser, "/passkey/options/"))})
    assert answer.headers["Location"] == "/me/sign-ins/"
    made = sign_in_of(ada)
    assert (made.factor, fields_of("signin.opened", made.log_subject)["factor"]) == ("webauthn_new", "webauthn_new")
    page = browser.get("/me/sign-ins/").content.decode()
    assert ("Blue key" in page, "Counts in full from" in page, "New passkey" in page) == (True, True, True)
    Passkey.objects.update(settles_at=now())
    told = post_json(browser, "/passkey/options/")
    answer = browser.post("/step-up/", {"passkey": key.get(told), "next": "/me/password/"})
    assert answer.headers["Location"] == "/me/password/"
    assert fields_of("signin.strengthened", made.log_subject)["factor"] == "webauthn"
    assert browser.get("/me/password/").status_code == 200


def test_options_are_for_who_is_on_the_way_in_or_signed_in(ada: Person) -> None:
    answer = Client().post("/passkey/options/")
    assert (answer.status_code, answer.json()["sentence"][:24]) == (403, "Begin with your password")
    assert Client().get("/passkey/options/").status_code == 405


def test_wrong_answer_on_the_way_in_is_said_and_on_record(ada: Person, key: Authenticator) -> None:
    passkey_of(ada, key)
    browser = Client()
    browser.post("/sign-in/", {"email": ada.email, "password": PASSWORD})
    told = post_json(browser, "/passkey/options/")
    answer = browser.post("/sign-in/code/", {"passkey": replace(key, flags=PRESENT).get(told)})
    assert (answer.status_code, "did not prove that it is you" in answer.content.decode()) == (422, True)
    assert names_by_subject(ada.log_subject)[-1] == "signin.refused"
    assert fields_of("signin.refused", ada.log_subject)["kind"] == "wrong passkey"


def test_only_factor_a_passkey_offers_no_code_and_enrols_nothing_by_password(ada: Person, key: Authenticator) -> None:
    passkey_of(ada, key)
    TOTPDevice.objects.filter(user=ada).delete()
    browser = Client()
    answer = browser.post("/sign-in/", {"email": ada.email, "password": PASSWORD})
    assert answer.headers["Location"] == "/sign-in/code/"
    assert "Code of your authenticator" not in browser.get("/sign-in/code/").content.decode()
    assert browser.get("/sign-in/enrol/").status_code == 302
    assert not TOTPDevice.objects.filter(user=ada).exists()


def test_list_names_renames_and_removes(ada: Person, key: Authenticator) -> None:
    row, browser = passkey_of(ada, key), client_of(ada)
    assert browser.post(f"/me/passkeys/{row.pk}/name/", {"name": "Red key"}).headers["Location"] == "/me/sign-ins/"
    assert "Red key" in browser.get("/me/sign-ins/").content.decode()
    assert browser.post(f"/me/passkeys/{row.pk}/name/", {"name": ""}).status_code == 302
    assert Passkey.objects.get().name == "Red key"
    assert browser.post(f"/me/passkeys/{row.pk}/remove/").headers["Location"] == "/me/sign-ins/"
    assert not Passkey.objects.exists()
    assert browser.post(f"/me/passkeys/{row.pk}/remove/").status_code == 404


def test_portal_at_a_bare_address_offers_none(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = client_of(ada)
    assert "Add a passkey" in browser.get("/me/sign-ins/").content.decode()
    monkeypatch.setattr(django_settings, "PORTAL_URL", "http://127.0.0.1:8000")
    assert "Add a passkey" not in browser.get("/me/sign-ins/").content.decode()
    assert passkeys.possible() is False
