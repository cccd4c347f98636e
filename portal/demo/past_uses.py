"""The demo's past uses, walked through the real actions on simulated targets under the demo's clock.

What a use was like stands in a table; who did what when is taken from it. The log of each target carries the same times.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit.log.append import Actor, action, append, process
from portal.access_requests import actions as requests
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import Asked
from portal.clock import ms, now
from portal.connectors.base import Target
from portal.connectors.simulated import activity, controls, state
from portal.connectors.simulated.activity import Act
from portal.demo.organisation import Organisation
from portal.errors import NotAllowed
from portal.grants import actions, ending, opening
from portal.grants.models import Grant
from portal.grants.targets import connector_of, target_of
from portal.systems.models import Privilege, System

FIRST_BEAT = datetime(2026, 6, 29, 0, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    """``2026-07-03 02:00`` in UTC."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


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
        Asked("bypass", "outage", "need access", 60, "", ("data_read",), ""),
        at("2026-09-16 20:00"), at("2026-09-16 20:00"), at("2026-09-16 20:01"), at("2026-09-16 20:26"),
        ((at("2026-09-16 20:06"), Act("list quarantine", "data_read", "ok", "quarantine")),)),
)  # fmt: skip


@dataclass
class Stage:
    """The organisation with its targets, moved through time together."""

    organisation: Organisation

    def move(self, system: System, when: datetime) -> Target:
        """Set the portal's and the target's clock; returns the target."""
        self.organisation.clock.set(when)
        target = target_of(system)
        state.set_clock(target, max(ms(when), self.organisation.clock.at))
        return target

    def release(self, system: System) -> None:
        """Give the target the machine's clock again."""
        state.set_clock(target_of(system), None)


def walk(
    organisation: Organisation, after: Callable[[Use, Grant], None] = lambda _use, _grant: None
) -> dict[str, Grant]:
    """All uses in the order of their times; ``after`` is called once each has ended (reviews and findings are its)."""
    stage = Stage(organisation)
    walked: dict[str, Grant] = {}
    days = [FIRST_BEAT]
    for use in USES:
        beats(stage, use.asked_at, days)
        system = organisation.systems[use.system]
        walked[use.key] = _one(stage, use, system)
        stage.release(system)
        after(use, walked[use.key])
    beats(stage, datetime.now(tz=UTC), days)
    return walked


def _one(stage: Stage, use: Use, system: System) -> Grant:
    grant = _authorise(stage, use, system)
    stage.move(system, use.opened_at)
    grant = opening.run(grant.pk)
    target = stage.move(system, use.opened_at)
    session = activity.log_in(target, login=grant.login, at_ms=ms(use.opened_at) + 90_000)
    for when, act in use.acts:
        activity.do(stage.move(system, when), session, act, at_ms=ms(when))
    if use.late is None:
        activity.log_out(target, session, at_ms=ms(use.ended_at) - 30_000)
    return _end(stage, use, system, grant, session)


def _authorise(stage: Stage, use: Use, system: System) -> Grant:
    privilege = Privilege.objects.get(system=system)
    by = stage.organisation.by
    stage.move(system, use.asked_at)
    if use.asked.mode == "bypass":
        return opening.bypass(by=by(use.responder), privilege=privilege, asked=use.asked)
    request = requests.ask(by=by(use.responder), privilege=privilege, asked=use.asked)
    if use.own_approval_at:
        stage.move(system, use.own_approval_at)
        _try_own(stage, use, request)
    stage.move(system, use.decided_at)
    grant = opening.approve(by=by(use.approver), request=request)
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


def _end(stage: Stage, use: Use, system: System, grant: Grant, session: int) -> Grant:
    target = stage.move(system, use.ended_at)
    if use.late is not None and use.read_back_at is not None:
        controls.write(target, keep_sessions=True)
        stage.move(system, use.ended_at + timedelta(minutes=1))
        ending.run(grant.pk)
        when, act = use.late
        activity.do(stage.move(system, when), session, act, at_ms=ms(when))
        controls.write(target)
        stage.move(system, use.read_back_at)
    else:
        actions.give_back(by=stage.organisation.by(use.responder), grant=grant)
    return ending.run(grant.pk)


def beats(stage: Stage, until: datetime, done: list[datetime]) -> None:
    """Once a day, a marked act on each simulated target, as the running portal does every half minute. ``done`` holds the last day."""
    simulated = [system for system in stage.organisation.systems.values() if system.connector == "simulated"]
    while done[-1] + timedelta(days=1) < until:
        done.append(done[-1] + timedelta(days=1))
        for system in simulated:
            target = stage.move(system, done[-1])
            nonce = secrets.token_hex(12)
            connector_of(system).heartbeat(target, nonce)
            note_heartbeat(by=process("demo"), system=system, nonce=nonce)
            stage.release(system)


@action(event="source.heartbeat_sent")
def note_heartbeat(*, by: Actor, system: System, nonce: str) -> None:
    """Put on record that a marked act was done on the target."""
    append(
        "source.heartbeat_sent", by=by, subject=f"source:{system.pk}", source_id=system.pk, system_id=system.pk, nonce=nonce, sent_at=ms(now()),
    )  # fmt: skip
