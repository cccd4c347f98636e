"""What was typed is kept: a second factor is asked on a page that carries the input along, and a refusal comes back in its form."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit.log.append import Actor, now_ms
from portal.clock import optional_ms
from portal.errors import LogUnavailable, StepUpNeeded
from portal.kept_form import NOT_LOGGED, KeptForm, speak
from portal.people import passkeys
from portal.people.actions import acting, strengthen
from portal.people.factors import Proof
from portal.people.forms import CodeAndPasswordForm, CodeForm
from portal.people.proving import check, not_proven, offered
from portal.people.signing_in import PersonRequest
from portal.people.strength import PASSKEY_METHODS, STRONG_METHODS

P = ParamSpec("P")
__all__ = ["NOT_LOGGED", "KeptForm", "confirming", "speak", "to_step_up"]
A_MOMENT_AGO_MS = 60_000
NEVER_KEPT = ("csrfmiddlewaretoken", "code", "passkey", "password")


def to_step_up(request: PersonRequest, *, resistant: bool = False) -> HttpResponse:
    """Ask for the second factor before a page is filled in, and come back to it with its address whole."""
    only = {"only": "passkey"} if resistant else {}
    return redirect(f"{reverse('step_up')}?{urlencode({'next': request.get_full_path(), **only})}")


def confirming(
    view: Callable[Concatenate[PersonRequest, P], HttpResponse],
) -> Callable[Concatenate[PersonRequest, P], HttpResponse]:
    """Take a ``code``, or the answer of a ``passkey``, that is sent with a form. Where the act needs one that was
    not sent, ask for it and keep the form.

    A ``password`` is not kept: it is asked for again beside the code.
    """

    @sensitive_post_parameters("code", "passkey", "password")
    @sensitive_variables("form")
    @wraps(view)
    def guarded(request: PersonRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if request.POST.get("code") or request.POST.get("passkey") or _asked_again(request):
            form = _code_form(request)(request.POST)
            try:
                confirmed = _confirmed(request, form)
            except LogUnavailable:
                form.add_error(None, f"{NOT_LOGGED} A code works once: wait for the next one.")
                return _ask(request, form, status=503)
            if not confirmed:
                return _ask(request, form)
        try:
            return view(request, *args, **kwargs)
        except StepUpNeeded as needed:
            return _ask(request, _code_form(request)(), only_passkey=needed.resistant)

    return guarded


def _asked_again(request: PersonRequest) -> bool:
    """Whether this comes from the page that asks for code and password; without the password it would be another form that is carried out."""
    return "code" in request.POST and "password" in request.POST


def _code_form(request: PersonRequest) -> type[CodeForm]:
    return CodeAndPasswordForm if request.POST.get("password") or _asked_again(request) else CodeForm


@sensitive_variables("form", "outcome")
def _confirmed(request: PersonRequest, form: CodeForm) -> bool:
    """Check the factor once; the second of two clicks finds the sign-in strengthened a moment ago, by the same or a better one."""
    methods = PASSKEY_METHODS if request.POST.get("passkey") else STRONG_METHODS
    if "password" in form.fields and not form.is_valid():
        return False
    if _strong_since(request, methods):
        return True
    if not form.is_valid():
        return False
    outcome = check(request, request.user, form, passkeys.CONFIRM)
    if isinstance(outcome, Proof):
        strengthen(by=request.actor, sign_in=request.sign_in, proof=outcome)
        request.actor = acting(request.user, outcome)
        request.strong_at = request.actor.strong_at
        return True
    request.sign_in.refresh_from_db(fields=["factor", "strong_at"])
    if _strong_since(request, methods):
        return True
    not_proven(request, request.user, form, outcome, "step-up")
    return False


def _strong_since(request: PersonRequest, methods: tuple[str, ...]) -> bool:
    found = request.sign_in
    strong_at = optional_ms(found.strong_at)
    if strong_at is None or found.factor not in methods or now_ms() - strong_at > A_MOMENT_AGO_MS:
        return False
    request.actor = Actor(request.actor.id, request.actor.name, found.factor, strong_at)
    return True


def _ask(request: PersonRequest, form: CodeForm, *, only_passkey: bool = False, status: int = 200) -> HttpResponse:
    kept: list[tuple[str, Any]] = [
        (name, value) for name, values in request.POST.lists() if name not in NEVER_KEPT for value in values
    ]
    back = request.headers.get("Referer", "/")
    prefix = f"{request.scheme}://{request.get_host()}/"
    context = {
        "form": form, "kept": kept, "back": f"/{back.removeprefix(prefix)}" if back.startswith(prefix) else "/",
        "only_passkey": only_passkey, **offered(request.user),
    }  # fmt: skip
    return render(request, "people/confirm.html", context, status=status if status != 200 or not form.errors else 422)
