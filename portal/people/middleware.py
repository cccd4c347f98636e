"""Puts the sign-in, the actor, the time of the last strong proof and how a look is noted on each request."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse

from portal.notifications.seeing import looked_at
from portal.people.signing_in import actor_of, current_sign_in
from portal.people.strength import STRONG_METHODS


class SignInMiddleware:
    """``request.sign_in``, ``request.actor`` and ``request.strong_at`` (ms), from the database, never from the cookie alone.

    ``request.looked_at()`` is for pages of audit to which alerts lead; what it does is `portal.notifications.seeing.looked_at`.
    """

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
        request.looked_at = partial(looked_at, request)  # type: ignore[attr-defined, arg-type]  # called for who is signed in
        return self.get_response(request)
