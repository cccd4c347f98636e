"""Adding, naming and removing one's own passkeys. Whoever has one is told of each that comes or goes.

Whoever has a passkey adds another with it, never with a code that a copied page may have got hold of. The first one can only be added with a
code: until it has settled it proves no more than that code did, the owner and the administrators are told at once, and they have the time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from audit.log.append import Actor, action, append
from portal.clock import now, optional_ms
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.notifications.outbox import tell
from portal.people import factors
from portal.people.models import Passkey, Person
from portal.people.passkeys import NewPasskey, settling_until
from portal.people.strength import PASSKEY_METHODS, STRONG_METHODS, need_fresh
from portal.rows import lock_row
from portal.unique import refuse_doubled

MOST = 20
NAMED_ALREADY = "You have a passkey of this name, or this passkey is enrolled already."
LAST = "This is the only second factor that you have. Enrol another one first, then remove this one."


def may_add(by: Actor, person: Person) -> None:
    """Ask who may add a passkey for the person now: they alone, freshly confirmed; with a passkey, where they have one.

    Raises:
        NotAllowed, StepUpNeeded: another person's, or the last proof is too old or too weak.
    """
    _own(by, person)
    need_fresh(by, about=person, methods=PASSKEY_METHODS if factors.has_passkey(person) else STRONG_METHODS)


@action(event="factor.enrolled", refused="person.act_refused")
def add_passkey(
    *, by: Actor, person: Person, passkey: NewPasskey, name: str, administrators: Iterable[Person]
) -> Passkey:
    """Keep a passkey whose registration was checked. ``administrators`` are told of one that has to settle."""
    locked = lock_row(Person, person.pk, no_key=True)
    may_add(by, locked)
    if passkey.person_id != locked.pk:
        raise NotAllowed("This passkey was made for another person.", about=locked, kind="foreign passkey")
    if Passkey.objects.filter(person=locked).count() >= MOST:
        raise RefusedByPolicy(f"{MOST} passkeys are the most that one person has.", about=locked, kind="too many")
    at = now()
    settles_at = _settles_at(by, locked, at)
    with refuse_doubled(NAMED_ALREADY):
        row = Passkey.objects.create(
            person=locked, name=name, credential_id=passkey.credential_id, public_key=passkey.public_key, sign_count=passkey.sign_count,
            aaguid=passkey.aaguid, synced=passkey.synced, transports=passkey.transports, added_at=at,
            settles_at=settles_at or at,
        )  # fmt: skip
    _tell(by, locked, row, added=True, until=settles_at, administrators=administrators)
    append(
        "factor.enrolled", by=by, subject=locked.log_subject, person_id=locked.pk, factor=factors.PASSKEY, passkey_id=row.pk,
        passkey=name, aaguid=row.aaguid, synced=row.synced, settles_at=optional_ms(settles_at),
    )  # fmt: skip
    return row


def _settles_at(by: Actor, person: Person, at: datetime) -> datetime | None:
    """Until when a new one proves no more than what it was added with; nothing where that was a passkey that has settled."""
    if by.method == factors.PASSKEY:
        return None
    return settling_until(person) or at + timedelta(hours=settings.PORTAL_PASSKEY_COOLING_HOURS)


@action(event="factor.renamed", refused="person.act_refused")
def rename_passkey(*, by: Actor, passkey: Passkey, name: str) -> Passkey:
    """Call it something else."""
    locked = _locked(by, passkey)
    locked.name = name
    with refuse_doubled(NAMED_ALREADY):
        locked.save(update_fields=["name"])
    append(
        "factor.renamed", by=by, subject=locked.person.log_subject, person_id=locked.person_id, passkey_id=locked.pk,
        passkey=name,
    )  # fmt: skip
    return locked


@action(event="factor.removed", refused="person.act_refused")
def remove_passkey(*, by: Actor, passkey: Passkey) -> None:
    """Take a passkey away, freshly confirmed; never the last strong factor."""
    locked = _locked(by, passkey)
    need_fresh(by, about=locked.person)
    others = Passkey.objects.filter(person_id=locked.person_id).exclude(pk=locked.pk).exists()
    if not others and not factors.has_totp(locked.person):
        raise RefusedByPolicy(LAST, about=locked.person, kind="last factor")
    key, name = locked.pk, locked.name
    _tell(by, locked.person, locked, added=False)
    locked.delete()
    append(
        "factor.removed", by=by, subject=locked.person.log_subject, person_id=locked.person_id, factor=factors.PASSKEY,
        passkey_id=key, passkey=name,
    )  # fmt: skip


def _locked(by: Actor, passkey: Passkey) -> Passkey:
    """The person's row first, as whoever enrols locks it; then what is asked of their factors stays so."""
    person = lock_row(Person, passkey.person_id, no_key=True)
    _own(by, person)
    row = Passkey.objects.select_for_update().filter(pk=passkey.pk).first()
    if row is None:
        raise WrongState("This passkey was removed already.", about=person)
    row.person = person
    return row


def _own(by: Actor, person: Person) -> None:
    if by.id != str(person.pk):
        raise NotAllowed("Everybody looks after their own factors.", about=person)


def _tell(
    by: Actor, person: Person, passkey: Passkey, *, added: bool, until: datetime | None = None, administrators: Iterable[Person] = ()
) -> None:  # fmt: skip
    facts = {"name": passkey.name, "at": now(), "added": added, **({"until": until} if until else {})}
    tell(by=by, people=[person], kind="signin.passkey_changed", about=person.log_subject, path="/me/sign-ins/", facts=facts)  # fmt: skip
    others = [each for each in administrators if each.pk != person.pk] if until else []
    if others:
        tell(
            by=by, people=others, kind="signin.first_passkey", about=person.log_subject, path=f"/people/{person.pk}/",
            facts={"person": person.name, "at": now(), "until": until},
        )  # fmt: skip
