"""What was typed is kept: a second factor is asked on a page that carries the input along, and a refusal comes back in its form."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit.log.append import Actor, now_ms, process
from portal.clock import optional_ms
from portal.errors import LogUnavailable, RefusedByPolicy, StepUpNeeded
from portal.people import factors
from portal.people.actions import acting, refuse_sign_in, strengthen
from portal.people.factors import Proof
from portal.people.forms import CodeForm
from portal.people.signing_in import PersonRequest
from portal.people.strength import STRONG_METHODS, need_fresh
from portal.people.throttle import address_of

P = ParamSpec("P")
T = TypeVar("T")
A_MOMENT_AGO_MS = 60_000
# Django's sentences and ours in their place; a field's own stay as they are
OURS = {
    "This field is required.": "Please fill this in.",
    "Select a valid choice. %(value)s is not one of the available choices.": "Choose one of these.",
    "Enter a list of values.": "Choose one of these.",
    "Enter a whole number.": "Type a whole number.",
}
NOT_LOGGED = "The log cannot be written, so nothing was done. What you typed is kept here; try again in a minute."


class KeptForm(forms.Form):
    """A form that takes a refusal of its act as an error of its own; ``status`` is the answer's."""

    status = 200

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Fields speak as the portal does, unless they have a sentence of their own."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            speak(field)

    def full_clean(self) -> None:
        """What was typed wrongly is answered with 422."""
        super().full_clean()
        if self.is_bound and self.errors:
            self.status = 422

    def carry_out(self, act: Callable[[], T]) -> T | None:
        """Do it, or say in the form why not; who may not, or comes too late, is told by a page of its own."""
        try:
            return act()
        except RefusedByPolicy as refusal:
            self.add_error(None, refusal.sentence)
            self.status = 422
        except LogUnavailable:
            self.add_error(None, NOT_LOGGED)
            self.status = 503
        return None


def speak(field: forms.Field) -> None:
    """Short sentences in place of Django's."""
    for code, sentence in field.error_messages.items():
        field.error_messages[code] = OURS.get(str(sentence), sentence)
    if isinstance(field, forms.ChoiceField) and field.error_messages["required"] == OURS["This field is required."]:
        field.error_messages["required"] = "Choose one."
    if isinstance(field, forms.IntegerField):
        field.error_messages |= {"min_value": "At least %(limit_value)s.", "max_value": "At most %(limit_value)s."}


def is_fresh_for(by: Actor, minutes: int | None = None) -> bool:
    """Whether the actor's second factor is fresh enough for a policy that asks for so many minutes."""
    try:
        need_fresh(by, minutes=minutes)
    except StepUpNeeded:
        return False
    return True


def to_step_up(request: PersonRequest) -> HttpResponse:
    """Ask for the second factor before a page is filled in, and come back to it with its address whole."""
    return redirect(f"{reverse('step_up')}?{urlencode({'next': request.get_full_path()})}")


def confirming(
    view: Callable[Concatenate[PersonRequest, P], HttpResponse],
) -> Callable[Concatenate[PersonRequest, P], HttpResponse]:
    """Take a ``code`` that is sent with a form. Where the act needs one that was not sent, ask for it and keep the form."""

    @sensitive_post_parameters("code")
    @wraps(view)
    def guarded(request: PersonRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if request.POST.get("code"):
            form = CodeForm(request.POST)
            if not _confirmed(request, form):
                return _ask(request, form)
        try:
            return view(request, *args, **kwargs)
        except StepUpNeeded:
            return _ask(request, CodeForm())

    return guarded


@sensitive_variables("form", "outcome")
def _confirmed(request: PersonRequest, form: CodeForm) -> bool:
    """Check the code once; the second of two clicks finds the sign-in strengthened a moment ago."""
    if _strong_since(request):
        return True
    if not form.is_valid():
        return False
    outcome = factors.check_code(request.user, form.cleaned_data["code"])
    if isinstance(outcome, Proof):
        strengthen(by=request.actor, sign_in=request.sign_in, proof=outcome)
        request.actor = acting(request.user, outcome)
        request.strong_at = request.actor.strong_at
        return True
    request.sign_in.refresh_from_db(fields=["factor", "strong_at"])
    if _strong_since(request):
        return True
    form.add_error("code", outcome.sentence)
    if outcome.kind != "too many tries":
        refuse_sign_in(by=process("step-up"), kind=outcome.kind, person=request.user, address=address_of(request))
    return False


def _strong_since(request: PersonRequest) -> bool:
    found = request.sign_in
    strong_at = optional_ms(found.strong_at)
    if strong_at is None or found.factor not in STRONG_METHODS or now_ms() - strong_at > A_MOMENT_AGO_MS:
        return False
    request.actor = Actor(request.actor.id, request.actor.name, found.factor, strong_at)
    return True


def _ask(request: PersonRequest, form: CodeForm) -> HttpResponse:
    left_out = ("csrfmiddlewaretoken", "code")
    kept: list[tuple[str, Any]] = [
        (name, value) for name, values in request.POST.lists() if name not in left_out for value in values
    ]
    back = request.headers.get("Referer", "/")
    prefix = f"{request.scheme}://{request.get_host()}/"
    context = {"form": form, "kept": kept, "back": f"/{back.removeprefix(prefix)}" if back.startswith(prefix) else "/"}
    return render(request, "people/confirm.html", context, status=422 if form.errors else 200)
