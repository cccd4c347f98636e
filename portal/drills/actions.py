"""Rehearsing the emergency way, and saying what was found. A drill is never counted as a use."""

from audit.log.append import Actor, action, append
from audit.log.read import LoggedEvent, of_case, of_subject, of_subjects
from portal.access_requests.asking import ask
from portal.access_requests.rules import Asked
from portal.clock import ms, now
from portal.drills.duties import Due
from portal.drills.kept_accounts import CARD_NAMES, ROTATION_NAMES, Kept
from portal.drills.lines import Step
from portal.drills.models import Drill
from portal.drills.queries import PATIENCE, about, is_over, over_at, was_told
from portal.drills.rules import HARMLESS, failed_before, may_start
from portal.drills.sheet import Limits, sheet
from portal.eligibility.queries import owner_told
from portal.errors import ChangedMeanwhile, WrongState
from portal.findings.actions import raise_finding
from portal.notifications.outbox import tell
from portal.policy.queries import rules_of
from portal.rows import lock_row
from portal.sealed.queries import on_cards_of, sealed_in
from portal.systems.heartbeats import stands
from portal.systems.models import Privilege, System

NAMES = (
    "request.made", "request.seen", "request.approved", "request.declined", "request.withdrawn", "request.lapsed", "alert.queued",
    "alert.sent", "alert.acknowledged", "grant.activated", "grant.revealed", "grant.failed", "grant.ended", "activity.recorded", "completeness.judged",
)  # fmt: skip


@action(event="drill.started", refused="drill.act_refused")
def start(*, by: Actor, privilege: Privilege, act: str, minutes: int, repeats: Drill | None = None) -> Drill:
    """Ask for access as in an emergency, for a harmless act. From here on everything goes the real way.

    Raises:
        NotAllowed: see `rules.may_start`.
        WrongState: what it is to repeat did not fail.
        RefusedByPolicy: the policy knows no drills, or says otherwise about what was asked.
    """
    may_start(by, privilege, repeats)
    if repeats is not None:
        failed_before(repeats)
    asked = Asked("drill", "", act, minutes, "drill", (HARMLESS,), "")
    request = ask(by=by, privilege=privilege, asked=asked)
    drill = Drill.objects.create(
        request=request, system=privilege.system, repeats=repeats, started_at=request.requested_at
    )
    append(
        "drill.started", by=by, case=drill.log_case, subject=drill.log_subject, drill_id=drill.pk, system_id=drill.system_id,
        repeats_id=repeats.pk if repeats else None,
    )  # fmt: skip
    return drill


def found_of(drill: Drill, *, over: bool) -> list[Step]:
    """The sheet as the log has it now."""
    rules = rules_of(drill.request.policy)
    gathered = stands(drill.system)
    limits = Limits(rules.alert_minutes, rules.removal_grace_minutes, gathered)
    return sheet(of_case(drill.log_case, NAMES), limits, over=over, accounts=_accounts_of(drill))


def _accounts_of(drill: Drill) -> Kept:
    """What the log says of the sealed account that is opened, and of those of the system that lie on cards. Three queries."""
    opened, on_cards = sealed_in(drill.request.privilege), on_cards_of(drill.system)
    subjects = [each.log_subject for each in on_cards]
    told: dict[str, list[LoggedEvent]] = {subject: [] for subject in subjects}
    for event in of_subjects(subjects, CARD_NAMES):
        told[event.subject].append(event)
    account = of_subject(opened.log_subject, ROTATION_NAMES) if opened is not None else None
    return Kept(ms(now()), account, list(told.values()))


@action(event="drill.judged")
def judge(*, by: Actor, drill: Drill) -> Drill:
    """Put on record how it went. Where a step failed there is something to put right, and the drill is to be repeated.

    Raises:
        ChangedMeanwhile: it was judged already.
        WrongState: it is not over, or something may still come.
    """
    row = lock_row(Drill, drill.pk)
    if row.judged_at is not None:
        raise ChangedMeanwhile("This drill was judged already.", about=row)
    ended = over_at(row)
    if not is_over(row) or ended is None:
        raise WrongState("This drill is not over.", about=row)
    steps = found_of(row, over=now() - ended > PATIENCE or row.request.state != "approved")
    if any(each.result == "open" for each in steps):
        raise WrongState("Something of this drill may still come.", about=row)
    failed = [each for each in steps if each.result == "failed"]
    row.judged_at, row.over_at, row.worked, row.steps = now(), ended, not failed, [each.plain() for each in steps]
    row.save(update_fields=["judged_at", "over_at", "worked", "steps"])
    if failed:
        _put_right(by, row, failed)
    append(
        "drill.judged", by=by, case=row.log_case, subject=row.log_subject, drill_id=row.pk, system_id=row.system_id,
        grant_id=row.request.grant.pk if hasattr(row.request, "grant") else None, over_at=ms(ended), worked=not failed,
        failed=[each.name for each in failed], repeats_id=row.repeats_id,
    )  # fmt: skip
    return row


def _put_right(by: Actor, drill: Drill, failed: list[Step]) -> None:
    titles = ", ".join(each.title for each in failed)
    raise_finding(
        by=by, kind="drill", title=f"A drill of {drill.system.name} failed: {titles}", about=str(drill.pk), case=drill.log_case,
        system=drill.system, test_id="T-34", details=" ".join(f"{each.title}: {each.told}" for each in failed),
    )  # fmt: skip


@action(event="alert.queued")
def remind(*, by: Actor, due: Due, mark: str) -> None:
    """Tell the owner that the system is to be drilled soon, once.

    Raises:
        ChangedMeanwhile: they were told just now.
    """
    lock_row(System, due.system.pk, no_key=True)
    if was_told(due, mark):
        raise ChangedMeanwhile("The owner was told already.", about=due.system)
    tell(
        by=by, people=owner_told(due.system), kind="drill.due", about=about(due, mark), path="/drills/",
        facts={"system": due.system.name, "due_at": due.due_at, "last_at": due.last_at},
    )  # fmt: skip
