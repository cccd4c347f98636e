"""Systems, privileges and sources: proposed by one, brought into force by a second administrator. Nothing here calls a target."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.connectors import for_kind
from portal.connectors.base import BadSettings, Check
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.people.models import Person
from portal.people.rights import ADMINISTER, MANAGE, need_other, need_permission
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.secrets import encrypt
from portal.systems.facts import CHANGE, MAJOR, changed_names, system_facts
from portal.systems.models import Privilege, ProposedChange, System
from portal.systems.queries import privilege_is_taken, slug_is_taken
from portal.systems.targets import secret_context
from portal.unique import refuse_doubled

REGISTER, PRIVILEGE, SOURCE = "register", "privilege", "source"
DESCRIBED = ("slug", "name", "criticality", "personal_data", "way_in", "connector", "settings")
DONE = ("system.registered", "system.changed", "privilege.added", "source.declared")
DOUBLED_SLUG = "Another system has this short name."
DOUBLED_PRIVILEGE = "This system has a privilege of that name on the target already."
ONLY_MANAGERS = "Only administrators and the owner of this system propose changes of it."


@sensitive_variables("secret")
@action(event="system.change_proposed", refused="system.act_refused")
def propose(
    *, by: Actor, kind: str, after: dict[str, Any], system: System | None = None, secret: str = ""
) -> ProposedChange:
    """Write down what is to be; it waits for a second administrator. ``secret`` is the portal's password on the target.

    ``after`` holds, for each kind: register and change `DESCRIBED` and ``owner`` (a pseudonym); privilege ``name``, ``on_target``,
    ``description``; source ``counting`` and ``settings``.
    """
    need_permission(by, MANAGE, system, says=ONLY_MANAGERS if system else "Only administrators register systems.")
    need_fresh(by, about=system)
    _check(kind, after, system)
    if kind == REGISTER:
        after = {**after, "id": str(uuid.uuid4())}
    owner_of_secret = system.pk if system else after.get("id")
    change = ProposedChange.objects.create(
        system=system, kind=kind, after=after, proposed_by_id=uuid.UUID(by.id), proposed_at=now(),
        secret=encrypt(secret, secret_context(owner_of_secret)) if secret else None,
    )  # fmt: skip
    append(
        "system.change_proposed", by=by, subject=change.log_subject, proposal_id=change.pk, system_id=owner_of_secret, kind=kind,
        changed=changed_names(change),
    )  # fmt: skip
    return change


def _check(kind: str, after: dict[str, Any], system: System | None) -> None:
    """What forms cannot see, or what only a crafted request leaves out."""
    if kind not in APPLIED or (system is None) != (kind == REGISTER):
        raise RefusedByPolicy("There is no such kind of change.", about=system)
    if kind in (REGISTER, CHANGE):
        _check_described(after, system)
    if kind == PRIVILEGE and system is not None and privilege_is_taken(system, after["on_target"]):
        raise RefusedByPolicy(DOUBLED_PRIVILEGE, about=system, kind="doubled")


def _check_described(after: dict[str, Any], system: System | None) -> None:
    if after["connector"] == "simulated" and settings.PORTAL_PRODUCTION:
        raise RefusedByPolicy("Simulated targets are for demonstrations only.", about=system, kind="simulated")
    try:
        for_kind(after["connector"])
    except BadSettings as error:
        raise RefusedByPolicy(error.sentence, about=system) from error
    if not Person.objects.filter(pk=after["owner"], left_at__isnull=True).exists():
        raise RefusedByPolicy("The owner is not on the list of people.", about=system)
    if slug_is_taken(after["slug"], but=system):
        raise RefusedByPolicy(DOUBLED_SLUG, about=system, kind="doubled")


@action(event=DONE, refused="system.act_refused")
def approve(*, by: Actor, change: ProposedChange) -> System:
    """Bring a proposal into force, as the second administrator."""
    locked = _locked(change)
    need_permission(by, ADMINISTER, locked.system, says="A second administrator approves this.")
    need_other(by, locked.proposed_by_id, about=locked)
    need_fresh(by, about=locked)
    _still_waiting(locked)
    _check(locked.kind, locked.after, locked.system)
    _decide(by, locked, "approve")
    return APPLIED[locked.kind](by, locked)


@action(event="system.change_declined", refused="system.act_refused")
def decline(*, by: Actor, change: ProposedChange) -> ProposedChange:
    """Refuse a proposal, or take one's own back. It is kept."""
    locked = _locked(change)
    need_permission(by, MANAGE, locked.system, says=ONLY_MANAGERS)
    need_fresh(by, about=locked)
    _still_waiting(locked)
    _decide(by, locked, "decline")
    append(
        "system.change_declined",
        by=by,
        subject=locked.log_subject,
        proposal_id=locked.pk,
        system_id=locked.system_id,
        kind=locked.kind,
    )
    return locked


@action(event="connector.tested", refused="system.act_refused")
def note_test(*, by: Actor, about: System | ProposedChange, checks: Sequence[Check]) -> None:
    """Put the result of a connection test on record; the test itself ran before, outside of any transaction."""
    system = about if isinstance(about, System) else about.system
    need_permission(by, MANAGE, system, says="Only administrators and the owner of this system test its connection.")
    words = {True: "well", False: "not well", None: "to know"}
    append(
        "connector.tested", by=by, subject=about.log_subject, system_id=system.pk if system else about.pk,
        ok=all(each.ok is not False for each in checks), checks=[f"{words[each.ok]}: {each.name}"[:200] for each in checks],
    )  # fmt: skip


def _locked(change: ProposedChange) -> ProposedChange:
    return ProposedChange.objects.select_for_update(of=("self",)).select_related("system").get(pk=change.pk)


def _still_waiting(locked: ProposedChange) -> None:
    if locked.decision:
        raise WrongState("Somebody has decided on this already.", about=locked)


def _decide(by: Actor, locked: ProposedChange, decision: str) -> None:
    locked.decided_by_id, locked.decided_at, locked.decision = uuid.UUID(by.id), now(), decision
    if decision == "decline":
        locked.secret = None
    locked.save(update_fields=["decided_by", "decided_at", "decision", "secret"])


def _two(by: Actor, change: ProposedChange) -> dict[str, object]:
    """Who changed and who approved, for the events."""
    at = ms(change.decided_at) if change.decided_at else None
    return {"changed_by": change.proposed_by_id, "approved_by": by.id, "approved_at": at}


def _of(change: ProposedChange) -> System:
    if change.system is None:
        raise RefusedByPolicy("This proposal names no system.", about=change)
    return change.system


def _register(by: Actor, change: ProposedChange) -> System:
    system = System(pk=uuid.UUID(change.after["id"]), in_scope_from=now(), secret=change.secret)
    _describe(system, change)
    with refuse_doubled(DOUBLED_SLUG, change):
        system.save(force_insert=True)
    change.system = system
    _drop_secret(change)
    append(
        "system.registered",
        by=by,
        subject=system.log_subject,
        proposal_id=change.pk,
        **system_facts(system),
        **_two(by, change),
    )
    return system


def _change(by: Actor, change: ProposedChange) -> System:
    names = changed_names(change)
    system = lock_row(System, _of(change).pk)
    later = ProposedChange.objects.filter(
        system=system, kind=CHANGE, decision="approve", decided_at__gt=change.proposed_at
    )
    if later.exclude(pk=change.pk).exists():
        raise ChangedMeanwhile(
            "This system was changed after this was proposed. Decline it, and propose it again.", about=change
        )
    _describe(system, change)
    if change.secret:
        system.secret = change.secret
    with refuse_doubled(DOUBLED_SLUG, change):
        system.save()
    _drop_secret(change)
    append(
        "system.changed",
        by=by,
        subject=system.log_subject,
        changed=names,
        major=bool(change.after.get(MAJOR)),
        proposal_id=change.pk,
        **system_facts(system),
        **_two(by, change),
    )
    return system


def _describe(system: System, change: ProposedChange) -> None:
    for name in DESCRIBED:
        setattr(system, name, change.after[name])
    system.owner_id = uuid.UUID(change.after["owner"])


def _drop_secret(change: ProposedChange) -> None:
    """The system has it now; one copy is enough."""
    change.secret = None
    change.save(update_fields=["system", "secret"])


def _add_privilege(by: Actor, change: ProposedChange) -> System:
    system = _of(change)
    said = {name: change.after[name] for name in ("name", "on_target", "description")}
    with refuse_doubled(DOUBLED_PRIVILEGE, change):
        privilege = Privilege.objects.create(system=system, added_at=now(), **said)
    append(
        "privilege.added", by=by, subject=privilege.log_subject, privilege_id=privilege.pk, system_id=system.pk, name=privilege.name,
        on_target=privilege.on_target, proposal_id=change.pk, **_two(by, change),
    )  # fmt: skip
    return system


def _declare_source(by: Actor, change: ProposedChange) -> System:
    system = _of(change)
    at = ms(change.decided_at or now())
    append(
        "source.declared", by=by, subject=f"source:{system.pk}", source_id=system.pk, system_id=system.pk, kind=system.connector,
        counting=change.after["counting"], settings=change.after["settings"], narrows=False, effective_at=at, **_two(by, change),
    )  # fmt: skip
    return system


APPLIED: dict[str, Callable[[Actor, ProposedChange], System]] = {
    REGISTER: _register, CHANGE: _change, PRIVILEGE: _add_privilege, SOURCE: _declare_source,
}  # fmt: skip
