"""The second person: who lets the secret of a sealed account be shown to its holder, once and for a short time."""

from django.db.models import Exists, OuterRef, Q

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.eligibility.lending import approves, decided_by, lock_standing
from portal.eligibility.models import ADMINISTRATOR, CUSTODIAN, OWNER
from portal.eligibility.queries import holds, systems_where
from portal.errors import ChangedMeanwhile, NotAllowed, WrongState
from portal.grants.actions import NOT_OPEN, locked
from portal.grants.custody import RELEASE_LIFE, unused_release
from portal.grants.models import Grant, Release
from portal.grants.rules import need_present
from portal.grants.states import ACTIVE
from portal.people.models import Person
from portal.people.strength import need_settled
from portal.policy.queries import rules_of
from portal.policy.strength import need_factor

RELEASERS = (OWNER, ADMINISTRATOR, CUSTODIAN)
"""Besides the approvers who may decide on the holder's requests."""


def may_release(by: Actor, grant: Grant) -> None:
    """Approver, owner, administrator or custodian of the system, and never the holder, nor who approves in the holder's place.

    Raises:
        NotAllowed: of kind ``own release`` for the holder, and ``lent away`` for an approver for whom somebody stands in.
    """
    if str(grant.person_id) == by.id:
        raise NotAllowed("A second person releases the secret.", about=grant, kind="own release")
    owns = str(grant.system.owner_id) == by.id
    if not (
        owns
        or any(holds(by.id, role, grant.system) for role in RELEASERS)
        or approves(by.id, grant.system, grant.person_id)
    ):
        need_present(by, grant)
        raise NotAllowed(
            "Only an approver, owner, administrator or custodian of this system releases a secret.", about=grant
        )


def wanted_of(viewer: Person) -> list[Grant]:
    """Open grants of others whose secret nobody was shown yet and that wait for a release by the viewer, the first to end first. Five queries."""
    at = now()
    decides = decided_by(viewer.pk, "person")
    keeps = Q(system__in=systems_where(viewer.pk, (CUSTODIAN,)), account__custodian=viewer)  # others do not see the use
    owns = Q(system__in=systems_where(viewer.pk, (OWNER, ADMINISTRATOR))) | Q(system__owner=viewer)
    fresh = Release.objects.filter(grant=OuterRef("pk"), used_at__isnull=True, at__gt=at - RELEASE_LIFE)
    wanted = Grant.objects.filter(
        decides | keeps | owns, ~Exists(fresh), state=ACTIVE, account__isnull=False, expires_at__gt=at
    )
    wanted = wanted.filter(revealed_at__isnull=True).exclude(request__mode="bypass").exclude(person=viewer)
    return list(wanted.select_related("person", "system", "account").order_by("expires_at"))


@action(event="sealed.released", refused="grant.act_refused")
def release(*, by: Actor, grant: Grant) -> Release:
    """Let the holder be shown the secret once, within a quarter of an hour."""
    lock_standing(by.id, grant.system)
    row = locked(grant)
    may_release(by, row)
    need_factor(by, rules_of(row.request.policy), about=row)
    need_settled(by, about=row)
    at = now()
    if row.account is None or row.state != ACTIVE or row.expires_at is None or row.expires_at <= at:
        raise WrongState(NOT_OPEN, about=row)
    if unused_release(row, at) is not None:
        raise ChangedMeanwhile("It was released a moment ago.", about=row)
    made = Release.objects.create(grant=row, person_id=by.id, at=at)
    append(
        "sealed.released", by=by, case=row.log_case, subject=row.log_subject, account_id=row.account_id, system_id=row.system_id,
        grant_id=row.pk, person_id=by.id,
    )  # fmt: skip
    return made
