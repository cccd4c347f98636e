"""Who may import a personnel list, and when."""

from datetime import datetime, timedelta

from audit.log.append import Actor
from portal.clock import now
from portal.eligibility.queries import administrators
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.people.rights import ADMINISTER, need_other, need_permission
from portal.people.strength import need_fresh
from portal.personnel.models import PersonnelList
from portal.personnel.plan import Plan
from portal.personnel.states import DONE, UNDECIDED

ONLY_ADMINISTRATORS = "Only administrators of all systems import personnel lists."
OLDEST = timedelta(days=31)
CLOCKS_DIFFER = timedelta(minutes=5)


def may_read(by: Actor) -> None:
    """An administrator of all systems, or the operator's command line. Reading a list changes nothing yet.

    Raises:
        NotAllowed: the actor is neither.
    """
    if by.is_person:
        need_permission(by, ADMINISTER, says=ONLY_ADMINISTRATORS)


def may_confirm(by: Actor, row: PersonnelList) -> None:
    """As `may_read`, freshly confirmed; where two must, never the first again.

    Raises:
        NotAllowed, StepUpNeeded: the actor is not that.
    """
    may_read(by)
    if by.is_person:
        need_other(by, *filter(None, [row.asked_by]), about=row)
        need_fresh(by, about=row)


def check_taken(taken_at: datetime, sha256: str) -> None:
    """A list is new: newer than the one imported last, and none that stood before it.

    The very file that was imported last is an answer again; it changes nothing.

    Raises:
        RefusedByPolicy: it is an old one, whose people would seem to have left.
    """
    if not now() - OLDEST <= taken_at <= now() + CLOCKS_DIFFER:
        raise RefusedByPolicy(f"The list was taken within the last {OLDEST.days} days: say when.", kind="old list")
    done = PersonnelList.objects.filter(state=DONE).order_by("-taken_at")
    last = done.first()
    if last is not None and taken_at < last.taken_at:
        raise RefusedByPolicy("A newer list was imported already. Nothing was done with this one.", kind="old list")
    if last is not None and last.sha256 != sha256 and done.filter(sha256=sha256).exists():
        raise RefusedByPolicy(
            "This very file was imported before, and another one since. Take the list anew.", kind="old list"
        )


def still_undecided(row: PersonnelList) -> None:
    """Neither imported nor discarded.

    Raises:
        WrongState: somebody has decided.
    """
    if row.state not in UNDECIDED:
        raise WrongState("This list was imported or discarded already.", about=row)


def check_plan(by: Actor, row: PersonnelList, plan: Plan, shown: str) -> None:
    """It is what was looked at, it leaves administrators, and nobody notes their own leaving.

    Raises:
        ChangedMeanwhile: the people are not those that were looked at.
        NotAllowed: the actor would leave.
        RefusedByPolicy: nobody would be left who administers the portal.
    """
    if plan.fingerprint != shown:
        raise ChangedMeanwhile(
            "Who leaves or moves has changed since this was shown. Nothing was done: look at it again.", about=row
        )
    leaving = {str(each.person.pk) for each in plan.leavers}
    if by.id in leaving:
        raise NotAllowed("By this list you have left. Another administrator has to import it.", about=row, kind="own")
    if plan.leavers and not {str(pk) for pk in administrators().values_list("pk", flat=True)} - leaving:
        raise RefusedByPolicy(
            "By this list every administrator has left. Nothing was done.", about=row, kind="nobody left"
        )
