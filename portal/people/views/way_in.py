"""From the password to the second factor. Nobody is signed in before both were checked."""

from django.contrib import messages
from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from audit.log.append import Actor, Refused, process
from portal.clock import now
from portal.people import factors, passkeys, resets, throttle
from portal.people.actions import (
    acting,
    choose_password,
    enrol_and_enter,
    may_enrol,
    refuse_sign_in,
    strengthen,
)
from portal.people.factors import NotProven, Proof
from portal.people.forms import CodeForm, NewPasswordForm, RecoveryForm, SignInForm
from portal.people.models import Person
from portal.people.proving import check, not_proven, offered
from portal.people.queries import person_at
from portal.people.signing_in import OnTheWay, let_in, on_the_way, safe_next, set_out

ENROLLING = "enrolling"


@sensitive_post_parameters("password")
@sensitive_variables("form", "password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Mail address and password; then the second factor."""
    if getattr(request, "actor", None) is not None:
        return redirect(safe_next(request))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = _checked(request, form)
        if person is not None:
            set_out(request, person, safe_next(request))
            return _next_step(person)
    return _page(request, "people/sign_in.html", form, next=safe_next(request))


@sensitive_variables("form")
def _checked(request: HttpRequest, form: SignInForm) -> Person | None:
    email = form.cleaned_data["email"]
    keys = throttle.keys_of(request, email)
    wait = throttle.begin(keys)
    if wait:
        form.add_error(None, f"Too many wrong passwords. Wait {wait} second{'' if wait == 1 else 's'}, then try again.")
        return None
    person = authenticate(request, email=email, password=form.cleaned_data["password"])
    if isinstance(person, Person) and _usable(person):
        throttle.take_back(keys)
        return person
    kind = "one-time password too late" if isinstance(person, Person) else "wrong password"
    refuse_sign_in(
        by=process("sign-in"), kind=kind, person=person_at(email), email=email, address=throttle.address_of(request)
    )
    form.add_error(None, "Mail address and password do not belong together, or a one-time password is no longer valid.")
    return None


def _usable(person: Person) -> bool:
    return person.one_time_until is None or person.one_time_until > now()


def _next_step(person: Person) -> HttpResponse:
    if person.one_time_until is not None:
        return redirect("first_password")
    return redirect("second_factor" if factors.is_enrolled(person) and not resets.is_ready(person) else "enrol")


@sensitive_post_parameters("password", "again")
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
def first_password(request: HttpRequest) -> HttpResponse:
    """In place of a one-time password one chooses one's own."""
    coming = on_the_way(request)
    if coming is None or coming.person.one_time_until is None:
        return _from_the_start(request)
    form = NewPasswordForm(request.POST or None, person=coming.person)
    if request.method == "POST" and form.is_valid():
        person = choose_password(by=acting(coming.person), person=coming.person, password=form.cleaned_data["password"])
        set_out(request, person, coming.then)
        return _next_step(person)
    return _page(request, "people/first_password.html", form, coming=coming)


@sensitive_post_parameters("code", "passkey")
@sensitive_variables("form", "outcome")
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """A passkey, or the code of the authenticator."""
    coming = on_the_way(request)
    if coming is None or coming.person.one_time_until is not None:
        return _from_the_start(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        outcome = check(request, coming.person, form, passkeys.SIGN_IN)
        if isinstance(outcome, Proof):
            return _arrive(request, coming, outcome)
        not_proven(request, coming.person, form, outcome)
    return _page(request, "people/second_factor.html", form, coming=coming, **offered(coming.person))


@sensitive_post_parameters("code")
@sensitive_variables("form", "outcome")
@require_http_methods(["GET", "POST"])
def recovery(request: HttpRequest) -> HttpResponse:
    """A recovery code, in place of a lost authenticator; a new one is enrolled next."""
    coming = on_the_way(request)
    person = request.user if isinstance(request.user, Person) else coming.person if coming else None
    if person is None or person.one_time_until is not None:
        return _from_the_start(request)
    form = RecoveryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        outcome = _spend(request, person, form.cleaned_data["code"])
        if isinstance(outcome, Proof):
            then = coming.then if coming else safe_next(request)
            messages.info(
                request,
                "Your recovery code is used up. Enrol a new authenticator now: acts that need a second factor ask for it.",
            )
            return redirect(f"{reverse('enrol')}?{urlencode({'next': then})}")
        not_proven(request, person, form, outcome)
    return _page(request, "people/recovery.html", form, coming=coming, next=safe_next(request))


@sensitive_variables("code", "outcome")
def _spend(request: HttpRequest, person: Person, code: str) -> Proof | NotProven:
    """Use a recovery code up and enter with it, in one transaction: where the log cannot be written, the code stays unused."""
    refused: Refused | None = None
    with transaction.atomic():
        outcome = factors.check_recovery(person, code)
        try:
            if isinstance(outcome, Proof):
                _take(request, person, outcome)
        except Refused as refusal:  # on record, which a rollback would take back
            refused = refusal
    if refused is not None:
        raise refused
    return outcome


@sensitive_post_parameters("code")
@sensitive_variables("form", "outcome", "key", "codes")
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Enrol an authenticator: at the first sign-in, after a recovery code, or a new one with a fresh code of the old one."""
    coming = on_the_way(request)
    person = request.user if isinstance(request.user, Person) else coming.person if coming else None
    if person is None or person.one_time_until is not None:
        return _from_the_start(request)
    may_enrol(_acting(request, person), person)
    key = request.session.setdefault(ENROLLING, factors.new_key())
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if factors.shows_now(key, form.cleaned_data["code"]):
            return _enrolled(request, person, key, form.cleaned_data["code"], coming)
        form.add_error(
            "code", "This is not the code that the authenticator shows now. Wait for the next one and type that."
        )
    picture, text = factors.as_picture(person, key), factors.as_text(key)
    after_reset = coming is not None and factors.is_enrolled(person)
    context = {"picture": picture, "text": text, "next": safe_next(request), "coming": coming}
    return _page(request, "people/enrol.html", form, after_reset=after_reset, **context)


@sensitive_variables("key", "code", "codes")
def _enrolled(request: HttpRequest, person: Person, key: str, code: str, coming: OnTheWay | None) -> HttpResponse:
    codes = enrol_and_enter(
        by=_acting(request, person), person=person, key=key, code=code,
        enter_with=lambda proof: _take(request, person, proof),
    )  # fmt: skip
    request.session.pop(ENROLLING, None)
    then = coming.then if coming else safe_next(request)
    response = render(request, "people/recovery_codes.html", {"codes": codes, "then": then})
    throttle.remember_browser(response, person)
    return response


def _acting(request: HttpRequest, person: Person) -> Actor:
    return getattr(request, "actor", None) or acting(person)


def _take(request: HttpRequest, person: Person, proof: Proof) -> None:
    """A proof of somebody on the way in signs them in; one of somebody who is in strengthens their sign-in."""
    standing = getattr(request, "sign_in", None)
    if standing is None:
        let_in(request, person, proof)
    else:
        strengthen(by=request.actor, sign_in=standing, proof=proof)  # type: ignore[attr-defined]  # our own attribute


def _arrive(request: HttpRequest, coming: OnTheWay, proof: Proof) -> HttpResponse:
    let_in(request, coming.person, proof)
    response = redirect(coming.then)
    throttle.remember_browser(response, coming.person)
    return response


def _from_the_start(request: HttpRequest) -> HttpResponse:
    if getattr(request, "actor", None) is not None:
        return redirect(safe_next(request))
    messages.info(
        request, "Begin with your password: the earlier step was too long ago, or was taken in another window."
    )
    return redirect("sign_in")


def _page(
    request: HttpRequest, template: str, form: CodeForm | RecoveryForm | SignInForm | NewPasswordForm, **context: object
) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
