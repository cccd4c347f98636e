"""The reset of a lost second factor by two people, neither of them the one who lost it: see docs/decisions/010 and ``reset_states.py``.

The factors stay as they are until the cooling time is over: whoever still has one signs in, reads what was mailed and cancels.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.log.append import Actor, action, append, process
from portal.clock import ms, now
from portal.eligibility.models import OWNER
from portal.eligibility.queries import administrators, role_names
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people import factors, resets
from portal.people.actions import ONLY_ADMINISTRATORS, end_all
from portal.people.models import FactorReset, Person
from portal.people.reset_states import MOVES
from portal.people.resets import NO_LONGER
from portal.people.rights import ADMINISTER, need_other, need_permission
from portal.people.strength import need_fresh, need_proof
from portal.rows import lock_row
from portal.sweeping import done
from portal.unique import refuse_doubled

alarms = logging.getLogger("breakglass.alarm")
ONE_ALREADY = "A reset of this person's second factor is under way already."
NOTHING_ENROLLED = "This person has no second factor: at the next sign-in the password is enough to enrol one."
UNPROVEN = (
    "Somebody else made this person's password, and nobody has signed in with it and the second factor since. A reset now would let whoever "
    "was shown the password act as them. They sign in with a recovery code, or an operator helps on the host."
)
SECONDS = "Only another administrator, or the owner of a system, decides on a reset."


@action(event="factor.reset_proposed", refused="person.act_refused")
def propose(*, by: Actor, person: Person, reason: str) -> FactorReset:
    """Propose it, with the reason: how it is known that it is this person who asks. Everybody concerned is told at once."""
    need_permission(by, ADMINISTER, person, says=ONLY_ADMINISTRATORS)
    need_other(by, person.pk, about=person)
    need_fresh(by, about=person)
    locked = lock_row(Person, person.pk, no_key=True)
    _possible(locked)
    if not reason.strip():
        raise RefusedByPolicy("Say how you know that it is this person who asks.", about=locked)
    with refuse_doubled(ONE_ALREADY, locked):
        reset = FactorReset.objects.create(
            person=locked, reason=reason.strip(), proposed_by_id=by.id, proposed_at=now()
        )
    _tell(by, reset, "proposed", reason=reset.reason)
    append(
        "factor.reset_proposed", by=by, subject=locked.log_subject, person_id=locked.pk, reset_id=reset.pk, reason=reset.reason,
    )  # fmt: skip
    return reset


@action(event=("factor.reset_approved", "signin.ended"), refused="person.act_refused")
def approve(*, by: Actor, reset: FactorReset) -> FactorReset:
    """Say yes as the second person. Sign-ins end now; the factors go when the cooling time is over and a new one is enrolled."""
    person, row = _locked(reset)
    may_decide(by, row)
    need_fresh(by, about=person)
    _possible(person)
    at = now()
    until = at + timedelta(hours=settings.PORTAL_RESET_COOLING_HOURS)
    make(row, MOVES["approve"], says=NO_LONGER, approved_by_id=by.id, approved_at=at, cools_until=until)
    end_all(by, person, "factor being reset")
    _tell(by, row, "approved", until=until)
    append(
        "factor.reset_approved", by=by, subject=person.log_subject, person_id=person.pk, reset_id=row.pk, approved_by=by.id,
        cools_until=ms(until),
    )  # fmt: skip
    return row


@action(event="factor.reset_declined", refused="person.act_refused")
def decline(*, by: Actor, reset: FactorReset) -> FactorReset:
    """Say no; who proposed it takes it back."""
    _, row = _locked(reset)
    if by.id != str(row.proposed_by_id):
        may_decide(by, row)
    return _close(by, row, "decline", "declined")


@action(event="factor.reset_cancelled", refused="person.act_refused")
def cancel(*, by: Actor, reset: FactorReset) -> FactorReset:
    """End it before it takes effect: the person, who proves to have the factor, or an administrator. It narrows, so one is enough."""
    person, row = _locked(reset)
    if by.id != str(person.pk):
        need_permission(by, ADMINISTER, person, says="Only the person and administrators cancel a reset.")
    need_proof(by, about=person)
    return _close(by, row, "cancel", "cancelled")


@action(event="factor.reset_lapsed")
def lapse(*, by: Actor, reset: FactorReset) -> FactorReset:
    """End one that nobody approved, or nobody used, in time."""
    _, row = _locked(reset)
    if row not in resets.lapsing(now()):
        raise WrongState("It has not lapsed yet.", about=row)
    return _close(by, row, "lapse", "lapsed")


def lapse_due() -> int:
    """Lapse what is due; returns how many."""
    return sum(done("resets", lapse, by=process("sweep"), reset=reset) for reset in resets.lapsing(now()))


@action(event=("factor.reset_on_host", "factor.reset_cancelled", "factor.removed", "signin.ended"))
def reset_on_host(*, by: Actor, person: Person, reason: str, host: str, account: str) -> Person:
    """Where everybody is locked out: remove somebody's factors at once, and alarm everyone. Only a process of the host may.

    Raises:
        NotAllowed: a person asks.
        WrongState: the person has left.
    """
    if by.is_person:
        raise NotAllowed("This is done on the host alone, as root.", about=person)
    locked = lock_row(Person, person.pk, no_key=True)
    if locked.left_at is not None:
        raise WrongState("This person has left.", about=locked)
    row = resets.lock_open(locked)
    if row is not None:
        _close(by, row, "cancel", "cancelled")
    if TOTPDevice.objects.filter(user=locked).delete()[0]:
        append("factor.removed", by=by, subject=locked.log_subject, person_id=locked.pk, factor=factors.TOTP)
    StaticDevice.objects.filter(user=locked).delete()
    resets.remove_passkeys(by, locked)
    end_all(by, locked, "factor reset on host")
    facts = {
        "person": locked.name,
        "what": "done on the host",
        "by": f"root on {host} ({account})",
        "at": now(),
        "reason": reason,
    }
    everybody = Person.objects.filter(left_at__isnull=True)
    tell(
        by=by, people=everybody, addresses=settings.PORTAL_SECURITY_LIST, kind="signin.factor_reset", about=locked.log_subject,
        path="/", facts=facts,
    )  # fmt: skip
    sentence = "The second factor of person %s was reset on host %s by %s."
    transaction.on_commit(lambda: alarms.critical(sentence, locked.pk, host, account))
    append(
        "factor.reset_on_host", by=by, subject=locked.log_subject, person_id=locked.pk, host=host, account=account, reason=reason,
    )  # fmt: skip
    return locked


def may_decide(by: Actor, reset: FactorReset) -> None:
    """Another than the person and the proposer: an administrator, or somebody who owns a system.

    Raises:
        NotAllowed: the actor is not that.
    """
    need_other(by, reset.person_id, reset.proposed_by_id, about=reset)
    person = Person.objects.filter(pk=by.id, left_at__isnull=True).first() if by.is_person else None
    if person is None or not (person.has_perm(ADMINISTER) or OWNER in role_names(person.pk)):
        raise NotAllowed(SECONDS, about=reset, kind="not allowed")


def _possible(person: Person) -> None:
    """Ask the moment: it resets something, and leaves the password in its owner's hands alone."""
    if person.left_at is not None:
        raise WrongState("This person has left.", about=person)
    if not factors.is_enrolled(person):
        raise RefusedByPolicy(NOTHING_ENROLLED, about=person, kind="nothing enrolled")
    if person.one_time_until is not None or person.unproven_since is not None:
        raise RefusedByPolicy(UNPROVEN, about=person, kind="password of another")


def _locked(reset: FactorReset) -> tuple[Person, FactorReset]:
    """The person's row first, as whoever enrols locks it."""
    person = lock_row(Person, reset.person_id, no_key=True)
    row = lock_row(FactorReset, reset.pk)
    row.person = person
    return person, row


def _close(by: Actor, row: FactorReset, move: str, what: str) -> FactorReset:
    make(row, MOVES[move], says=NO_LONGER, closed_at=now())
    _tell(by, row, what)
    append(MOVES[move].event, by=by, subject=row.log_subject, person_id=row.person_id, reset_id=row.pk)
    return row


def _tell(by: Actor, reset: FactorReset, what: str, **more: object) -> None:
    """The person, all other administrators and the security list, over every channel that they have."""
    others = [each for each in administrators() if str(each.pk) not in (by.id, str(reset.person_id))]
    facts = {"person": reset.person.name, "what": what, "by": by.name, "at": now(), **more}
    tell(
        by=by, people=[reset.person, *others], addresses=settings.PORTAL_SECURITY_LIST, kind="signin.factor_reset",
        about=reset.log_subject, path=f"/resets/{reset.pk}/", facts=facts,
    )  # fmt: skip
