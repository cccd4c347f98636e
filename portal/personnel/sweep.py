"""A list that nobody decides on is laid aside: the names of a whole company are not kept for want of a click. A contract that ends, ends what rests on it."""

from datetime import datetime, timedelta

from audit.log.append import process
from portal.clock import now
from portal.grants.narrowing import note_contract_end
from portal.grants.queries import holding_beyond_contract
from portal.personnel.actions import discard
from portal.personnel.queries import forgotten
from portal.sweeping import done

KEPT_FOR = timedelta(days=7)


def discard_due() -> int:
    """Lay aside what was read more than a week ago; how many they were."""
    rows = forgotten(now() - KEPT_FOR)
    return sum(done("personnel", discard, by=process("sweep"), row=row, cause="nobody decided on it") for row in rows)


def end_contracts_due(at: datetime | None = None) -> int:
    """End the roles, lists and grants of people of other companies whose contract has ended, whatever the personnel list says; how many people."""
    at = at or now()
    people = list(holding_beyond_contract(at))
    return sum(done("personnel", note_contract_end, by=process("sweep"), person=each, at=at) for each in people)
