"""The demo's past uses, walked through the real actions on simulated targets under the demo's clock.

What a use was like stands in a table; who did what when is taken from it. The log of each target carries the same times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from portal.access_requests import actions as requests
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import Asked
from portal.connectors.simulated import activity, controls
from portal.connectors.simulated.activity import Act
from portal.demo.stage import Stage, at
from portal.errors import NotAllowed
from portal.grants import actions, ending, opening
from portal.grants.models import Grant
from portal.grants.releasing import release
from portal.notifications.actions import acknowledge
from portal.notifications.models import Alert
from portal.systems.models import Privilege, System

SEEN_AFTER = timedelta(minutes=7)
READ_AFTER = timedelta(minutes=1)
REMOVED_AFTER = timedelta(seconds=85)
LEFT_AFTER = timedelta(minutes=1, seconds=30)
CLOSED_AFTER = timedelta(seconds=40)
RELEASED_AFTER = timedelta(seconds=40)
SETTLED_AFTER = timedelta(seconds=3)


@dataclass(frozen=True)
class Use:
    """One past use. ``acts`` are minutes after the opening and what was done; ``late`` one act after the end over a kept session."""

    key: str
    system: str
    responder: str
    approver: str
    asked: Asked
    asked_at: datetime
    decided_at: datetime
    opened_at: datetime
    ended_at: datetime
    acts: tuple[tuple[datetime, Act], ...] = ()
    own_approval_at: datetime | None = None
    late: tuple[datetime, Act] | None = None
    read_back_at: datetime | None = None
    released_by: str = ""  # who was the second person, where a sealed account's secret was shown


def _asked(mode: str, reason: str, classes: tuple[str, ...], incident: str) -> Asked:
    return Asked(mode, "outage", reason, 60, "availability", classes, incident)


def _mail_use(number: int, day: str) -> Use:
    reason = f"Customers report lost mail since this morning; look at what the quarantine holds back, report {number}."
    return Use(
        f"EARLIER-{number}", "mail", "emil", "jon", _asked("approved", reason, ("data_read",), f"INC-211{number}"), at(f"{day} 07:00"),
        at(f"{day} 07:04"), at(f"{day} 07:05"), at(f"{day} 07:25"), ((at(f"{day} 07:10"), Act("list quarantine", "data_read", "ok", "quarantine")),),
    )  # fmt: skip


USES = (
    Use("BG-01", "billing", "ann", "ines",
        _asked("approved", "Disk at 98 %, writes failing; the DBA role was lost in a role clean-up.", ("schema_change",), "INC-2041"),
        at("2026-07-03 02:00"), at("2026-07-03 02:05"), at("2026-07-03 02:06"), at("2026-07-03 02:50"),
        ((at("2026-07-03 02:11"), Act("SELECT * FROM pg_stat_user_tables", "catalogue_read", "ok", "pg_stat_user_tables")),
         (at("2026-07-03 02:26"), Act("DROP TABLE invoices_2019", "schema_change", "ok", "invoices_2019")))),
    Use("BG-02", "sso", "ben", "",
        _asked("bypass", "Sign-on outage: nobody can sign in since a rule locks everybody out.", ("config_change",), "INC-2055"),
        at("2026-07-09 03:10"), at("2026-07-09 03:10"), at("2026-07-09 03:12"), at("2026-07-09 04:00"),
        ((at("2026-07-09 03:27"), Act("disable rule mfa-7", "config_change", "ok", "rule mfa-7")),), released_by="pia"),
    Use("BG-06", "payments", "dan", "ines",
        _asked("approved", "Payments queue stuck after a failover; look at it and restart the consumer.", ("config_change",), "INC-2088"),
        at("2026-08-04 02:00"), at("2026-08-04 02:19"), at("2026-08-04 02:20"), at("2026-08-04 02:35"), own_approval_at=at("2026-08-04 02:10")),
    Use("BG-08", "warehouse", "ann", "jon",
        _asked("approved", "The nightly load failed; read its log and see what is missing.", ("data_read",), "INC-2101"),
        at("2026-08-14 04:00"), at("2026-08-14 04:09"), at("2026-08-14 04:10"), at("2026-08-14 05:10"),
        ((at("2026-08-14 04:25"), Act("SELECT * FROM load_log", "data_read", "ok", "load_log")),),
        late=(at("2026-08-14 05:47"), Act("SELECT * FROM customers", "data_read", "ok", "customers")), read_back_at=at("2026-08-14 05:50")),
    _mail_use(1, "2026-08-28"),
    _mail_use(2, "2026-09-03"),
    _mail_use(3, "2026-09-10"),
    Use("BG-10", "mail", "emil", "",
        Asked("bypass", "outage", "need access", 60, "availability", ("data_read",), ""),
        at("2026-09-16 20:00"), at("2026-09-16 20:00"), at("2026-09-16 20:01"), at("2026-09-16 20:26"),
        ((at("2026-09-16 20:06"), Act("list quarantine", "data_read", "ok", "quarantine")),)),
)  # fmt: skip


def walk(stage: Stage, use: Use) -> Grant:
    """One use, from the asking to the read-back, with what the portal's own processes do meanwhile."""
    system = stage.organisation.systems[use.system]
    grant = _authorise(stage, use, system)
    stage.run("outbox")
    stage.move(system, use.opened_at)
    grant = opening.run(grant.pk)
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
    stage.run("outbox", "gather", "reviews", "cases", "intake")
    stage.release(system)
    return grant


def _authorise(stage: Stage, use: Use, system: System) -> Grant:
    privilege = Privilege.objects.get(system=system)
    by = stage.organisation.by
    stage.move(system, use.asked_at)
    if use.asked.mode == "bypass":
        return opening.bypass(by=by(use.responder, minutes=2), privilege=privilege, asked=use.asked)
    request = requests.ask(by=by(use.responder, minutes=2), privilege=privilege, asked=use.asked)
    if use.own_approval_at:
        stage.move(system, use.own_approval_at)
        _try_own(stage, use, request)
    stage.move(system, use.decided_at)
    grant = opening.approve(by=by(use.approver, minutes=2), request=request)
    if grant is None:
        raise RuntimeError("One approval is enough in the demo.")
    return grant


def _try_own(stage: Stage, use: Use, request: AccessRequest) -> None:
    """The responder tries to approve their own request and is refused; the refusal is on record."""
    try:
        opening.approve(by=stage.organisation.by(use.responder), request=request)
    except NotAllowed:
        return
    raise RuntimeError("Nobody may decide on their own.")


def _log_in(stage: Stage, use: Use, system: System, grant: Grant) -> int | None:
    """A session on the target; none where nothing was done there."""
    if not use.acts:
        return None
    target = stage.move(system, use.opened_at)
    return activity.log_in(target, login=grant.login, at_ms=stage.ms(use.opened_at) + 90_000)


def _meanwhile(stage: Stage, use: Use, grant: Grant, session: int | None) -> list[tuple[datetime, Callable[[], None]]]:
    """What happens while access is open, by its times: acts, each gathered a minute later, and the owner who has seen the alert."""
    found: list[tuple[datetime, Callable[[], None]]] = [(use.opened_at + SEEN_AFTER, lambda: _see(stage, grant))]
    for when, act in use.acts:
        found.append((when, partial(_act, stage, grant.system, session, when, act)))
        found.append((when + READ_AFTER, partial(stage.run, "gather")))
    return sorted(found, key=lambda each: each[0])


def _act(stage: Stage, system: System, session: int | None, when: datetime, act: Act) -> None:
    if session is not None:
        activity.do(stage.move(system, when), session, act, at_ms=stage.ms(when))


def _see(stage: Stage, grant: Grant) -> None:
    """The owner says that they have seen the alert; where mail is down it has not reached them yet."""
    owner = stage.organisation.people["mo"]
    for alert in Alert.objects.filter(grant_id=grant.pk, recipient=owner, kind="grant.opened", sent_at__isnull=False):
        acknowledge(by=stage.organisation.by("mo"), alert=alert)


def _end(stage: Stage, use: Use, system: System, grant: Grant, session: int | None) -> Grant:
    target = stage.move(system, use.ended_at)
    if use.late is not None and use.read_back_at is not None and session is not None:
        _linger(stage, use, system, grant, session)
        stage.move(system, use.read_back_at)
    else:
        if session is not None:
            activity.log_out(target, session, at_ms=stage.ms(use.ended_at) - 30_000)
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
    stage.run("gather")
    controls.write(target)
