"""A rota is taken out of use, unless a policy wakes people by it: here, because rotas know nothing of policies."""

from django.db.models import Q

from audit.log.append import Actor, action
from portal.errors import RefusedByPolicy
from portal.people.strength import need_fresh
from portal.policy.models import PolicyVersion
from portal.policy.queries import rules_of
from portal.rotas import actions as rotas
from portal.rotas.models import Rota
from portal.rotas.rules import may_change
from portal.rows import lock_row
from portal.systems.models import System


@action(event="rota.retired", refused="rota.act_refused")
def retire_rota(*, by: Actor, rota: Rota) -> Rota:
    """Nobody is woken by it, swaps a week of it, or names it in a policy any more; requests made under an older version keep it.

    Raises:
        NotAllowed, StepUpNeeded: no administrator of the system, or not freshly confirmed.
        RefusedByPolicy: a tier of the version in force, or of one that waits for a second administrator, names it.
        WrongState: it was retired already.
    """
    may_change(by, rota.system)
    need_fresh(by, about=rota)
    system = lock_row(System, rota.system_id)  # whoever proposes a version locks it too
    version = _naming(system, rota)
    if version is not None:
        holds = "is in force" if version.effective_from else "waits for a second administrator"
        raise RefusedByPolicy(
            f"Version {version.number} of the policy of {system.name} {holds} and wakes people by this rota. Propose one without it first"
            f"{'' if version.effective_from else ', or decline that one'}. Nothing was changed.",
            about=rota, kind="named by a policy",
        )  # fmt: skip
    return rotas.retire(by=by, rota=rota)


def _naming(system: System, rota: Rota) -> PolicyVersion | None:
    """The version in force, or the first that may come into force, of which a tier names the rota. One query, so that none slips between."""
    waits = Q(approved_at__isnull=True, declined_at__isnull=True)
    rows = PolicyVersion.objects.filter(
        waits | Q(effective_from__isnull=False, effective_to__isnull=True), system=system
    )
    named = (each for each in rows.order_by("number") if str(rota.pk) in {tier.rota for tier in rules_of(each).tiers})
    return next(named, None)
