"""What is done again and again, and how often. One table for both triggers: beat sends tasks, ``manage.py watch`` runs jobs.

Each job finds in the database what is due, so it does not matter who runs it, how often, or at the same time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.log.append import now_ms
from portal.loops import Job

BEAT, WATCH = "beat", "watch"
TASK = "task"
"""How the heartbeat of a job that a worker brought to an end is named: ``task:outbox``."""
LAST_RESORT = timedelta(seconds=6)  # with the interval of two, whatever the worker leaves has left after ten
SEVERAL = 3  # intervals without a success


@dataclass(frozen=True)
class Work:
    """One job: its function by dotted name, and its interval (s) for each trigger; 0 where it is not that trigger's."""

    name: str
    run: str
    beat_s: float
    watch_s: float

    def job(self, trigger: str) -> Job:
        """As a job of a loop, or of a task."""
        every = self.watch_s if trigger == WATCH else self.beat_s
        return Job(self.name, self.run, every, lambda: _given(self.name, trigger))


def _given(name: str, trigger: str) -> Mapping[str, Any]:
    if name == "sweep":
        return {"trigger": trigger, "patience_s": 1.0}  # who is slow goes on beside the next look
    if name == "completeness":
        return {"now": now_ms()}
    if name in ("outbox", "receivers"):  # the worker is first; what it leaves is sent in any case
        return {"apart": name == "receivers"} | ({"older_than": LAST_RESORT} if trigger == WATCH else {})
    return {}


WORKS: tuple[Work, ...] = (
    Work("sweep", "portal.grants.sweep.run_due", 5, 1),
    Work("rotations", "portal.sealed.rotating.run_due", 10, 10),
    Work("lapses", "portal.access_requests.sweep.lapse_due", 5, 5),
    Work("tiers", "portal.access_requests.sweep.pass_on_due", 5, 5),
    Work("resets", "portal.eligibility.resetting.lapse_due", 60, 60),
    Work("outbox", "portal.notifications.sending.send_due", 2, 2),
    Work("receivers", "portal.notifications.sending.send_due", 2, 2),  # apart, so that a slow receiver holds up no mail
    Work("channels", "portal.notifications.late.tell_late", 30, 30),
    Work("outages", "portal.notifications.outages.run", 30, 30),
    Work("refusals", "portal.grants.refusals.tell_due", 30, 30),
    Work("intake", "portal.findings.intake.run", 5, 5),
    Work("cases", "audit.cases.projection.catch_up", 2, 3),
    Work("acts", "audit.cases.acts_following.catch_up", 2, 3),
    Work("completeness", "audit.completeness.run.judge_due", 10, 10),
    Work("reviews", "portal.reviews.sweep.run_due", 30, 30),
    Work("findings", "portal.findings.sweep.remind_due", 60, 60),
    Work("campaigns", "portal.campaigns.sweep.run_due", 60, 60),
    Work("drills", "portal.drills.sweep.run_due", 60, 60),
    Work("duties", "portal.duties.sweep.run_due", 300, 300),
    Work("personnel", "portal.personnel.sweep.discard_due", 3600, 3600),
    Work("contracts", "portal.personnel.sweep.end_contracts_due", 60, 60),
    Work("dossiers", "audit.packs.dossiers.make_due", 5, 15),
    Work("dossier-mails", "portal.notifications.dossiers.run", 5, 5),
    Work("removals", "audit.packs.removing.run_due", 60, 300),
    Work("packs", "audit.packs.jobs.run_due", 10, 15),
    Work("retests", "audit.packs.retests.run_due", 10, 30),
    Work("watchdogs", "portal.grants.watchdogs.hold", 0, 10),  # held by a process that stays
    Work("heartbeats", "portal.reconciliation.heartbeats.send_due", 10, 2),
    Work("listings", "portal.reconciliation.listings.take_due", 300, 60),
    Work("checks", "audit.log.checking.run_due", 300, 900),
    Work("backups", "audit.log.backup.hourly.run_due", 60, 0),  # for the worker alone, as erasures
    Work("rehearsals", "audit.log.backup.rehearsing.run_due", 3600, 0),
    Work("backup-lateness", "audit.log.backup.lateness.run_due", 300, 300),
    Work("log-lateness", "audit.log.lateness.run_due", 30, 30),
    Work("anchors", "audit.log.anchors.run_due", 60, 300),
    Work("locks", "audit.log.locked.run_due", 60, 300),
    Work("guards", "audit.log.guards.run_due", 600, 3600),
    Work("timestamps", "audit.log.timestamps.taking.run_due", 60, 300),
    Work("pack-timestamps", "audit.packs.timestamps.run_due", 60, 300),
    Work("erasures", "portal.erasing.carrying_out.run_due", 60, 0),  # with the eraser's rights, which watch has not
    Work("cuts", "portal.erasing.carrying_cuts.run_due", 60, 0),  # likewise
    Work("expiries", "portal.erasing.expiring.run_due", 21600, 0),  # likewise
    Work("comparison", "portal.reconciliation.comparing.compare_due", 3600, 3600),
)
IN_DEMO: Mapping[str, float] = {"rehearsals": 60}
"""How often (s) beat sends some of them in a demo: the first rehearsal is due with the first backup, and few watch a demo for an hour."""
AT_END = ("portal.grants.watchdogs.release",)


def overdue_after(name: str, trigger: str) -> timedelta | None:
    """How old the last success of a job may be; ``None`` for what is not the trigger's.

    Several of its intervals, and a minute at least: whoever has much to do, or waits for a target, hangs not yet.
    """
    every = next((work.watch_s if trigger == WATCH else work.beat_s for work in WORKS if work.name == name), 0)
    return max(SEVERAL * timedelta(seconds=every), timedelta(minutes=1)) if every else None


def watched() -> list[Job]:
    """The jobs of ``manage.py watch``."""
    return [work.job(WATCH) for work in WORKS if work.watch_s]


def task_name(work: Work) -> str:
    """The name of its task."""
    return f"portal.{work.name}"


def schedule(*, demo: bool) -> dict[str, dict[str, Any]]:
    """Beat's schedule. A message that nobody took until the next one expires: nothing piles up while workers are away."""
    sooner = IN_DEMO if demo else {}
    entries = {task_name(work): sooner.get(work.name, work.beat_s) for work in WORKS if work.beat_s} | {
        "portal.beat": 5.0
    }
    return {
        name: {"task": name, "schedule": every, "options": {"expires": max(every, 5)}}
        for name, every in entries.items()
    }
