"""Step-up: a fresh second factor before acts that need one."""

from collections.abc import Callable

from django.conf import settings

from audit.log.append import Actor, now_ms
from portal.errors import RefusedByPolicy, StepUpNeeded
from portal.people.models import FactorReset
from portal.people.reset_states import COOLING

RESISTANT_METHODS = ("webauthn",)  # bound to the portal's address by the browser: a copied page gets nothing
PASSKEY_METHODS = (*RESISTANT_METHODS, "webauthn_new")
STRONG_METHODS = (
    "totp",
    *PASSKEY_METHODS,
)  # what the portal itself can check; the catalogue judges logs and knows more
NOT_SETTLED = (
    "The second factor is being reset, and nothing is asked or decided in this name until that is over. Whoever still has the factor cancels the "
    "reset on the page of their sign-ins."
)
PASSKEY_FIRST = "Confirm with a passkey first: no other factor is taken here, nor a passkey that has not settled yet."


def need_fresh(
    by: Actor, *, about: object = None, minutes: int | None = None, methods: tuple[str, ...] = STRONG_METHODS
) -> None:
    """Demand a strong second factor not older than ``minutes`` (catalogue's step_up_minutes unless the policy asks for less).

    Raises:
        StepUpNeeded: the last proof is too old, too weak, or was never given. Processes need none.
        RefusedByPolicy: the factor is being reset, so that it may be in other hands.
    """
    need_proof(by, about=about, minutes=minutes, methods=methods)
    need_settled(by, about)


def need_settled(by: Actor, about: object = None) -> None:
    """Demand that no approved reset of the person's factor is under way.

    Raises:
        RefusedByPolicy: one is, also after its cooling time until the new factor is enrolled.
    """
    if by.is_person and FactorReset.objects.filter(person_id=by.id, state=COOLING).exists():
        raise RefusedByPolicy(NOT_SETTLED, about=about, kind="factor being reset")


def need_proof(
    by: Actor, *, about: object = None, minutes: int | None = None, methods: tuple[str, ...] = STRONG_METHODS
) -> None:
    """As `need_fresh`, also while the factor is being reset: to cancel that, to enrol anew, to choose another password.

    Raises:
        StepUpNeeded: the last proof is too old, too weak, or was never given.
    """
    if not by.is_person:
        return
    limit = (minutes or settings.PORTAL_STEP_UP_MINUTES) * 60_000
    if by.strong_at is None or by.method not in methods or now_ms() - by.strong_at > limit:
        if "totp" not in methods:
            raise StepUpNeeded(PASSKEY_FIRST, about=about, kind="no fresh passkey", resistant=True)
        raise StepUpNeeded("Confirm with your second factor first.", about=about, kind="no fresh second factor")


def is_fresh(by: Actor | None, *, methods: tuple[str, ...] = STRONG_METHODS) -> bool:
    """Whether `need_proof` would pass with the portal's own limit."""
    return by is not None and passes(need_proof, by, methods=methods)


def passes(check: Callable[..., None], *args: object, **kwargs: object) -> bool:
    """Whether a check would find the factor fresh and strong enough."""
    try:
        check(*args, **kwargs)
    except StepUpNeeded:
        return False
    except RefusedByPolicy:  # another proof would not help
        return True
    return True
