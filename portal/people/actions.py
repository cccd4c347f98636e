"""What people do with their own sign-ins, factors and password; and adding people."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor, action, append
from portal.clock import ms, now, optional_ms
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.notifications.outbox import tell
from portal.people import factors, resets
from portal.people.factors import Proof
from portal.people.models import Person, SignIn
from portal.people.rights import ADMINISTER, need_permission
from portal.people.sponsoring import begin, check_outside
from portal.people.strength import STRONG_METHODS, is_fresh, need_fresh, need_proof
from portal.rows import lock_row
from portal.unique import refuse_doubled

ONE_TIME_HOURS = 72
DOUBLED_ADDRESS = "Somebody with this mail address is on the list already."
ONLY_ADMINISTRATORS = "Only administrators add people and give them one-time passwords."


def acting(person: Person, proof: Proof | None = None) -> Actor:
    """The actor of somebody who is not signed in yet, with what was just checked of them."""
    return Actor(str(person.pk), person.name, proof.method if proof else None, ms(now()) if proof else None)


@action(event="signin.opened", refused="signin.act_refused")
def open_sign_in(
    *, by: Actor, person: Person, proof: Proof, browser_key: str, address: str | None = None, agent: str = ""
) -> SignIn:
    """Let somebody in whose password and second factor were checked."""
    locked = lock_row(Person, person.pk, no_key=True)
    if proof.person_id != locked.pk or by.id != str(locked.pk):
        raise NotAllowed("This proof is another person's.", about=locked, kind="foreign proof")
    if locked.left_at is not None or locked.one_time_until is not None:
        raise WrongState("This account cannot be used for signing in now.", about=locked)
    at = now()
    sign_in = SignIn.objects.create(
        person=locked,
        browser_key=browser_key,
        opened_at=at,
        seen_at=at,
        factor=proof.method,
        strong_at=at,
        address=address,
        agent=agent[:300],
    )
    _proven(locked, proof)
    _tell_of_recovery(by, locked, proof, address, agent)
    append(
        "signin.opened", by=by, subject=sign_in.log_subject, person_id=locked.pk, signin_id=sign_in.pk, factor=proof.method,
        address=address, agent=agent[:300] or None,
    )  # fmt: skip
    return sign_in


def _proven(person: Person, proof: Proof) -> None:
    """Whoever has the password has the factor too: it is not only in the hands of the one who made it."""
    if person.unproven_since is not None and proof.method in STRONG_METHODS:
        person.unproven_since = None
        person.save(update_fields=["unproven_since"])


def _tell_of_recovery(by: Actor, person: Person, proof: Proof, address: str | None = None, agent: str = "") -> None:
    """A recovery code that somebody else used is noticed by its owner."""
    if proof.method == factors.RECOVERY:
        facts = {"at": now(), "address": address, "agent": agent[:120], "left": factors.codes_left(person)}
        tell(
            by=by,
            people=[person],
            kind="signin.recovery_used",
            about=person.log_subject,
            path="/me/sign-ins/",
            facts=facts,
        )


@action(event="signin.refused")
def refuse_sign_in(
    *, by: Actor, kind: str, person: Person | None = None, email: str = "", address: str | None = None
) -> None:
    """Put on record that somebody could not prove who they are."""
    append(
        "signin.refused", by=by, subject=person.log_subject if person else "", kind=kind, person_id=person.pk if person else None,
        email=email[:254] or None, address=address,
    )  # fmt: skip


@action(event="signin.strengthened", refused="signin.act_refused")
def strengthen(*, by: Actor, sign_in: SignIn, proof: Proof) -> SignIn:
    """Note a second factor that was checked afresh; what is noted is what was checked."""
    locked = SignIn.objects.select_for_update(of=("self",)).select_related("person").get(pk=sign_in.pk)
    if proof.person_id != locked.person_id or by.id != str(locked.person_id):
        raise NotAllowed("This proof is another person's.", about=locked, kind="foreign proof")
    if locked.ended_at is not None:
        raise WrongState("This sign-in has ended. Sign in again.", about=locked)
    locked.factor, locked.strong_at = proof.method, now()
    locked.save(update_fields=["factor", "strong_at"])
    _proven(locked.person, proof)
    _tell_of_recovery(by, locked.person, proof)
    append(
        "signin.strengthened", by=acting(locked.person, proof), subject=locked.log_subject, person_id=locked.person_id,
        signin_id=locked.pk, factor=proof.method,
    )  # fmt: skip
    return locked


@action(event="signin.ended", refused="signin.act_refused")
def end_sign_in(*, by: Actor, sign_in: SignIn, cause: str = "signed out") -> SignIn:
    """End one of one's own sign-ins, in this browser or in another."""
    locked = lock_row(SignIn, sign_in.pk)
    if by.id != str(locked.person_id):
        raise NotAllowed("Only its owner ends a sign-in.", about=locked)
    if locked.ended_at is not None:
        raise WrongState("This sign-in has ended already.", about=locked)
    return _end(by, locked, cause)


def _end(by: Actor, locked: SignIn, cause: str) -> SignIn:
    locked.ended_at, locked.ended_cause = now(), cause
    locked.save(update_fields=["ended_at", "ended_cause"])
    append(
        "signin.ended", by=by, subject=locked.log_subject, person_id=locked.person_id, signin_id=locked.pk, cause=cause
    )
    return locked


def end_all(by: Actor, person: Person, cause: str) -> None:
    """End all sign-ins of somebody, within the action of a caller who has asked who may."""
    for each in SignIn.objects.select_for_update().filter(person=person, ended_at__isnull=True).order_by("pk"):
        _end(by, each, cause)


def may_enrol(by: Actor, person: Person) -> bool:
    """Ask who may enrol a factor for the person now. Returns whether it takes the place of an earlier one.

    Raises:
        NotAllowed, StepUpNeeded: another person's, or the last proof is too old.
    """
    if by.id != str(person.pk):
        raise NotAllowed("Everybody enrols their own factors.", about=person)
    if factors.is_enrolled(person) and not resets.is_ready(person) and not is_fresh(by, methods=(factors.RECOVERY,)):
        need_proof(by, about=person)
    return factors.has_totp(person)


@sensitive_variables("key", "code")
@action(event=("factor.enrolled", "factor.removed", "factor.reset_finished"), refused="person.act_refused")
def enrol_factor(*, by: Actor, person: Person, key: str, code: str) -> Proof:
    """Enrol an authenticator, by a code that it shows now; it takes the place of an earlier one.

    The first one needs the password only, and so does the one after a reset by two people. Any other needs a fresh proof: the earlier one, or
    a recovery code.
    """
    locked = lock_row(Person, person.pk, no_key=True)
    earlier = may_enrol(by, locked)
    proof = factors.enrol(locked, key, code)
    if proof is None:
        raise RefusedByPolicy(
            "This is not the code that the authenticator shows now. Nothing was enrolled.",
            about=locked,
            kind="wrong code",
        )
    if earlier:
        append("factor.removed", by=by, subject=locked.log_subject, person_id=locked.pk, factor=factors.TOTP)
    _proven(locked, proof)
    resets.finish(by, locked)
    append("factor.enrolled", by=by, subject=locked.log_subject, person_id=locked.pk, factor=factors.TOTP)
    return proof


@sensitive_variables("key", "code")
@action(
    event=(
        "factor.enrolled",
        "factor.removed",
        "factor.reset_finished",
        "recovery.made",
        "signin.opened",
        "signin.strengthened",
    ),
    refused="person.act_refused",
)
def enrol_and_enter(
    *, by: Actor, person: Person, key: str, code: str, enter_with: Callable[[Proof], object]
) -> tuple[str, ...]:
    """Enrol an authenticator, make the recovery codes that go with it, and enter with its proof: all of it, or nothing.

    ``enter_with`` signs in or strengthens. It comes last: what it changes in the browser's login is no row that could be rolled back.
    """
    proof = enrol_factor(by=by, person=person, key=key, code=code)
    codes = make_recovery_codes(by=acting(person, proof), person=person)
    enter_with(proof)
    return codes


@action(event="recovery.made", refused="person.act_refused")
def make_recovery_codes(*, by: Actor, person: Person) -> tuple[str, ...]:
    """Make recovery codes for oneself, shown once; earlier ones are void."""
    locked = lock_row(Person, person.pk, no_key=True)
    if by.id != str(locked.pk):
        raise NotAllowed("Everybody makes their own recovery codes.", about=locked)
    need_fresh(by, about=locked)
    codes = factors.new_recovery_codes(locked)
    append("recovery.made", by=by, subject=locked.log_subject, person_id=locked.pk, count=len(codes))
    return codes


@sensitive_variables("password")
@action(event=("password.changed", "signin.ended"), refused="person.act_refused")
def choose_password(*, by: Actor, person: Person, password: str) -> Person:
    """Choose a new password for oneself. All sign-ins end: whoever knew the earlier one is out.

    In place of a one-time password it needs that one only, which the caller has just checked; else a fresh second factor.
    """
    locked = lock_row(Person, person.pk, no_key=True)
    if by.id != str(locked.pk):
        raise NotAllowed("Everybody chooses their own password.", about=locked)
    if locked.one_time_until is None:
        need_proof(by, about=locked)
    elif locked.one_time_until <= now():
        raise WrongState("This one-time password is no longer valid. An administrator can make another.", about=locked)
    locked.set_password(password)
    locked.one_time_until = None
    locked.save(update_fields=["password", "one_time_until"])
    end_all(by, locked, "password changed")
    append("password.changed", by=by, subject=locked.log_subject, person_id=locked.pk)
    return locked


@action(event=("person.added", "password.given"), refused="person.act_refused")
def add_person(*, by: Actor, name: str, email: str, third_party: bool = False, sponsor: Person | None = None,
               contract_end: datetime | None = None) -> tuple[Person, str]:  # fmt: skip
    """Add somebody, with a one-time password that is returned once. They hold no role yet.

    Args:
        third_party: They work for another company: then somebody here answers for them, until their contract ends (T-43).

    Raises:
        NotAllowed, StepUpNeeded: who may not.
        RefusedByPolicy: the address is taken; or sponsor and end of the contract do not fit.
    """
    need_permission(by, ADMINISTER, says=ONLY_ADMINISTRATORS)
    need_fresh(by)
    check_outside(by, third_party, sponsor, contract_end)
    outside: dict[str, object] = {
        "sponsor_id": sponsor.pk if sponsor else None, "sponsor_active": True if sponsor else None,
        "contract_end": optional_ms(contract_end),
    }  # fmt: skip
    person, password = enter(by, name=name, email=email, third_party=third_party, **outside)
    if sponsor is not None and contract_end is not None:
        begin(person, sponsor, contract_end, person.added_at)
    return person, password


def enter(by: Actor, *, name: str, email: str, third_party: bool = False, **outside: object) -> tuple[Person, str]:
    """Make the row, the events and the one-time password, within the action of a caller who has asked who may."""
    address = email.strip().lower()
    with refuse_doubled(DOUBLED_ADDRESS):
        person = Person.objects.create(name=name, email=address, added_at=now())
    append(
        "person.added", by=by, subject=person.log_subject, person_id=person.pk, name=name, email=address, third_party=third_party,
        joined_at=ms(person.added_at), **outside,
    )  # fmt: skip
    return person, _give_password(by, person)


def renew_password(by: Actor, person: Person) -> str:
    """Put a one-time password in place of the present one, within the action of a caller who has asked who may. Their sign-ins end."""
    locked = lock_row(Person, person.pk, no_key=True)
    if locked.left_at is not None:
        raise WrongState("This person has left.", about=locked)
    end_all(by, locked, "password given")
    return _give_password(by, locked)


@sensitive_variables("password")
def _give_password(by: Actor, person: Person) -> str:
    password = "-".join(secrets.token_hex(3) for _ in range(4))  # 96 random bits that can be read out
    person.set_password(password)
    person.unproven_since = now()
    person.one_time_until = person.unproven_since + timedelta(hours=ONE_TIME_HOURS)
    person.save(update_fields=["password", "one_time_until", "unproven_since"])
    append(
        "password.given", by=by, subject=person.log_subject, person_id=person.pk, valid_until=ms(person.one_time_until),
    )  # fmt: skip
    return password


@action(event=("person.left", "signin.ended"), refused="person.act_refused")
def leave(*, by: Actor, person: Person) -> Person:
    """Somebody left: their sign-ins end at once. Their roles, lists and grants: ``portal/grants/narrowing.py`` calls this too."""
    need_permission(by, ADMINISTER, person, says="Only administrators note that somebody left.")
    need_fresh(by, about=person)
    locked = lock_row(Person, person.pk, no_key=True)
    if by.id == str(locked.pk):
        raise NotAllowed("Another administrator has to note that you left.", about=locked, kind="own")
    if locked.left_at is not None:
        raise WrongState("This person has left already.", about=locked)
    gone(by, locked)
    return locked


def gone(by: Actor, person: Person, left_at: datetime | None = None, list_id: object = None) -> None:
    """Note that somebody left and end their sign-ins, within the action of a caller who has asked who may; the row is locked.

    Args:
        left_at: When they left, as another system says; else now. The account is closed now in any case.
        list_id: The personnel list that says so.
    """
    person.left_at = now()
    person.set_unusable_password()
    person.save(update_fields=["left_at", "password"])
    end_all(by, person, "person left")
    append(
        "person.left", by=by, subject=person.log_subject, person_id=person.pk, left_at=ms(left_at or person.left_at), list_id=list_id,
    )  # fmt: skip
