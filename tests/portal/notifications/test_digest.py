"""Reminders come once a day in one message; nothing else ever waits."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from audit.log.read import named
from portal.clock import ms, now
from portal.embedded import ports
from portal.notifications.digest import HOUR, REMINDERS, leaves_at, next_digest
from portal.notifications.kinds import KINDS
from portal.notifications.models import Alert
from portal.notifications.sending import send_due
from portal.people.models import Person
from tests.portal.notifications.conftest import queue
from tests.portal.notifications.test_sending import read
from tests.servers import MailSink
from tests.worlds import World

DAY = timedelta(days=1)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "Africa/Cairo"])
def test_year_has_one_digest_each_day_across_clock_changes_and_leap_day(zone: str) -> None:
    here, at, found = ZoneInfo(zone), datetime(2027, 12, 30, 23, 59, tzinfo=UTC), []
    for _ in range(400):  # 2028 has a leap day
        following = next_digest(at, here)
        assert timedelta(0) < following - at <= timedelta(hours=25)
        found.append(following)
        at = following
    local = [each.astimezone(here) for each in found]
    assert {each.hour for each in local} == {HOUR}
    assert [later.date() - earlier.date() for earlier, later in pairwise(local)] == [DAY] * 399


def test_only_reminders_wait_and_never_past_what_they_remind_of() -> None:
    at, person = datetime(2026, 3, 3, 22, 0, tzinfo=UTC), Person(name="Kim", time_zone="Europe/Berlin")
    morning = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
    assert {kind for kind in KINDS if leaves_at(kind, person, None, at) != at} == REMINDERS
    for kind in REMINDERS:
        assert leaves_at(kind, person, ms(morning + DAY), at) == morning
        assert leaves_at(kind, person, ms(morning - timedelta(hours=1)), at) == at  # due before the digest
        assert leaves_at(kind, person, ms(at - DAY), at) == at  # overdue
        assert leaves_at(kind, None, None, at) == at


def remind(world: World, *titles: str) -> list[Alert]:
    return [
        queue(world, "kim", kind="finding.due", facts={"title": title, "due_at": now() + 9 * DAY})[0]
        for title in titles
    ]


def test_reminders_of_a_day_leave_in_one_message_and_each_keeps_its_life(
    world: World, mail_sink: MailSink, settings: object
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False  # type: ignore[attr-defined]
    remind(world, "First thing", "Second thing", "Third thing")
    queue(world, "kim")
    assert send_due() == 1  # what is no reminder does not wait
    then = next_digest(now(), ZoneInfo("UTC"))
    assert send_due(now=then - timedelta(seconds=1)) == 0
    with override_settings(EMAIL_PORT=ports.free_port()):
        assert send_due(now=then) == 0
    assert send_due(now=then + timedelta(minutes=1)) == 3
    mails = {str(each["Subject"]): each for each in map(read, (each.content for each in mail_sink.mails()))}
    assert set(mails) == {"The target does not answer", "3 reminders: what waits for you"}
    body = mails["3 reminders: what waits for you"].get_body(("plain",))
    said = body.get_content() if body else ""
    assert [title for title in ("First thing", "Second thing", "Third thing") if title not in said] == []
    assert all(each.sent_at for each in Alert.objects.all())
    assert len(named(["alert.sent"])) == 4


def test_single_reminder_is_a_message_of_its_own(world: World, mail_sink: MailSink, settings: object) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False  # type: ignore[attr-defined]
    remind(world, "Only thing")
    assert send_due(now=now() + DAY) == 1
    assert "Only thing" in str(read(mail_sink.mails()[-1].content)["Subject"])
