"""The demo's past uses and drills, walked through the real actions on simulated targets under the demo's clock.

What each was like stands in a table; who did what when is taken from it. The log of each target carries the same times.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from portal.access_requests import actions as requests
from portal.access_requests import asking
from portal.access_requests.models import AccessRequest
from portal.connectors.base import Target
from portal.connectors.simulated import activity, controls, log, state
from portal.connectors.simulated.activity import Act
from portal.demo.clock import at
from portal.demo.stage import SEAL_PATIENCE_S, Stage
from portal.demo.uses import Use, asked
from portal.drills import actions as drills
from portal.drills.models import Drill
from portal.errors import NotAllowed
from portal.grants import actions, authorising, ending, extending, opening, permits
from portal.grants.models import Grant
from portal.grants.releasing import release
from portal.notifications.actions import acknowledge
from portal.notifications.models import Alert
from portal.systems.models import Privilege, System

TOLD_AFTER = timedelta(minutes=3)
SEEN_AFTER = timedelta(minutes=7)
READ_AFTER = timedelta(minutes=1)
REMOVED_AFTER = timedelta(seconds=85)
LEFT_AFTER = timedelta(minutes=1, seconds=30)
CLOSED_AFTER = timedelta(seconds=40)
RELEASED_AFTER = timedelta(seconds=40)
SETTLED_AFTER = timedelta(seconds=3)
GIVEN_UP_AT, FAILED_JUDGED_AT = at("2026-09-21 09:20"), at("2026-09-21 09:52")
DECLINED = at("2026-08-06 10:00"), at("2026-08-06 10:20")  # asked, and answered


def walk(stage: Stage, use: Use) -> Grant:
    """One use or drill, from the asking to the read-back, with what the portal's own processes do meanwhile."""
    system = stage.organisation.systems[use.system]
    grant = _authorise(stage, use, system)
    stage.run("outbox")
    if use.refused:
        return _not_opened(stage, use, system, grant)
    stage.move(system, use.opened_at)
    grant = _run(grant)
    if use.released_by:
        stage.move(system, use.opened_at + RELEASED_AFTER)
        release(by=stage.organisation.by(use.released_by, minutes=2), grant=grant)
    actions.reveal(by=stage.organisation.by(use.responder, minutes=2), grant=grant)
    stage.run("outbox")
    session = _log_in(stage, use, system, grant)
    for when, act in _meanwhile(stage, use, grant, session):
        stage.move(system, when)
        act()
    grant = _end(stage, use, system, grant, session)
    stage.move(system, (use.read_back_at or use.ended_at + REMOVED_AFTER) + SETTLED_AFTER)
    stage.mark(system)
    stage.run("outbox", "gather", "reviews", "drills", "cases", "intake")
    stage.release(system)
    return grant


def _run(grant: Grant) -> Grant:
    with permits.patient(SEAL_PATIENCE_S):
        return opening.run(grant.pk)


def _not_opened(stage: Stage, use: Use, system: System, grant: Grant) -> Grant:
    """The target refuses."""
    target = stage.move(system, use.opened_at)
    controls.write(target, refuse=use.refused)
    grant = _run(grant)
    controls.write(target)
    stage.run("outbox", "cases")
    stage.release(system)
    return grant


def _authorise(stage: Stage, use: Use, system: System) -> Grant:
    privilege = Privilege.objects.get(system=system)
    by = stage.organisation.by
    stage.move(system, use.asked_at)
    if use.asked.mode == "bypass":
        return authorising.bypass(by=by(use.responder, minutes=2), privilege=privilege, asked=use.asked)
    request = _ask(stage, use, privilege)
    stage.run("outbox")
    if use.own_approval_at:
        stage.move(system, use.own_approval_at)
        _try_own(stage, use, request)
    stage.move(system, use.decided_at)
    grant = authorising.approve(by=by(use.approver, minutes=2), request=request)
    if grant is None:
        raise RuntimeError("One approval is enough in the demo.")
    return grant


def _ask(stage: Stage, use: Use, privilege: Privilege) -> AccessRequest:
    by = stage.organisation.by(use.responder, minutes=2)
    if use.asked.mode != "drill":
        return asking.ask(by=by, privilege=privilege, asked=use.asked)
    failed = Drill.objects.filter(system=privilege.system, worked=False).first() if use.repeats else None
    started = drills.start(by=by, privilege=privilege, act=use.asked.reason, minutes=use.asked.minutes, repeats=failed)
    return started.request


def give_up(stage: Stage, grant: Grant) -> None:
    """The portal has tried for ten minutes to open what the target refuses."""
    system = grant.system
    controls.write(stage.move(system, GIVEN_UP_AT), refuse="The token of the portal has expired.")
    _run(grant)
    controls.write(stage.move(system, GIVEN_UP_AT))
    ending.run(grant.pk)  # it was tried, so the target is closed and read back like any other
    stage.run("outbox", "cases")
    stage.release(system)


def judge_failed(stage: Stage) -> None:
    """Half an hour later nothing more can come of the drill: it is judged, and is to be repeated."""
    stage.organisation.clock.set(FAILED_JUDGED_AT)
    stage.run("drills", "outbox")


def decline(stage: Stage) -> None:
    """A request that an approver declines."""
    organisation, (asked_at, decided_at) = stage.organisation, DECLINED
    system = organisation.systems["network"]
    organisation.clock.set(asked_at)
    request = asking.ask(
        by=organisation.by("dan", minutes=2), privilege=Privilege.objects.get(system=system),
        asked=asked("approved", "Look at the switch's rules for the audit of next week.", ("config_change",), "INC-2090"),
    )  # fmt: skip
    stage.run("outbox")
    organisation.clock.set(decided_at)
    requests.decline(by=organisation.by("jon", minutes=2), request=request, comment="That can wait for the day.")
    stage.run("outbox")


def _try_own(stage: Stage, use: Use, request: AccessRequest) -> None:
    """The responder tries to approve their own request and is refused; the refusal is on record."""
    try:
        authorising.approve(by=stage.organisation.by(use.responder), request=request)
    except NotAllowed:
        return
    raise RuntimeError("Nobody may decide on their own.")


def _log_in(stage: Stage, use: Use, system: System, grant: Grant) -> int | None:
    """A session on the target; none where nothing was done there."""
    if not use.acts:
        return None
    target = stage.move(system, use.opened_at)
    return activity.log_in(target, login=grant.login, at_ms=stage.ms(use.opened_at) + 90_000)


def _meanwhile(
    stage: Stage, use: Use, grant: Grant, session: int | None
) -> list[tuple[datetime, Callable[[], object]]]:
    """What happens while access is open, by its times: acts, each gathered a minute later, owners who have seen the alert, more time."""
    found: list[tuple[datetime, Callable[[], object]]] = [
        (use.opened_at + TOLD_AFTER, lambda: _see(stage, grant, "nora")),
        (use.opened_at + SEEN_AFTER, lambda: _see(stage, grant, "mo")),
    ]
    for when, act in use.acts:
        found.append((when, partial(_act, stage, grant.system, session, when, act)))
        found.append((when + READ_AFTER, partial(stage.read, grant.system)))
    if use.lost is not None and session is not None:
        found.append((use.lost[0], partial(_lose, stage, grant.system, session, *use.lost)))
    if use.longer is not None:
        found.append((use.longer[0] - TOLD_AFTER, partial(_ask_longer, stage, use, grant)))
        found.append((use.longer[0], partial(_give_longer, stage, use, grant)))
    return sorted(found, key=lambda each: each[0])


def _ask_longer(stage: Stage, use: Use, grant: Grant) -> None:
    minutes = use.longer[1] if use.longer else 0
    actions.ask_extension(
        by=stage.organisation.by(use.responder), grant=grant, minutes=minutes, reason="One payslip is left."
    )


def _give_longer(stage: Stage, use: Use, grant: Grant) -> None:
    asked = grant.extensions.get()
    actions.decide_extension(by=stage.organisation.by(use.approver, minutes=2), extension=asked, give=True)
    extending.run(grant.pk)


def _lose(stage: Stage, system: System, session: int, when: datetime, act: Act) -> None:
    """The forwarder is silent: the target counts the statement, and its line reaches nobody."""
    target = stage.move(system, when)
    with state.changing(target) as connection:
        lines = connection.execute("SELECT lines FROM session WHERE number = ?", [session]).fetchone()["lines"]
    controls.write(target, drop_log_lines=[(log.name(session), lines + 1)])
    activity.do(target, session, act, at_ms=stage.ms(when))
    controls.write(target)


def _act(stage: Stage, system: System, session: int | None, when: datetime, act: Act) -> None:
    if session is not None:
        activity.do(stage.move(system, when), session, act, at_ms=stage.ms(when))


def _see(stage: Stage, grant: Grant, key: str) -> None:
    """An owner says that they have seen the alert; where mail is down it has not reached them yet."""
    owner = stage.organisation.people[key]
    for alert in Alert.objects.filter(grant_id=grant.pk, recipient=owner, kind="grant.opened", sent_at__isnull=False):
        acknowledge(by=stage.organisation.by(key), alert=alert)


def _end(stage: Stage, use: Use, system: System, grant: Grant, session: int | None) -> Grant:
    target = stage.move(system, use.ended_at)
    if use.late is not None and use.read_back_at is not None and session is not None:
        _linger(stage, use, system, grant, session)
        stage.move(system, use.read_back_at)
    else:
        if session is not None:
            activity.log_out(target, session, at_ms=stage.ms(use.ended_at) - 30_000)
        if use.kept_open:
            _keep(target, grant)
        actions.give_back(by=stage.organisation.by(use.responder), grant=grant)
        stage.move(system, use.ended_at + REMOVED_AFTER)
    return ending.run(grant.pk)


def _linger(stage: Stage, use: Use, system: System, grant: Grant, session: int) -> None:
    """The target shuts the login and keeps the session, in which something more is done before it is left."""
    target = stage.move(system, use.ended_at + CLOSED_AFTER)
    controls.write(target, keep_sessions=True)
    ending.run(grant.pk)
    when, act = use.late or use.acts[-1]
    _act(stage, system, session, when, act)
    activity.log_out(stage.move(system, when + LEFT_AFTER), session)
    stage.read(system)
    controls.write(target)


def _keep(target: Target, grant: Grant) -> None:
    """Somebody at the target made the login permanent, and what the portal closes there has no effect."""
    controls.write(target, lie_close=True)
    with state.changing(target) as connection:
        connection.execute("UPDATE login SET expires_at_ms = NULL WHERE name = ?", [grant.login])
