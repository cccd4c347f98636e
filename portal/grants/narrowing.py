"""What narrows takes effect at once, and with it ends what was opened on its strength: both in one transaction."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from audit.log.append import Actor, action, append, process
from portal.access_requests.rules import allows
from portal.clock import ms
from portal.eligibility import actions as lists
from portal.eligibility.ending import end_all_of, end_lists_by
from portal.eligibility.models import RESPONDER, Eligibility, RoleAssignment
from portal.eligibility.queries import administrators, eligibilities_of, holds
from portal.errors import ChangedMeanwhile
from portal.grants import ending
from portal.grants.actions import revoke
from portal.grants.models import Grant
from portal.grants.queries import holding_beyond_contract, live_of, live_of_account
from portal.grants.rules import may_revoke
from portal.notifications.outbox import tell
from portal.people import actions as people
from portal.people.models import Person
from portal.rows import lock_row
from portal.sealed.models import SealedAccount

ENDED_TOO = ("grant.revoked", "grant.failed")
LEFT = "The person left."
OUT_OF_USE = "The account goes out of use."
MOVED = "The person moved to other work."
CONTRACT_OVER = "The person's contract has ended."


@action(event=("eligibility.revoked", *ENDED_TOO), refused="eligibility.act_refused")
def revoke_eligibility(*, by: Actor, eligibility: Eligibility, cause: str = "revoked") -> Eligibility:
    """Take somebody off a list and end their grants of that privilege, unless another eligibility still carries them."""
    row = lists.revoke_eligibility(by=by, eligibility=eligibility, cause=cause)
    if not eligibilities_of(row.person_id).filter(privilege=row.privilege).exists():
        _end(by, live_of(row.person_id, privilege=row.privilege), "The eligibility was revoked.", "eligibility revoked")
    return row


@action(event=("eligibility.shortened", *ENDED_TOO), refused="eligibility.act_refused")
def shorten_eligibility(*, by: Actor, eligibility: Eligibility, to_at: datetime) -> Eligibility:
    """Let an eligibility end earlier and end those grants that would outlast it."""
    row = lists.shorten_eligibility(by=by, eligibility=eligibility, to_at=to_at)
    longer = [each for each in live_of(row.person_id, privilege=row.privilege) if _outlasts(each, to_at)]
    _end(by, longer, "The eligibility ends earlier.", "eligibility shortened")
    return row


@action(event=("role.ended", *ENDED_TOO), refused="role.act_refused")
def end_role(*, by: Actor, assignment: RoleAssignment, cause: str = "ended") -> RoleAssignment:
    """End a role. A responder's open grants on the system end too, unless another assignment still covers it."""
    row = lists.end_role(by=by, assignment=assignment, cause=cause)
    _end_without_role(by, row)
    return row


@action(event=("role.ended", *ENDED_TOO))
def withdraw_role(*, by: Actor, assignment: RoleAssignment, cause: str) -> RoleAssignment:
    """As `end_role`, on the strength of a decision whose own rules have said who may."""
    row = lists.withdraw_role(by=by, assignment=assignment, cause=cause)
    _end_without_role(by, row)
    return row


@action(event=("role.shortened", *ENDED_TOO))
def shorten_role(*, by: Actor, assignment: RoleAssignment, to_at: datetime) -> RoleAssignment:
    """As `withdraw_role`: let a role end earlier, and end a responder's grants that would outlast it."""
    row = lists.shorten_role(by=by, assignment=assignment, to_at=to_at)
    if row.role == RESPONDER:
        longer = [
            each
            for each in live_of(row.person_id, system=row.system)
            if (each.expires_at is None or each.expires_at > to_at)
            and not holds(row.person_id, RESPONDER, each.system, to_at)
        ]
        _end(by, longer, "The role of responder ends earlier.", "role shortened")
    return row


def _end_without_role(by: Actor, row: RoleAssignment) -> None:
    if row.role == RESPONDER:
        open_now = [
            each
            for each in live_of(row.person_id, system=row.system)
            if not holds(row.person_id, RESPONDER, each.system)
        ]
        _end(by, open_now, "The role of responder was ended.", "role ended")


def end_grants_of_account(by: Actor, account: SealedAccount) -> None:
    """A sealed account goes out of use: what is open of it ends, within the action of a caller who has asked who may."""
    _end(by, live_of_account(account), OUT_OF_USE, "account out of use")


@action(event=("person.left", "signin.ended", "role.ended", "role.declined", "eligibility.revoked", "eligibility.declined", *ENDED_TOO),
        refused="person.act_refused")  # fmt: skip
def note_leaving(*, by: Actor, person: Person) -> Person:
    """Somebody left: nothing of theirs stays open, on no list and in no browser."""
    row = people.leave(by=by, person=person)
    end_everything_of(by, row)
    return row


def end_everything_of(
    by: Actor, person: Person, cause: str = "left", says: str = LEFT, ends: str = "person left"
) -> None:
    """Lists, roles and grants of somebody who has left, within the action of a caller who has asked who may.

    The grants last, so that what was approved while the lists were waited for is seen.

    Args:
        cause: Why roles and lists end.
        says, ends: Why grants do, in a sentence and as their cause.
    """
    end_all_of(by, person, cause)
    _end(by, live_of(person.pk), says, ends)


@action(
    event=(
        "person.contract_ended",
        "role.ended",
        "role.declined",
        "eligibility.revoked",
        "eligibility.declined",
        *ENDED_TOO,
    )
)
def note_contract_end(*, by: Actor, person: Person, at: datetime) -> Person:
    """The contract of somebody of another company has ended: nothing that rests on it stays open. They have not left: it may be prolonged.

    Raises:
        ChangedMeanwhile: it was prolonged meanwhile, or nothing of theirs is left; there are two sweeps, and one of them is later.
    """
    locked = lock_row(Person, person.pk, no_key=True)
    if not holding_beyond_contract(at).filter(pk=locked.pk).exists():
        raise ChangedMeanwhile("Nothing of theirs rests on a contract that has ended.", about=locked)
    contract = locked.sponsorships.select_related("sponsor").get(until_at__isnull=True)
    end_everything_of(by, locked, "contract ended", CONTRACT_OVER, "contract ended")
    tell(
        by=by, people=[contract.sponsor, *(administrators() if contract.sponsor.left_at else ())], kind="person.contract_ended",
        about=locked.log_subject, path="/", facts={"person": locked.name, "ended_at": contract.contract_end},
    )  # fmt: skip
    append(
        "person.contract_ended", by=by, subject=locked.log_subject, person_id=locked.pk, sponsor_id=contract.sponsor_id,
        contract_end=ms(contract.contract_end),
    )  # fmt: skip
    return locked


def end_lists_of_one_who_moved(by: Actor, person: Person, end: datetime) -> list[Eligibility]:
    """Let a person's eligibilities end at ``end``, with what is open beyond it. Gives those that it changed; the caller has asked who may."""
    changed = list(end_lists_by(by, person, end, "moved"))
    for row in changed:
        live = live_of(person.pk, privilege=row.privilege)
        _end(by, [each for each in live if _outlasts(each, end)], MOVED, "person moved")
    return changed


def _outlasts(grant: Grant, end: datetime) -> bool:
    return grant.expires_at is None or grant.expires_at > end


def end_of_one_who_left(grant_id: UUID) -> None:
    """What is still open of somebody who left, however it came to be; for the sweep."""
    _end_left(by=process("sweep"), grant=Grant.objects.get(pk=grant_id))
    ending.run(grant_id)


@action(event=ENDED_TOO)
def _end_left(*, by: Actor, grant: Grant) -> Grant:
    """Unlike `revoke` alone it puts no refusal on record: there are two sweeps, and one of them is later."""
    return revoke(by=by, grant=grant, reason=LEFT, cause="person left")


def _end(by: Actor, grants: Iterable[Grant], reason: str, cause: str) -> None:
    """By the person where they may end grants of that system; else the portal does it, on the strength of what they did."""
    for grant in grants:
        revoke(
            by=by if allows(may_revoke, by, grant) else process("narrowing"), grant=grant, reason=reason, cause=cause
        )
