"""Policy versions: written by one administrator, approved by another."""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from django.db.models import Max

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.eligibility.lending import groups_in
from portal.eligibility.models import ADMINISTRATOR, APPROVER
from portal.eligibility.queries import holds, people_with
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.people.strength import need_fresh
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy, WrongPolicy, parse
from portal.rotas.queries import rotas_of
from portal.rows import lock_row
from portal.systems.models import System

NOTHING: Final = "none"
"""Looked at beside no version, since none was in force."""
REVIEW_DAYS = 365  # at most a year between two looks at a policy (T-48)


def may_change_policy(by: Actor, system: System) -> None:
    """Administrators only.

    Raises:
        NotAllowed: the actor is none.
    """
    if not holds(by.id, ADMINISTRATOR, system):
        raise NotAllowed("Only an administrator may change a policy.", about=system)


@action(event="policy.proposed", refused="policy.act_refused")
def propose(*, by: Actor, system: System, policy: Policy, review_days: int = REVIEW_DAYS) -> PolicyVersion:
    """Write a new version; it waits for a second administrator."""
    may_change_policy(by, system)
    need_fresh(by, about=system)
    if not 1 <= review_days <= REVIEW_DAYS:
        raise RefusedByPolicy(f"A policy is looked at again within {REVIEW_DAYS} days.", about=system)
    try:
        parse(policy.document())
    except WrongPolicy as error:
        raise RefusedByPolicy(str(error), about=system) from error
    lock_row(System, system.pk)
    _approvers_in_tiers(system, policy)
    number = (PolicyVersion.objects.filter(system=system).aggregate(last=Max("number"))["last"] or 0) + 1
    version = PolicyVersion.objects.create(
        system=system, number=number, document=policy.document(), sha256=policy.sha256(), written_by_id=by.id, written_at=now(),
        review_due_at=now() + timedelta(days=review_days),
    )  # fmt: skip
    append("policy.proposed", by=by, subject=version.log_subject, written_by=by.id, **_version(version))
    return version


@action(event="policy.approved", refused="policy.act_refused")
def approve(*, by: Actor, version: PolicyVersion, instead_of: UUID | Literal["none"] | None = None) -> PolicyVersion:
    """Bring a version into force; the one before ends at the same moment. ``instead_of`` is the one beside which it was looked at, or ``NOTHING``.

    Without ``instead_of`` nothing is said of what it was looked at beside.

    Raises:
        NotAllowed, StepUpNeeded: no administrator of the system, or its writer, or without a fresh second factor.
        WrongState: it was decided; ChangedMeanwhile: another is in force than the one beside which it was looked at.
    """
    lock_row(System, version.system_id)  # two versions that are agreed to at once follow one another
    locked = _undecided(version)
    may_change_policy(by, locked.system)
    need_fresh(by, about=locked)
    if str(locked.written_by_id) == by.id:
        raise NotAllowed("Another administrator than the writer approves a policy.", about=locked, kind="own policy")
    at = now()
    before = PolicyVersion.objects.select_for_update().filter(
        system=locked.system, effective_from__isnull=False, effective_to__isnull=True
    )
    previous = before.first()
    if instead_of is not None and (previous.pk if previous else NOTHING) != instead_of:
        raise ChangedMeanwhile(
            "Another version came into force since you looked. See what this one changes of it, then agree.",
            about=locked,
        )
    if previous is not None:
        previous.effective_to = at
        previous.save(update_fields=["effective_to"])
    locked.approved_by_id, locked.approved_at, locked.effective_from = by.id, at, at
    locked.save()
    rules = parse(locked.document)
    append(
        "policy.approved", by=by, subject=locked.log_subject, written_by=locked.written_by_id, approved_by=by.id, approved_at=ms(at),
        effective_from=ms(at), review_due_at=ms(locked.review_due_at), modes=rules.modes, criteria=rules.criteria,
        figures=rules.figures(), replaces_id=previous.pk if previous else None, narrows=False, changed_by=locked.written_by_id,
        effective_at=ms(at), **_version(locked),
    )  # fmt: skip
    return locked


@action(event="policy.declined", refused="policy.act_refused")
def decline(*, by: Actor, version: PolicyVersion) -> PolicyVersion:
    """Refuse a proposed version, or take one's own back."""
    locked = _undecided(version)
    may_change_policy(by, locked.system)
    need_fresh(by, about=locked)
    locked.declined_by_id, locked.declined_at = by.id, now()
    locked.save()
    append(
        "policy.declined",
        by=by,
        subject=locked.log_subject,
        policy_id=locked.pk,
        system_id=locked.system_id,
        number=locked.number,
    )
    return locked


def _approvers_in_tiers(system: System, policy: Policy) -> None:
    approvers = (
        {str(pk) for pk in people_with(APPROVER, system).values_list("pk", flat=True)} if policy.tiers else set()
    )
    if any(each not in approvers for tier in policy.tiers for each in tier.people):
        raise RefusedByPolicy("A tier names only people who may approve for this system.", about=system)
    groups = {each for tier in policy.tiers for each in tier.groups}
    if groups and not groups <= set(groups_in(system)):
        raise RefusedByPolicy("A tier names only groups in which somebody approves for this system.", about=system)
    rotas = {tier.rota for tier in policy.tiers if tier.rota}
    if rotas and not rotas <= {str(each.pk) for each in rotas_of(system)}:
        raise RefusedByPolicy("A tier names only rotas of this system that are in use.", about=system)


def _undecided(version: PolicyVersion) -> PolicyVersion:
    locked = PolicyVersion.objects.select_for_update(of=("self",)).select_related("system").get(pk=version.pk)
    if locked.approved_at or locked.declined_at:
        raise WrongState("This version was decided already.", about=locked)
    return locked


def _version(version: PolicyVersion) -> dict[str, object]:
    return {
        "policy_id": version.pk, "system_id": version.system_id, "number": version.number,
        "sha256": version.sha256, "document": version.document,
    }  # fmt: skip
