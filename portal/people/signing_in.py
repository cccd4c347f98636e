"""The browser's login: which sign-in it is, and the actor that it makes."""

import hashlib

from django.http import HttpRequest

from audit.log.append import Actor
from portal.clock import optional_ms
from portal.people.models import SignIn


def browser_key(session_key: str) -> str:
    """SHA-256 of the cookie's key, so that reading the table opens nothing."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def current_sign_in(request: HttpRequest) -> SignIn | None:
    """The sign-in of this browser, if it still stands; one that was ended is emptied out."""
    if not getattr(request.user, "is_authenticated", False) or not request.session.session_key:
        return None
    key = browser_key(request.session.session_key)
    found = SignIn.objects.filter(browser_key=key, person_id=request.user.pk, ended_at__isnull=True).select_related("person").first()
    if found is None:
        request.session.flush()
        from django.contrib.auth.models import AnonymousUser  # auth's models load after ours

        request.user = AnonymousUser()
    return found


def actor_of(sign_in: SignIn | None) -> Actor | None:
    """Who acts, with the method that was really checked and when."""
    if sign_in is None:
        return None
    strong = optional_ms(sign_in.strong_at)
    return Actor(id=str(sign_in.person_id), name=sign_in.person.name, method=sign_in.factor if strong else None, strong_at=strong)
