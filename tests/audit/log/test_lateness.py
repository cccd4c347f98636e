"""What keeps the log and stops is told once for each outage, and once when it is over."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from audit.log import checking, lateness
from audit.log.append import append, clock, now_ms, process
from audit.log.heartbeats import beat
from audit.log.models import Cosignature, Heartbeat
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.signing import SignerKey
from audit.log.stores.directory import DirectoryStore
from portal.clock import moment
from tests.at_once import at_once
from tests.audit.log.logged import appended, run_signer, sealed
from tests.witnesses import ONE, OTHER

pytestmark = pytest.mark.django_db(transaction=True)
HOUR_S = 3600
STAMP: dict[str, Any] = {"size": 1, "sha256": "aa", "token_sha256": "bb", "authority": "CN=Times", "at": 1}


@pytest.fixture(autouse=True)
def nothing_set(settings: Any) -> None:
    settings.PORTAL_LOG_STORE = settings.PORTAL_LOG_WITNESSES = settings.PORTAL_TIMESTAMP_URL = ""


BEGUN: list[int] = []


@pytest.fixture(autouse=True)
def begun() -> None:
    BEGUN[:] = [now_ms()]


def lives(at_s: float, **detail: Any) -> None:
    """The sealer says so many seconds from now that it lives."""
    beat("sealer", detail)
    Heartbeat.objects.filter(process="sealer").update(at=moment(BEGUN[0] + round(at_s * 1000)))


def look(at_s: float, *, sealer: bool = True, seals: bool = True, **detail: Any) -> int:
    """What is told at a look so many seconds from now; the sealer lives, and what was told is sealed, unless that is said."""
    if sealer:
        lives(at_s, **detail)
    with clock(lambda: BEGUN[0] + round(at_s * 1000)):
        told = lateness.run_due()
    if seals:
        sealed(0)
    return told


def looks(*at_s: float, **given: Any) -> list[int]:
    return [look(each, **given) for each in at_s]


def said() -> list[tuple[str, str]]:
    return [(event.name, event.fields["what"]) for event in named(["log.late", "log.on_time"])]


def test_events_that_wait_are_an_outage_that_is_told_once_and_ends_with_their_seal() -> None:
    with clock(lambda: BEGUN[0]):
        appended(1)
    assert looks(0, 29, 60, 90, 119, 121, 150, 180, seals=False) == [0, 0, 0, 0, 0, 1, 0, 0]
    (late,) = named(["log.late"])
    assert (late.subject, late.fields["since"]) == ("lateness:sealing", BEGUN[0])
    sealed(0)
    assert looks(190, 200) == [1, 0]
    (over,) = named(["log.on_time"])
    assert (over.fields["what"], over.fields["since"]) == ("sealing", late.fields["since"])


def test_a_sealer_that_is_dead_is_an_outage_though_nothing_waits() -> None:
    sealed(1)
    lives(0)
    assert looks(10, 20, 50, 79, 81, sealer=False, seals=False) == [0, 0, 0, 0, 1]
    assert said() == [("log.late", "sealing")]


def test_a_restart_of_everything_is_no_outage() -> None:
    sealed(1)
    lives(0)
    assert looks(10, 20, 10_000, 10_050, sealer=False) == [0, 0, 0, 0]
    assert looks(10_055) == [0]
    assert said() == []


def test_two_that_look_at_once_tell_once() -> None:
    with clock(lambda: BEGUN[0] - 100_000):
        appended(1)
    beat(lateness.LOOKED, {"at": BEGUN[0], "behind": {"sealing": BEGUN[0] - 70_000}})
    assert sum(each for each in at_once(4, lateness.run_due) if isinstance(each, int)) == 1
    assert said() == [("log.late", "sealing")]


def test_what_is_published_behind_what_is_sealed(settings: Any) -> None:
    settings.PORTAL_LOG_STORE = "/somewhere"
    sealed(3)
    assert looks(0, 29, published=0) == [0, 0]
    assert looks(60, 125, published=3) == [0, 0]
    assert looks(150, 180, 211, 240, published=2) == [0, 0, 1, 0]
    assert said() == [("log.late", "publication")]
    assert looks(250, 260, published=100) == [1, 0]
    assert said()[1:] == [("log.on_time", "publication")]


def test_of_what_only_the_sealer_knows_nothing_is_said_while_it_is_silent(settings: Any) -> None:
    settings.PORTAL_LOG_STORE = "/somewhere"
    sealed(3)
    lives(0, published=2)
    assert looks(40, 70, 101, 130, sealer=False, seals=False) == [0, 0, 1, 0]
    assert said() == [("log.late", "sealing")]


@pytest.mark.parametrize(("kind", "told"), [("required", [0, 1, 0, 0]), ("optional", [0, 0, 0, 1])])
def test_a_required_witness_is_late_after_seconds_and_an_optional_one_after_an_hour(
    settings: Any, kind: str, told: list[int]
) -> None:
    settings.PORTAL_LOG_WITNESSES = (
        f"{kind} {ONE.cosigner().text()} http://a\nrequired {OTHER.cosigner().text()} http://b"
    )
    sealed(2)
    cosigned(OTHER, range(30))
    cosigned(ONE, [10**6])  # a row beyond every entry says nothing
    assert looks(40, 101, HOUR_S + 60, HOUR_S + 121) == told
    name = f"witness {ONE.cosigner().name}"
    assert said() == [("log.late", name)]
    cosigned(ONE, range(30))
    assert (look(HOUR_S + 130), said()[1:]) == (1, [("log.on_time", name)])


def cosigned(by: SignerKey, sizes: Iterable[int]) -> None:
    """As many as are looked at, and more."""
    key = by.cosigner().text()
    Cosignature.objects.bulk_create(Cosignature(size=size, witness=key, line="-", signed_at=1) for size in sizes)


def stamped(at_s: float) -> None:
    with clock(lambda: BEGUN[0] + round(at_s * 1000)), transaction.atomic():
        append("log.timestamped", by=process("timestamps"), **STAMP)


def test_timestamps_of_which_the_last_is_too_old_and_never_one_of_the_future(settings: Any) -> None:
    settings.PORTAL_TIMESTAMP_URL = "http://nowhere"
    stamped(0)
    stamped(400 * 24 * HOUR_S)
    sealed(0)
    late = 2 * HOUR_S
    assert looks(late - 10, late + 10, *range(late + 100, late + 1000, 240)) == [0, 0, 0, 0, 0, 0]
    assert looks(late + 911) == [1]
    stamped(late + 920)
    sealed(0)
    assert looks(late + 930) == [1]
    assert said() == [("log.late", "timestamps"), ("log.on_time", "timestamps")]


def test_a_check_that_is_overdue(settings: Any) -> None:
    sealed(1)
    checking.check(by=checking.CHECKER)
    sealed(0)
    late = 26 * HOUR_S
    assert looks(late - 100, *range(late + 10, late + 900, 240), late + 911) == [0, 0, 0, 0, 0, 1]
    assert said() == [("log.late", "check")]


def test_a_check_that_could_not_look_at_what_is_published_until_one_could(settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_LOG_STORE = "nowhere"
    sealed(1)
    checking.check(by=checking.CHECKER)
    sealed(0)
    assert looks(1, 2, published=100) == [1, 0]
    (late,) = named(["log.late"])
    assert late.fields["sentence"] == "The daily check of the log could not look at what is published."
    settings.PORTAL_LOG_STORE = str(tmp_path)
    sealed(0)
    publish_once(connection, DirectoryStore(tmp_path), [run_signer().verifier()])
    checking.check(by=checking.CHECKER)
    sealed(0)
    assert looks(3, published=100) == [1]
    assert said() == [("log.late", "check"), ("log.on_time", "check")]
