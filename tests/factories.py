"""People for tests who can sign in, and browsers in which they did: by the real check and the real act."""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.log.append import process
from portal.clock import now
from portal.eligibility.founding import Founder, found
from portal.people import factors, passkeys
from portal.people.models import Passkey, Person, SignIn
from portal.people.own_passkeys import add_passkey
from portal.people.signing_in import let_in
from tests.authenticator import Authenticator
from tests.worlds import actor

PASSWORD = "a long password for tests"
_numbers = itertools.count(1)


def person(name: str = "Ada Byron", *, enrolled: bool = True) -> Person:
    """Somebody with a password of their own, and an authenticator unless told otherwise."""
    made = Person(name=name, email=f"{name.split()[0].lower()}{next(_numbers)}@example.org", added_at=now())
    made.set_password(PASSWORD)
    made.save()
    if enrolled:
        enrol(made)
    return made


def enrol(made: Person) -> TOTPDevice:
    """Give somebody an authenticator."""
    device: TOTPDevice = TOTPDevice.objects.create(
        user=made, name="Authenticator", key=factors.new_key(), confirmed=True
    )
    return device


def code_of(made: Person) -> str:
    """The code that the authenticator shows now. What was used or mistyped before is forgotten: tests are faster than 30 s."""
    devices = TOTPDevice.objects.filter(user=made)
    devices.update(last_t=-1, throttling_failure_count=0, throttling_failure_timestamp=None)
    return code_from(devices.get().key)


def code_from(key: str) -> str:
    """The code of a secret in hex."""
    totp = TOTP(bytes.fromhex(key))
    totp.time = time.time()
    return f"{totp.token():06d}"


def client_of(made: Person) -> Client:
    """A browser in which somebody is signed in, with a fresh second factor. The pages on the way in have tests of their own."""
    if not TOTPDevice.objects.filter(user=made).exists():
        enrol(made)
    proof = factors.check_code(made, code_of(made))
    assert isinstance(proof, factors.Proof)
    request, browser = HttpRequest(), Client()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    request.session = SessionStore()
    let_in(request, made, proof)
    request.session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = str(request.session.session_key)
    return browser


def client_by_form(made: Person, password: str = PASSWORD) -> Client:
    """Likewise, past the pages on which password and code are typed."""
    browser = Client()
    browser.post("/sign-in/", {"email": made.email, "password": password})
    answer = browser.post("/sign-in/code/", {"code": code_of(made)})
    assert answer.status_code == 302, answer.content
    return browser


def sign_in_of(made: Person) -> SignIn:
    """The person's newest sign-in."""
    return SignIn.objects.filter(person=made).latest("opened_at")


def founders() -> tuple[Person, Person]:
    """The first two administrators, by the founding act, past their first sign-in."""
    made = found(
        by=process("test"),
        first=Founder("Pia Founder", "pia@example.net"),
        second=Founder("Quinn Founder", "quinn@example.net"),
    )
    people = [Person.objects.get(email=each.email) for each in made]
    for each in people:
        each.set_password(PASSWORD)
        each.one_time_until = None
        each.save()
        enrol(each)
    return people[0], people[1]


def passkey_of(
    made: Person, key: Authenticator | None = None, name: str = "Blue key", *, settled: bool = True
) -> Passkey:
    """A passkey, registered by the real ceremony and action; long ago, unless it is not to be ``settled``."""
    told = json.loads(passkeys.creation_options(made, made.pk.hex))
    checked = passkeys.registered(made, made.pk.hex, (key or Authenticator()).create(told))
    by = actor(made, method="webauthn" if Passkey.objects.filter(person=made).exists() else "totp")
    row = add_passkey(by=by, person=made, passkey=checked, name=name, administrators=())
    if settled:
        row.settles_at = row.added_at
        row.save(update_fields=["settles_at"])
    return row


@contextmanager
def broken_log() -> Iterator[None]:
    """The database refuses every entry of the log."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_queue ADD CONSTRAINT broken CHECK (seq < 0) NOT VALID")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_queue DROP CONSTRAINT broken")


def fields_of(name: str, subject: str) -> dict[str, Any]:
    """The plain fields of the last event of a name about one thing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.body FROM audit_event e JOIN audit_queue q ON q.event_id = e.id WHERE e.name = %s AND e.subject = %s "
            "ORDER BY q.seq DESC LIMIT 1", [name, subject],
        )  # fmt: skip
        return dict(json.loads(bytes(cursor.fetchone()[0]))["fields"])


def names_by_subject(subject: str) -> list[str]:
    """Names of the events about one thing, in the order in which they were written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.name FROM audit_event e JOIN audit_queue q ON q.event_id = e.id WHERE e.subject = %s ORDER BY q.seq",
            [subject],
        )
        return [row[0] for row in cursor.fetchall()]
