"""One table of jobs for both triggers; each runs twice without harm, by a real worker and by watch."""

import inspect
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery.contrib.testing.worker import start_worker
from django.db import transaction
from django.utils.module_loading import import_string

from audit.cases.models import CaseRow
from audit.log.append import append, clock, now_ms, process
from audit.log.models import Heartbeat, QueueEntry
from audit.log.read import follow, named, size
from audit.packs.actions import request_pack
from portal import jobs, tasks
from portal.access_requests.models import AccessRequest
from portal.celery import app
from portal.clock import now
from portal.findings.models import Finding
from portal.grants.models import Grant
from portal.notifications.models import Alert
from tests.portal.notifications.conftest import queue
from tests.portal.reconciliation.conftest import declare
from tests.servers import MailSink, wait_until
from tests.worlds import World, actor, make_world, opened, overdue, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
DAY_MS = 86_400_000


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def mail(mail_sink: MailSink, settings: object) -> MailSink:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False  # type: ignore[attr-defined]
    return mail_sink


@pytest.fixture
def _worker(settings: object) -> Iterator[None]:
    """A real worker on the real broker, in a thread so that it has the test's database."""
    app.loader.import_default_modules()
    app.conf.update(broker_url=settings.REDIS_URL)  # type: ignore[attr-defined]
    with app.connection_for_write() as broker:
        broker.default_channel.queue_purge("celery")  # type: ignore[attr-defined]  # kombu's real channel has it
    with start_worker(app, perform_ping_check=False, pool="solo", shutdown_timeout=30):
        yield


def test_every_beat_job_has_its_task_and_its_place_in_the_schedule() -> None:
    app.loader.import_default_modules()
    wanted = {jobs.task_name(work) for work in jobs.WORKS if work.beat_s} | {"portal.beat"}
    assert set(app.conf.beat_schedule) == wanted
    assert {name for name in app.tasks if name.startswith("portal.")} >= wanted
    assert {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()} == {
        "portal.beat": 5, "portal.sweep": 5, "portal.rotations": 10, "portal.lapses": 5, "portal.tiers": 5, "portal.outbox": 2, "portal.receivers": 2,
        "portal.channels": 30, "portal.outages": 30, "portal.refusals": 30, "portal.drills": 60, "portal.duties": 300, "portal.resets": 60,
        "portal.intake": 5, "portal.cases": 2, "portal.acts": 2, "portal.retests": 10, "portal.completeness": 10,
        "portal.reviews": 30, "portal.findings": 60, "portal.campaigns": 60, "portal.dossiers": 5, "portal.heartbeats": 10,
        "portal.listings": 300, "portal.checks": 300, "portal.erasures": 60, "portal.cuts": 60, "portal.expiries": 21600,
        "portal.removals": 60, "portal.backups": 60, "portal.rehearsals": 3600, "portal.backup-lateness": 300, "portal.log-lateness": 30,
        "portal.comparison": 3600, "portal.personnel": 3600,
        "portal.dossier-mails": 5, "portal.packs": 10, "portal.contracts": 60,
        "portal.anchors": 60, "portal.locks": 60, "portal.guards": 600, "portal.timestamps": 60, "portal.pack-timestamps": 60,
    }  # fmt: skip


def test_demo_rehearses_soon_after_its_first_backup_and_does_all_else_as_ever() -> None:
    demo, ever = (
        {name: entry["schedule"] for name, entry in jobs.schedule(demo=each).items()} for each in (True, False)
    )
    assert {name: demo[name] for name in demo if demo[name] != ever[name]} == {"portal.rehearsals": 60}
    assert demo["portal.rehearsals"] <= demo["portal.backups"]
    assert demo.keys() == ever.keys()


@pytest.mark.parametrize("work", jobs.WORKS, ids=lambda work: work.name)
def test_each_job_is_a_function_that_takes_what_it_is_given(work: jobs.Work) -> None:
    for trigger in (jobs.BEAT, jobs.WATCH):
        inspect.signature(import_string(work.run)).bind(**work.job(trigger).given())


def busy(world: World) -> Grant:
    """Something to do for every job: a grant that is overdue, a request nobody answered, an orphan session, a pack that was asked for ..."""
    declare(world)
    grant = overdue(opened(world))
    forgotten = request_of(world, "ben")
    AccessRequest.objects.filter(pk=forgotten.pk).update(lapses_at=now())
    with transaction.atomic():
        append(
            "session.unmatched", by=process("test"), source_id=world.system.pk, system_id=world.system.pk, session_id=uuid.uuid4(),
            source_session="s", login="eve", started_at=now_ms(), why="undeclared_login", received_at=now_ms(),
        )  # fmt: skip
    request_pack(
        by=actor(world.otto), start=now_ms() - 90 * DAY_MS, end=now_ms() - DAY_MS, systems=[str(world.system.pk)],
        frameworks=["soc2"], purpose="Yearly examination of controls",
    )  # fmt: skip
    return grant


def names_written(since: int) -> set[str]:
    """Names of what was written after so many events; once nothing waits for the sealer."""
    wait_until(lambda: not QueueEntry.objects.exists(), "the sealer")
    return {event.name for event in follow(since) if event.name != "configuration.changed"}


EFFECTS = {
    "sweep": {"grant.expired", "grant.closing", "grant.read_back", "grant.ended", "alert.queued"},
    "rotations": set(),  # no sealed account here
    "lapses": {"request.lapsed", "alert.queued"},
    "resets": set(),
    "tiers": set(),  # this policy has none; tests/portal/access_requests/test_tiers.py has
    "outbox": {"alert.sent"},
    "receivers": set(),  # nobody listens here; tests/portal/notifications/webhook has receivers
    "channels": set(),  # all of them work
    "outages": set(),  # there was none; tests/portal/notifications/test_outages.py has each
    "refusals": set(),  # nobody is refused here; tests/portal/grants/test_refusals.py
    "intake": {"finding.raised", "alert.queued"},
    "cases": set(),
    "acts": set(),
    "retests": set(),  # writes the list of cases, and no event
    "completeness": {"completeness.judged"},
    "reviews": {"review.due", "alert.queued"},
    "findings": {"alert.queued"},
    "campaigns": {"duty.set"},
    "drills": set(),
    "duties": set(),  # nothing is overdue for a day; tests/portal/duties has what is
    "personnel": set(),  # no list waits here
    "contracts": set(),  # nobody works for another company here; tests/portal/personnel/test_contracts.py has who does
    "dossiers": {"dossier.made"},
    "dossier-mails": {"alert.queued"},
    "removals": set(),  # nobody is erased, and nothing cut
    "packs": {"pack.made"},
    "watchdogs": set(),  # a simulated target has none; tests/targets holds one on a real target
    "heartbeats": {"source.heartbeat_sent"},
    "listings": {"target.listed"},
    "checks": {"log.checked"},
    "backups": set(),  # no place is set here; tests/audit/log/backup has one
    "rehearsals": set(),
    "backup-lateness": set(),
    "log-lateness": set(),  # all is on time here; tests/audit/log/test_lateness.py
    "cuts": set(),  # nothing is old enough; tests/portal/erasing/test_cuts.py
    "expiries": {"retention.set"},  # likewise, but it says the terms
    "anchors": set(),  # no witness is listed; tests/audit/log/test_anchors.py has one
    "locks": set(),  # no bucket is set; tests/audit/log/test_locked.py has one
    "guards": {"log.guards_checked"},
    "timestamps": set(),  # no authority is set; tests/audit/log/test_timestamps.py has one
    "pack-timestamps": set(),  # likewise
    "erasures": set(),  # nobody is to be erased here; tests/portal/erasing holds one
    "comparison": {"reconciliation.compared"},
}
ONE_PAGE = "<html><body><p>A pack</p></body></html>"


def test_each_job_run_twice_does_its_work_once(world: World, mail: MailSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the table, so that each finds what those before it left."""
    monkeypatch.setattr("audit.packs.paper.filled", lambda *_, **__: ONE_PAGE)
    runs: list[dict[str, set[str]]] = [{}, {}]
    with sealing():
        grant = busy(world)
        for work in jobs.WORKS:
            if work.name == "outbox":
                Alert.objects.update(queued_at=now() - timedelta(seconds=11))  # watch leaves younger ones to the worker
            elif work.name == "findings":
                Finding.objects.update(due_at=now())
            at = now_ms() + (60_000 if work.name == "dossiers" else 0)  # it waits no longer for a verdict
            for written in runs:
                names_written(0)
                since = size()
                with clock(lambda at=at: at):  # type: ignore[misc]  # the moment of both runs
                    work.job(jobs.WATCH).once()
                if work.name == "sweep":  # who is slow goes on beside the next look
                    wait_until(lambda: Grant.objects.get(pk=grant.pk).state == "ended", "the grant to be ended")
                written[work.name] = names_written(since)
    import_string(jobs.AT_END[0])()
    assert runs == [EFFECTS, {name: set() for name in EFFECTS}]
    assert (CaseRow.objects.count(), Finding.objects.count(), Grant.objects.count()) == (2, 1, 1)
    assert len(mail.mails()) == len(named(["alert.sent"]))


def test_task_says_that_it_came_to_an_end() -> None:
    app.loader.import_default_modules()
    for name in ("task:lapses", "task:intake"):
        tasks._said.pop(name, None)
    app.tasks["portal.lapses"]()
    assert set(Heartbeat.objects.values_list("process", flat=True)) == {"task:lapses"}


def test_watch_leaves_fresh_alerts_to_the_worker(world: World, mail: MailSink) -> None:
    queue(world, "ines")
    (outbox,) = [work for work in jobs.WORKS if work.name == "outbox"]
    assert outbox.job(jobs.WATCH).once() == 0
    Alert.objects.update(queued_at=now() - timedelta(seconds=11))
    assert outbox.job(jobs.WATCH).once() == 1


@pytest.mark.usefixtures("_worker")
def test_tasks_sent_twice_have_one_effect(world: World, mail: MailSink) -> None:
    with sealing():
        grant = overdue(opened(world))
        alerts = Alert.objects.count()
        for name in ("portal.sweep", "portal.outbox", "portal.beat") * 2:
            app.send_task(name)
        wait_until(lambda: Grant.objects.get(pk=grant.pk).state == "ended", "the sweep")
        wait_until(lambda: Heartbeat.objects.filter(process="worker").exists(), "the worker's heartbeat")
        app.send_task("portal.outbox")
        wait_until(lambda: not Alert.objects.filter(sent_at__isnull=True).exists(), "the outbox")
    assert len(named(["grant.ended"])) == 1
    assert len(mail.mails()) == len(named(["alert.sent"])) == Alert.objects.count() > alerts
    assert Heartbeat.objects.filter(process="sweep:beat").exists()


def test_beat_says_that_it_lives_once_the_broker_took_its_message(settings: object) -> None:
    app.loader.import_default_modules()
    Heartbeat.objects.all().delete()
    app.send_task("portal.beat")
    assert Heartbeat.objects.filter(process="beat").exists()


def test_alerts_leave_with_broker_and_worker_dead(world: World, mail: MailSink, settings: object) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    queue(world, "ines", "jon")
    Alert.objects.update(queued_at=now() - timedelta(seconds=11))
    for job in jobs.watched():
        if job.name == "outbox":
            job.once()
    assert sorted(each.recipients[0] for each in mail.mails()) == ["ines@example.org", "jon@example.org"]
