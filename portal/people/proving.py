"""What a form sent as a second factor, checked: a code, or what a passkey answered to this browser."""

from django.conf import settings
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from audit.log.append import process
from portal.people import factors, passkeys
from portal.people.actions import refuse_sign_in
from portal.people.factors import NotProven, Proof
from portal.people.forms import CodeForm, RecoveryForm
from portal.people.models import Person
from portal.people.signing_in import browser_key
from portal.people.throttle import address_of


def key_of(request: HttpRequest) -> str:
    """By which a challenge is bound to this browser."""
    return browser_key(request.session.session_key or "")


@sensitive_variables("form")
def check(request: HttpRequest, person: Person, form: CodeForm, purpose: str) -> Proof | NotProven:
    """Check what a valid form sent."""
    answer = form.cleaned_data["passkey"]
    if answer:
        return factors.check_passkey(person, key_of(request), purpose, answer)
    return factors.check_code(person, form.cleaned_data["code"])


def not_proven(
    request: HttpRequest, person: Person, form: CodeForm | RecoveryForm, outcome: NotProven, at: str = "sign-in"
) -> None:
    """Say it in the form, and put it on record unless the try was not even looked at."""
    form.add_error(None if form.data.get("passkey") else "code", outcome.sentence)
    if outcome.kind != "too many tries":
        refuse_sign_in(by=process(at), kind=outcome.kind, person=person, address=address_of(request))


def offered(person: Person) -> dict[str, object]:
    """Which factors a page offers to somebody."""
    return {
        "has_totp": factors.has_totp(person),
        "has_passkey": passkeys.possible() and factors.has_passkey(person),
        "settling_until": passkeys.settling_until(person),
        "settling_hours": settings.PORTAL_PASSKEY_COOLING_HOURS,
        "passkeys_possible": passkeys.possible(),
    }
