"""One's own passkeys, and what the browser's script asks for before it speaks to an authenticator."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from portal.eligibility.queries import administrators
from portal.people import factors, passkeys, queries
from portal.people.forms import NewPasskeyForm, PasskeyForm
from portal.people.models import Passkey, Person
from portal.people.own_passkeys import add_passkey, may_add, remove_passkey, rename_passkey
from portal.people.passkeys import NewPasskey, NotThisPasskey
from portal.people.proving import key_of
from portal.people.signing_in import PersonRequest, on_the_way, safe_next, signed_in
from portal.people.strength import passes

FROM_THE_START = "Begin with your password: the earlier step was too long ago, or was taken in another window."
CONFIRM_AGAIN = (
    "Your second factor was too long ago, or a passkey is needed. Load this page again and confirm that it is you."
)


@require_POST
def options(request: HttpRequest) -> HttpResponse:
    """What a passkey is to sign, for somebody on the way in or signed in. The answer comes with the form of the page."""
    standing = getattr(request, "sign_in", None)
    coming = None if standing else on_the_way(request)
    person = standing.person if standing else coming.person if coming else None
    if not isinstance(person, Person):
        return _said(FROM_THE_START, 403)
    purpose = passkeys.CONFIRM if standing else passkeys.SIGN_IN
    return _json(passkeys.request_options(person, key_of(request), purpose))


@require_POST
@signed_in
def new_options(request: PersonRequest) -> HttpResponse:
    """What a new passkey is made from."""
    if not passes(may_add, request.actor, request.user):
        return _said(CONFIRM_AGAIN, 403)
    return _json(passkeys.creation_options(request.user, key_of(request)))


@sensitive_post_parameters("passkey")
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
@signed_in
def new(request: PersonRequest) -> HttpResponse:
    """Add a passkey."""
    may_add(request.actor, request.user)
    form = NewPasskeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        checked = _registered(request, form)
        if checked is not None:
            add_passkey(
                by=request.actor, person=request.user, passkey=checked, name=form.cleaned_data["name"], administrators=administrators()
            )  # fmt: skip
            messages.info(request, f"The passkey {form.cleaned_data['name']} is yours now.")
            return redirect(safe_next(request, request.POST.get("next") or "/me/sign-ins/"))
    context: dict[str, Any] = {"form": form, "next": safe_next(request, request.GET.get("next") or "/me/sign-ins/")}
    context["settles"] = request.actor.method != factors.PASSKEY
    context |= {"possible": passkeys.possible(), "hours": settings.PORTAL_PASSKEY_COOLING_HOURS}
    return render(request, "people/passkey_new.html", context, status=422 if form.errors else 200)


def _registered(request: PersonRequest, form: NewPasskeyForm) -> NewPasskey | None:
    try:
        return passkeys.registered(request.user, key_of(request), form.cleaned_data["passkey"])
    except NotThisPasskey as wrong:
        form.add_error(None, wrong.sentence)
        return None


@require_POST
@signed_in
def rename(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Call it something else."""
    row, form = _found(pk), PasskeyForm(request.POST)
    if form.is_valid():
        rename_passkey(by=request.actor, passkey=row, name=form.cleaned_data["name"])
    else:
        messages.error(request, f"The name was not changed. {form.errors['name'][0]}")
    return redirect("sign_ins")


@require_POST
@signed_in
def remove(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take one away."""
    row = _found(pk)
    remove_passkey(by=request.actor, passkey=row)
    messages.info(request, f"The passkey {row.name} is removed.")
    return redirect("sign_ins")


def _found(pk: UUID) -> Passkey:
    row = queries.passkey_for_act(pk)
    if row is None:
        raise Http404
    return row


def _json(told: str) -> HttpResponse:
    return HttpResponse(told, content_type="application/json")


def _said(sentence: str, status: int) -> HttpResponse:
    return JsonResponse({"sentence": sentence}, status=status)
