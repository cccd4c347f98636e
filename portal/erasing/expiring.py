"""What the passing of time lets go by itself, and the terms that say so: both on record."""

from audit.log.append import Actor, action, append, process
from audit.log.erasing import erasing
from audit.log.expiring import expire, said_terms
from portal.erasing.retention import held, open_cases, terms
from portal.sweeping import done

ERASER = process("eraser")


def run_due() -> int:
    """Say the terms where they changed, and erase what is due; of how many entries."""
    if said_terms() != terms():
        done("retention", set_terms, by=ERASER)
    count = 0
    while gone := _expire():
        count += gone
    return count


@action(event="retention.set")
def set_terms(*, by: Actor) -> None:
    """Put the terms of this instance on record: the operator may lengthen them, and evidence is judged by them."""
    append("retention.set", by=by, terms=terms())


def _expire() -> int:
    """One portion, under the lock of whoever sets a hold; nothing of a case in which something is still to be done."""
    with erasing() as alias:
        cases, people = held(alias)
        return expire(alias, terms=terms(), cases=cases | open_cases(), people=people)
