"""A cut that the sealer refused to seal is over: nothing was removed, and another can be proposed.

The sealer asks anew every ten minutes. What it refused for a setting, its clock or a hold it could seal then, when nobody expects it any more:
so it is declined for good, by an event after which no sealer takes it, and alone with whoever seals.
"""

from audit.log.append import Actor, action, append
from audit.log.cutting import is_sealed
from audit.log.locks import Lock, until_commit
from portal.clock import now
from portal.erasing.models import Cut
from portal.erasing.states import CUT_MOVES
from portal.errors import WrongState
from portal.moves import make
from portal.rows import lock_row

NOT_NOW = "It is not said in the log, or done already."
SEALED = "The sealer has sealed it after all: it is carried out."
TURNED_BACK = "The sealer did not let it into the log: {why} Nothing was removed. Mend that, and propose to cut them anew: this cut is over."


@action(event="cut.declined")
def turn_back(*, by: Actor, cut: Cut, why: str) -> Cut:
    """Decline it for good, and say on the page why.

    Raises:
        WrongState: it is sealed after all, or not under way.
    """
    until_commit(Lock.SEALING)  # before the row, as whoever brings a log back, who sets cuts
    row = lock_row(Cut, cut.pk)
    if is_sealed(row.log_subject):
        raise WrongState(SEALED, about=row)
    make(row, CUT_MOVES["turn_back"], says=NOT_NOW, said_at=None, closed_at=now(), trouble=TURNED_BACK.format(why=why))
    append(
        "cut.declined", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=row.minimum_index, asked_by=row.proposed_by_id,
        why=why,
    )  # fmt: skip
    return row
