"""Who is told, once each, in the transaction of what is told."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.log.append import process
from audit.log.read import named
from portal.clock import ms, now
from portal.notifications.channels import UnknownChannel
from portal.notifications.kinds import UnknownKind, WrongFacts
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from tests.portal.notifications.conftest import FACTS, queue
from tests.worlds import World

OUTBOX = process("test")


def test_tell_writes_one_row_and_one_event_for_each_recipient(world: World) -> None:
    queue(
        world,
        "ines",
        "ines",
        "jon",
        addresses=["security@breakglass.example", "", "other@example.org"],
        case="c-1",
        grant_id=world.system.pk,
    )
    told = {(alert.recipient_id, alert.address) for alert in Alert.objects.all()}
    assert told == {
        (world.ines.pk, ""),
        (world.jon.pk, ""),
        (None, "security@breakglass.example"),
        (None, "other@example.org"),
    }
    events = named(["alert.queued"])
    assert {event.fields["recipient_id"] for event in events} == {
        str(world.ines.pk),
        str(world.jon.pk),
        "list:security",
        "list:other",
    }
    assert {(event.case, event.fields["grant_id"], event.fields["receipts"]) for event in events} == {
        ("c-1", str(world.system.pk), 0)
    }
    assert {event.subject for event in events} == {alert.log_subject for alert in Alert.objects.all()}


def test_tell_leaves_out_who_has_left(world: World) -> None:
    world.jon.left_at = now()
    assert [alert.recipient for alert in queue(world, "jon", "ines")] == [world.ines]


def test_tell_keeps_nothing_when_the_action_is_rolled_back(world: World) -> None:
    with transaction.atomic():
        tell(by=OUTBOX, people=[world.ines], kind="system.problem", path="/", facts=FACTS)
        transaction.set_rollback(True)
    assert (Alert.objects.count(), named(["alert.queued"])) == (0, [])


def test_tell_costs_the_same_for_one_and_for_many(world: World) -> None:
    counts = []
    for names in (["ines"], ["ines", "jon", "kim", "lea", "mo"]):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            queue(world, *names)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_tell_keeps_times_as_milliseconds_and_drops_what_is_empty(world: World) -> None:
    at = now()
    alert = queue(world, "ines", kind="system.problem", facts={**FACTS, "at": at, "system": ""})[0]
    assert alert.facts == {**FACTS, "at": ms(at)}


@pytest.mark.parametrize(
    ("kind", "facts", "error"),
    [
        ("system.unknown", FACTS, UnknownKind),
        ("system.problem", {**FACTS, "password": "x"}, WrongFacts),
        ("system.problem", {"title": "only"}, WrongFacts),
        ("system.problem", {"title": "", "sentence": "empty is missing"}, WrongFacts),
    ],
)
def test_tell_refuses_what_it_does_not_know(
    world: World, kind: str, facts: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        queue(world, "ines", kind=kind, facts=facts)
    assert not Alert.objects.exists()


def test_tell_refuses_an_unknown_channel(world: World) -> None:
    with pytest.raises(UnknownChannel):
        queue(world, "ines", over="pigeon")


def test_tell_takes_hostile_facts_without_an_error(world: World) -> None:
    hostile = "a\x00b\ud800c\u202ed\r\nBcc: e@example.org" + "x" * 1_000_000
    kept = queue(world, "ines", facts={"title": hostile, "sentence": "s"})[0]
    kept.refresh_from_db()
    assert kept.facts["title"].startswith("a\ufffdb\ufffdc\ufffdd / Bcc: e@example.orgxxx")
    assert len(kept.facts["title"]) == 4_000
