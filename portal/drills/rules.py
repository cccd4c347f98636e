"""Who may do what with a drill."""

from audit.log.append import Actor
from portal.access_requests.rules import may_ask
from portal.drills.models import Drill
from portal.errors import NotAllowed, WrongState
from portal.systems.models import Privilege

HARMLESS = "data_read"
LEAST = 10  # characters of the harmless act


def may_start(by: Actor, privilege: Privilege, repeats: Drill | None) -> None:
    """Whoever may ask for the privilege; a repetition is of a drill of the same system.

    Raises:
        NotAllowed: they are not on the list, or it repeats what is not theirs to repeat.
    """
    may_ask(by, privilege)
    if repeats is not None and repeats.system_id != privilege.system_id:
        raise NotAllowed("A drill is repeated on its own system.", about=privilege)


def failed_before(repeats: Drill) -> None:
    """Only what failed is repeated.

    Raises:
        WrongState: it is not judged, or it worked.
    """
    if repeats.worked is not False:
        raise WrongState("Only a drill that failed is repeated.", about=repeats)
