"""Adding, naming and removing one's own passkeys. Whoever has one is told of each that comes or goes."""

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.errors import NotAllowed, RefusedByPolicy, WrongState
from portal.notifications.outbox import tell
from portal.people import factors
from portal.people.models import Passkey, Person
from portal.people.passkeys import NewPasskey
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.unique import refuse_doubled

MOST = 20
NAMED_ALREADY = "You have a passkey of this name, or this passkey is enrolled already."
LAST = "This is the only second factor that you have. Enrol another one first, then remove this one."


def may_add(by: Actor, person: Person) -> None:
    """Ask who may add a passkey for the person now: they alone, freshly confirmed with a factor that they have.

    Raises:
        NotAllowed, StepUpNeeded: another person's, or the last proof is too old.
    """
    _own(by, person)
    need_fresh(by, about=person)


@action(event="factor.enrolled", refused="person.act_refused")
def add_passkey(*, by: Actor, person: Person, passkey: NewPasskey, name: str) -> Passkey:
    """Keep a passkey whose registration was checked."""
    locked = lock_row(Person, person.pk, no_key=True)
    may_add(by, locked)
    if passkey.person_id != locked.pk:
        raise NotAllowed("This passkey was made for another person.", about=locked, kind="foreign passkey")
    if Passkey.objects.filter(person=locked).count() >= MOST:
        raise RefusedByPolicy(f"{MOST} passkeys are the most that one person has.", about=locked, kind="too many")
    with refuse_doubled(NAMED_ALREADY):
        row = Passkey.objects.create(
            person=locked, name=name, credential_id=passkey.credential_id, public_key=passkey.public_key, sign_count=passkey.sign_count,
            aaguid=passkey.aaguid, synced=passkey.synced, transports=passkey.transports, added_at=now(),
        )  # fmt: skip
    _tell(by, locked, row, added=True)
    append(
        "factor.enrolled", by=by, subject=locked.log_subject, person_id=locked.pk, factor=factors.PASSKEY, passkey_id=row.pk,
        passkey=name, aaguid=row.aaguid, synced=row.synced,
    )  # fmt: skip
    return row


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


def _tell(by: Actor, person: Person, passkey: Passkey, *, added: bool) -> None:
    facts = {"name": passkey.name, "at": now(), "added": added}
    tell(by=by, people=[person], kind="signin.passkey_changed", about=person.log_subject, path="/me/sign-ins/", facts=facts)  # fmt: skip
