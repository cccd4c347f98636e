"""Each kind of alert has its words and says all that it needs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from audit.events.spec import Field
from portal.clock import now
from portal.notifications.kinds import KINDS
from portal.notifications.messages import message_of, words
from portal.notifications.models import Alert
from portal.people.models import Person

AT = datetime(2026, 11, 24, 17, 25, tzinfo=UTC)
SECRETS = ("password", "secret", "verifier", "token", "code")


def value(field: Field) -> object:
    return {"int": 2, "bool": 1, "time": AT, "list": ["one-word", "two-word"]}.get(field.kind, f"word-of-{field.name}")


def alert_of(kind: str, *, zone: str = "UTC", optional: bool = True) -> Alert:
    given = {field.name: value(field) for field in KINDS[kind].facts if optional or not field.optional}
    person = Person(name="Ines", email="ines@example.org", time_zone=zone)
    return Alert(recipient=person, kind=kind, facts=KINDS[kind].take(kind, given), path="/requests/1/", queued_at=now())


def test_kinds_and_templates_are_the_same() -> None:
    folder = Path(settings.BASE_DIR) / "templates" / "emails"
    assert {file.stem for file in folder.glob("*.txt")} == {*KINDS, "frame"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_every_fact_it_may_have(kind: str) -> None:
    subject, body = words(alert_of(kind))
    unsaid = [
        field.name for field in KINDS[kind].facts
        if field.kind in ("text", "list", "time") and field.name not in ("mode", "person")
        and {"time": "24 Nov 2026, 17:25 UTC", "list": "one-word, two-word"}.get(field.kind, f"word-of-{field.name}") not in subject + body
    ]  # fmt: skip
    assert unsaid == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_reads_well_with_the_needed_facts_alone(kind: str) -> None:
    message = message_of(alert_of(kind, optional=False))
    assert message.subject
    assert not message.subject.startswith("Subject:")
    assert all(each not in message.text + message.html for each in ("None", "{{", "{%", "\n\n\n", "  \n", ": \n"))
    assert message.text.count("http://localhost:8000/requests/1/") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_has_a_fact_that_is_a_secret(kind: str) -> None:
    assert [field.name for field in KINDS[kind].facts if any(word in field.name for word in SECRETS)] == []


def test_times_stand_in_utc_with_the_recipients_zone_beside() -> None:
    body = words(alert_of("grant.ending_soon", zone="Europe/Berlin"))[1]
    assert "24 Nov 2026, 17:25 UTC (18:25 Europe/Berlin)" in body


def test_zone_that_nobody_knows_leaves_utc() -> None:
    assert "24 Nov 2026, 17:25 UTC." in words(alert_of("grant.ending_soon", zone="../etc/passwd"))[1]
