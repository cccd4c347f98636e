"""Slows the guessing of passwords down.

Wrong passwords are counted for the account, for the address, and, in a browser that has signed this person in before, for that browser
alone: who floods the account from elsewhere cannot keep its owner out (OWASP, "device cookies"). The longest wait is a minute.
A try is counted before the password is looked at, so many at once gain nothing; a right one is taken back. The counts of account and
browser begin anew once the second factor was right too; the address' count does not: one's own password would buy guesses at others'.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from ipaddress import ip_address
from math import ceil

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse

from portal.clock import now
from portal.people.models import Attempts, Person

FREE_TRIES = {"account": 10, "address": 30, "browser": 5}
LONGEST_WAIT = 60  # seconds
FORGOTTEN_AFTER = timedelta(minutes=15)
SWEPT_AT_ONCE = 100
COOKIE, COOKIE_AGE = "breakglass_known", 180 * 86_400
SALT = "portal.people.known"
_IN_BRACKETS = re.compile(r"\[([^\]]*)\](?::[0-9]+)?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+")


def keys_of(request: HttpRequest, email: str) -> tuple[str, ...]:
    """Under which names a try of this browser for this account counts."""
    known = _known_browser(request, email)
    if known:
        return (f"browser:{known}",)
    address = address_of(request)
    account = f"account:{_digest(email)}"
    return (account, f"address:{address}") if address else (account,)


def begin(keys: tuple[str, ...]) -> int:
    """Count a try. Returns the seconds that must pass first; 0 means go on, and only then it was counted."""
    at = now()
    _sweep(at)
    with transaction.atomic():
        rows = [_locked(key, at) for key in sorted(keys)]
        wait = max(_wait(row, at) for row in rows)
        if wait == 0:
            for row in rows:
                row.failures, row.last_at = row.failures + 1, at
                row.save()
    return wait


def take_back(keys: tuple[str, ...]) -> None:
    """The password was right: this try counts no more, so people behind one address do not keep each other out."""
    for key in sorted(keys):  # one after the other, as `begin` locks them
        Attempts.objects.filter(key=key, failures__gt=0).update(failures=F("failures") - 1)


def forget(request: HttpRequest, person: Person) -> None:
    """Password and second factor were right: the count of the account, or of this browser, begins anew."""
    keys = [key for key in keys_of(request, person.email) if not key.startswith("address:")]
    Attempts.objects.filter(key__in=keys).delete()


def _sweep(at: datetime) -> None:
    """Remove what is forgotten, a part with each try; anybody can make rows by names that nobody has."""
    with transaction.atomic():
        old = Attempts.objects.filter(last_at__lt=at - FORGOTTEN_AFTER).select_for_update(skip_locked=True)
        Attempts.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:SWEPT_AT_ONCE])).delete()


def remember_browser(response: HttpResponse, person: Person) -> None:
    """Mark the browser as one that has signed this person in."""
    value = signing.dumps([_digest(person.email), secrets.token_hex(12)], salt=SALT)
    response.set_cookie(
        COOKIE,
        value,
        max_age=COOKIE_AGE,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
        path="/sign-in/",
    )


def address_of(request: HttpRequest) -> str | None:
    """The caller's address; behind a proxy the one that the proxy added last. Nothing where that is no address ("unknown", a socket's path)."""
    told = request.headers.get("X-Forwarded-For", "") if getattr(settings, "SECURE_PROXY_SSL_HEADER", None) else ""
    return _plain_address(told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR") or "")


def _plain_address(text: str) -> str | None:
    """Some proxies add the port; the zone of an IPv6 address, and an IPv4 address in IPv6's clothes, say nothing more."""
    in_brackets, with_port = _IN_BRACKETS.fullmatch(text), _WITH_PORT.fullmatch(text)
    bare = in_brackets[1] if in_brackets else with_port[1] if with_port else text
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


def _locked(key: str, at: datetime) -> Attempts:
    row = None
    while row is None:  # it may be swept or forgotten between the two
        Attempts.objects.bulk_create([Attempts(key=key, failures=0, last_at=at)], ignore_conflicts=True)
        row = Attempts.objects.select_for_update().filter(key=key).first()
    if at - row.last_at > FORGOTTEN_AFTER:
        row.failures = 0
    return row


def _wait(row: Attempts, at: datetime) -> int:
    over = row.failures - FREE_TRIES[row.key.partition(":")[0]]
    if over < 0:
        return 0
    due = row.last_at + timedelta(seconds=min(2 ** min(over, 10), LONGEST_WAIT))
    return max(0, ceil((due - at).total_seconds()))


def _known_browser(request: HttpRequest, email: str) -> str:
    try:
        account, browser = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=COOKIE_AGE)
    except (signing.BadSignature, ValueError):
        return ""
    return str(browser) if account == _digest(email) else ""


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()
