"""Puts the sign-in, the actor and the time of the last strong proof on each request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portal.people.signing_in import actor_of, current_sign_in
from portal.people.strength import STRONG_METHODS


class SignInMiddleware:
    """``request.sign_in``, ``request.actor`` and ``request.strong_at`` (ms), from the database, never from the cookie alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look the sign-in up; one that was ended is signed out at once."""
        sign_in = current_sign_in(request)
        actor = actor_of(sign_in)
        request.sign_in, request.actor = sign_in, actor  # type: ignore[attr-defined]  # our own attributes
        strong = actor.strong_at if actor and actor.method in STRONG_METHODS else None
        request.strong_at = strong  # type: ignore[attr-defined]  # likewise
        return self.get_response(request)
