"""The browser's login: which sign-in it is, the actor that it makes, and the steps on the way in."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from audit.log.append import Actor, LogUnavailable, Refused, now_ms
from portal.clock import now, optional_ms
from portal.people.actions import acting, open_sign_in
from portal.people.factors import Proof
from portal.people.models import Person, SignIn
from portal.people.throttle import address_of, forget

P = ParamSpec("P")
PENDING = "signing_in"
PENDING_MINUTES = 10
SEEN_EVERY = timedelta(minutes=1)
BACKEND = "portal.people.backend.PasswordBackend"


class PersonRequest(HttpRequest):
    """A request of somebody who is signed in, as `signed_in` hands it on."""

    user: Person
    actor: Actor
    sign_in: SignIn
    strong_at: int | None


def signed_in(
    view: Callable[Concatenate[PersonRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only people in who are signed in; others sign in first and come back."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if getattr(request, "actor", None) is None:
            return redirect_to_login(request.get_full_path(), login_url=reverse("sign_in"))
        return view(request, *args, **kwargs)  # type: ignore[arg-type]  # the middleware has put it on the request

    return guarded  # type: ignore[return-value]  # wraps() names the first argument, which is all that differs


def browser_key(session_key: str) -> str:
    """SHA-256 of the cookie's key, so that reading the table opens nothing."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def current_sign_in(request: HttpRequest) -> SignIn | None:
    """The sign-in of this browser, if it still stands; one that was ended is emptied out."""
    if not isinstance(request.user, Person) or not request.session.session_key:
        return None
    key = browser_key(request.session.session_key)
    found = (
        SignIn.objects.filter(browser_key=key, person=request.user, ended_at__isnull=True)
        .select_related("person")
        .first()
    )
    if found is None:
        request.session.flush()
        request.user = AnonymousUser()
    elif now() - found.seen_at > SEEN_EVERY:
        SignIn.objects.filter(pk=found.pk).update(seen_at=now())
    return found


def actor_of(sign_in: SignIn | None) -> Actor | None:
    """Who acts, with the method that was really checked and when."""
    if sign_in is None:
        return None
    strong = optional_ms(sign_in.strong_at)
    return Actor(
        id=str(sign_in.person_id), name=sign_in.person.name, method=sign_in.factor if strong else None, strong_at=strong
    )


# --- on the way in


@dataclass(frozen=True)
class OnTheWay:
    """Somebody whose password was right and whose second factor is still to come."""

    person: Person
    then: str


def set_out(request: HttpRequest, person: Person, then: str) -> None:
    """Keep who it is, under a new key of the cookie, for ten minutes."""
    request.session.flush()
    request.session[PENDING] = {
        "person": str(person.pk),
        "at": now_ms(),
        "then": then,
        "password": password_mark(person),
    }


def on_the_way(request: HttpRequest) -> OnTheWay | None:
    """Who is on the way in in this browser; nobody after ten minutes, or once the password was changed."""
    kept: dict[str, Any] = request.session.get(PENDING) or {}
    if not kept or now_ms() - kept["at"] > PENDING_MINUTES * 60_000:
        return None
    person = Person.objects.filter(pk=kept["person"], left_at__isnull=True).first()
    if person is None or kept["password"] != password_mark(person):
        return None
    return OnTheWay(person, kept["then"])


def password_mark(person: Person) -> str:
    """Changes with the password; tells nothing about it."""
    return person.get_session_auth_hash()


def let_in(request: HttpRequest, person: Person, proof: Proof) -> SignIn:
    """Sign in, under a new key of the cookie. If the log does not take it, nobody is signed in."""
    request.session.pop(PENDING, None)
    login(request, person, backend=BACKEND)
    by = acting(person, proof)
    try:
        sign_in = open_sign_in(
            by=by, person=person, proof=proof, browser_key=browser_key(request.session.session_key or ""),
            address=address_of(request), agent=request.headers.get("User-Agent", ""),
        )  # fmt: skip
    except (Refused, LogUnavailable):
        logout(request)
        raise
    forget(request, person)
    request.sign_in, request.actor = sign_in, by  # type: ignore[attr-defined]  # our own attributes
    return sign_in


def safe_next(request: HttpRequest, given: str | None = None) -> str:
    """Where the link pointed, if it is a page of this portal; else the first page."""
    address = given if given is not None else request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(address, allowed_hosts=None) and address.startswith("/")
    return address if allowed else reverse("home")
