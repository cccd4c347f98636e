"""Browsers of the small organisation's people, signed in with a second factor, for tests of pages."""

from datetime import timedelta

from django.test import Client
from playwright.sync_api import Page

from portal.clock import now
from portal.people.models import Person, SignIn
from tests.factories import client_of, code_of


def browser_of(person: Person) -> Client:
    """A client in which a person of `tests.worlds.make_world` is signed in, with a fresh second factor."""
    return client_of(person)


def stale(person: Person, minutes: int = 16) -> None:
    """Their last second factor was so many minutes ago."""
    SignIn.objects.filter(person=person).update(strong_at=now() - timedelta(minutes=minutes))


def enter(page: Page, url: str, person: Person) -> None:
    """Give a browser the sign-in of a person, made by the real pages."""
    kept = browser_of(person).cookies["breakglass"]
    page.context.add_cookies([{"name": "breakglass", "value": kept.value, "url": url}])


def code_of_device(person: Person) -> str:
    """The code that the person's authenticator shows now; enrols one where there is none."""
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from tests.factories import enrol

    if not TOTPDevice.objects.filter(user=person).exists():
        enrol(person)
    return code_of(person)
