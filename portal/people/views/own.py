"""One's own sign-ins, factors and password."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.notifications.seeing import looked_at
from portal.people import factors, passkeys, queries
from portal.people.actions import choose_password, end_sign_in, make_recovery_codes, strengthen
from portal.people.factors import Proof
from portal.people.forms import CodeForm, NewPasswordForm
from portal.people.proving import check, not_proven, offered
from portal.people.resets import open_reset
from portal.people.signing_in import PersonRequest, safe_next, signed_in
from portal.people.strength import need_proof


@sensitive_post_parameters("code", "passkey")
@sensitive_variables("form", "outcome")
@require_http_methods(["GET", "POST"])
@signed_in
def step_up(request: PersonRequest) -> HttpResponse:
    """A fresh factor before an act that needs one, then back to where one was. ``?only=passkey``: the policy takes no other."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        outcome = check(request, request.user, form, passkeys.CONFIRM)
        if isinstance(outcome, Proof):
            strengthen(by=request.actor, sign_in=request.sign_in, proof=outcome)
            return redirect(safe_next(request))
        not_proven(request, request.user, form, outcome, "step-up")
    then, only_passkey = safe_next(request), request.GET.get("only") == "passkey"
    context = {"form": form, "next": then, "only_passkey": only_passkey}
    if only_passkey and then.startswith(reverse("request_bypass")):
        context["weaker_url"] = f"{then}{'&' if '?' in then else '?'}weaker=1"
    return render(request, "people/step_up.html", context | offered(request.user), status=422 if form.errors else 200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the sign-in of this browser; safe to repeat."""
    standing = getattr(request, "sign_in", None)
    if standing is not None:
        end_sign_in(by=request.actor, sign_in=standing)  # type: ignore[attr-defined]  # our own attribute
        logout(request)
        messages.info(request, "You are signed out.")
    return redirect("sign_in")


@require_GET
@signed_in
def sign_ins(request: PersonRequest) -> HttpResponse:
    """Where one is signed in, and with what one proves oneself."""
    looked_at(request)
    context = {
        "sign_ins": queries.sign_ins_of(request.user),
        "current": request.sign_in.pk,
        "enrolled": factors.has_totp(request.user),
        "codes_left": factors.codes_left(request.user),
        "reset": open_reset(request.user.pk),
        "passkeys": passkeys.passkeys_of(request.user),
        "passkeys_possible": passkeys.possible(),
    }
    return render(request, "people/sign_ins.html", context)


@require_POST
@signed_in
def sign_in_end(request: PersonRequest, pk: UUID) -> HttpResponse:
    """End one of one's own sign-ins; another's is refused."""
    found = queries.sign_in_for_act(pk)
    if found is None:
        raise Http404
    end_sign_in(by=request.actor, sign_in=found, cause="ended by owner")
    messages.info(request, "That browser is signed out.")
    return redirect("sign_ins")


@sensitive_variables("codes")
@require_POST
@signed_in
def recovery_codes(request: PersonRequest) -> HttpResponse:
    """New recovery codes, shown once."""
    codes = make_recovery_codes(by=request.actor, person=request.user)
    return render(request, "people/recovery_codes.html", {"codes": codes, "then": safe_next(request, "")})


@sensitive_post_parameters("password", "again")
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
@signed_in
def new_password(request: PersonRequest) -> HttpResponse:
    """A new password; every sign-in ends, this one too."""
    need_proof(request.actor)
    form = NewPasswordForm(request.POST or None, person=request.user)
    if request.method == "POST" and form.is_valid():
        choose_password(by=request.actor, person=request.user, password=form.cleaned_data["password"])
        logout(request)
        messages.info(request, "Your password is new. Sign in with it.")
        return redirect("sign_in")
    return render(request, "people/new_password.html", {"form": form}, status=422 if form.errors else 200)
