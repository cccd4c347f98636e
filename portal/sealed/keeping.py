"""A custodian who left, or lost the role: nobody else can give the account a new secret or print the card, so its owner is told to name another."""

from audit.log.append import Actor, action, append, process
from audit.log.read import of_subject
from portal.eligibility.queries import owner_told
from portal.errors import ChangedMeanwhile
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.sealed.models import SealedAccount
from portal.sealed.queries import locked, without_custodian
from portal.sealed.rules import missing_of, need_in_use
from portal.sweeping import done

MISSING, NAMED = "sealed.custodian_missing", "sealed.custodian_changed"


def tell_of_missing() -> int:
    """Tell the owners of all accounts of which that is so; returns how many there were to be told of."""
    by = process("custodians")
    return sum(done("custodians", note_missing, by=by, account=each) for each in without_custodian() if _untold(each))


@action(event=MISSING)
def note_missing(*, by: Actor, account: SealedAccount) -> None:
    """Tell the owner, once for each custodian.

    Raises:
        WrongState: it is out of use; ChangedMeanwhile: it was said before, or somebody was named just now.
    """
    row = locked(account.pk)
    need_in_use(row)
    missing = _untold(row)
    if not missing:
        raise ChangedMeanwhile("That a custodian is missing was said already.", about=row)
    tell(
        by=by, people=owner_told(row.system), kind=MISSING, about=row.log_subject, path=f"/sealed/{row.pk}/",
        facts={"account": row.name, "system": row.system.name, "people": [each.name for each in missing]},
    )  # fmt: skip
    append(
        MISSING, by=by, subject=row.log_subject, account_id=row.pk, system_id=row.system_id,
        custodians=[str(each.pk) for each in missing],
    )  # fmt: skip


def _untold(row: SealedAccount) -> list[Person]:
    """Custodians who are missing and of whom that was not said since one was named last."""
    said: set[str] = set()
    for event in of_subject(row.log_subject, (MISSING, NAMED)):
        said = said | set(event.fields["custodians"]) if event.name == MISSING else set()
    return [each for each in missing_of(row) if str(each.pk) not in said]
