"""The log's check of itself: once a day, against what is published as well, on record and with an alarm."""

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from audit.log import append, checking
from audit.log.append import clock, process
from audit.log.cosignature import CosignerKey
from audit.log.examination import examine
from audit.log.heartbeats import beat
from audit.log.locks import Lock
from audit.log.models import Cosignature, Heartbeat
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.sources import SourceUnavailable
from tests.audit.log.logged import doctored, run_signer, sealed
from tests.servers import superuser_url
from tests.witnesses import ONE

pytestmark = pytest.mark.django_db
DAY_MS = 24 * 60 * 60 * 1000
BY = process("checker")


@pytest.fixture
def store(tmp_path: Path, settings: Any) -> DirectoryStore:
    settings.PORTAL_LOG_STORE = str(tmp_path / "log")
    return DirectoryStore(tmp_path / "log")


def published(store: DirectoryStore, more: int) -> None:
    sealed(more)
    publish_once(connection, store, [run_signer().verifier()])


def test_a_sound_log_is_said_to_be_so(store: DirectoryStore) -> None:
    published(store, 300)
    sealed(2)
    assert checking.check(by=BY).ok
    (event,) = named(["log.checked", "log.damage_found"])
    said = {name: event.fields.get(name) for name in ("ok", "size", "published", "unreachable", "personal", "erased")}
    assert (event.name, said) == (
        "log.checked", {"ok": 1, "size": 302, "published": 300, "unreachable": None, "personal": 604, "erased": 0},
    )  # fmt: skip


def test_it_is_done_once_a_day_however_often_it_is_asked(store: DirectoryStore) -> None:
    published(store, 1)
    begun = append.now_ms()
    done = []
    for after in (0, DAY_MS - 60_000, DAY_MS + 60_000, DAY_MS + 120_000):
        with clock(lambda after=after: begun + after):  # type: ignore[misc]  # the default binds it
            done.append(checking.run_due())
    assert (done, len(named(["log.checked"]))) == ([1, 0, 1, 0], 2)


def test_a_check_that_could_not_look_is_made_again_after_an_hour_once_the_store_answers(
    store: DirectoryStore, settings: Any
) -> None:
    published(store, 1)
    there, begun = settings.PORTAL_LOG_STORE, append.now_ms()
    done = []
    for minutes, place in ((0, "nowhere"), (50, there), (70, "nowhere"), (75, there), (200, there)):
        settings.PORTAL_LOG_STORE = place
        with clock(lambda minutes=minutes: begun + minutes * 60_000):  # type: ignore[misc]  # the default binds it
            done.append(checking.run_due())
    settings.PORTAL_LOG_STORE = "nowhere"
    with clock(lambda: begun + 2 * DAY_MS):
        done.append(checking.run_due())  # whether it answers or not
    assert (done, [each.fields.get("unreachable") for each in named(["log.checked"])]) == (
        [1, 0, 0, 1, 0, 1],
        [1, None, 1],
    )


def test_damage_of_what_is_published_is_named_and_alarms(
    store: DirectoryStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.alarms, "propagate", True)
    published(store, 300)
    (store.folder / "tile/entries/000").unlink()
    assert not checking.check(by=BY).ok
    damage, checked = named(["log.damage_found"])[0], named(["log.checked"])[0]
    assert damage.fields["damages"] == [
        "Published: entries missing: entries 0 to 255, tile/entries/000. They are not there."
    ]
    assert (checked.fields["ok"], "The log is damaged: Published: entries missing" in caplog.text) == (0, True)


def test_a_database_set_back_behind_what_is_published_is_damage(store: DirectoryStore) -> None:
    published(store, 3)
    doctored("TRUNCATE audit_checkpoint, audit_sealed_entry, audit_tile")
    sealed(2)
    (sentence,) = checking.check(by=BY).sentences()[:1]
    assert sentence.startswith("Entry 2 does not verify: Entry 2 is missing.")


def test_a_store_that_does_not_answer_is_no_damage_and_said(store: DirectoryStore) -> None:
    published(store, 1)
    report = examine([run_signer().verifier()], published=Failing())
    assert (report.ok, report.unreachable) == (True, "The bucket portal answers 503.")


class Failing:
    def read(self, path: str) -> bytes | None:  # noqa: ARG002 - it never comes to that
        raise SourceUnavailable("The bucket portal answers 503.")


def test_nothing_published_yet_is_no_damage(store: DirectoryStore) -> None:
    sealed(1)
    store.check()
    report = checking.check(by=BY)
    assert (report.ok, report.published) == (True, 0)


def gone(store: DirectoryStore, what: str) -> None:
    if what == "checkpoint":
        (store.folder / "checkpoint").unlink()
    else:
        shutil.rmtree(store.folder)


@pytest.mark.parametrize("said_by", ["check", "sealer"])
@pytest.mark.parametrize("what", ["checkpoint", "folder"])
def test_a_published_log_that_vanished_is_damage_at_every_check(store: DirectoryStore, what: str, said_by: str) -> None:
    published(store, 3)
    if said_by == "check":
        assert checking.check(by=BY).ok
    else:
        beat("sealer", {"published": 3})
    gone(store, what)
    found = [checking.check(by=BY).sentences()[-1] for _ in range(2)]
    assert found == ["Published: 3 entries were published before, and 0 are now."] * 2


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_check_that_says_it_saw_more_than_there_was_makes_no_later_log_damaged(
    store: DirectoryStore, is_sealed: bool
) -> None:
    """Whoever may insert an event may write one of these; the sealer and other processes write heartbeats."""
    published(store, 3)
    with transaction.atomic():
        append.append(
            "log.checked", by=BY, ok=True, size=3, checkpoints=1, published=2**40, personal=6, erased=0, waiting=0, took_ms=1
        )  # fmt: skip
    if is_sealed:
        published(store, 1)
    beat("sealer", {"published": 2**40})
    assert checking.check(by=BY).sentences() == []
    Heartbeat.objects.update(detail=["published"])
    assert checking.check(by=BY).sentences() == []


def test_a_store_set_back_to_an_older_checkpoint_is_damage(store: DirectoryStore) -> None:
    published(store, 3)
    older = (store.folder / "checkpoint").read_bytes()
    published(store, 2)
    assert checking.check(by=BY).ok
    (store.folder / "checkpoint").write_bytes(older)
    assert checking.check(by=BY).sentences() == ["Published: 5 entries were published before, and 3 are now."]
    assert [each.fields["ok"] for each in named(["log.checked"])] == [1, 0]


def test_a_kept_line_that_is_no_cosignature_is_damage(store: DirectoryStore, settings: Any) -> None:
    sealed(2)
    key: CosignerKey = ONE.cosigner()
    settings.PORTAL_LOG_WITNESSES = f"retired {key.text()}"
    Cosignature.objects.create(size=2, witness=key.text(), line="— witness.example/w1 AAAAAAAAAAAA", signed_at=1)
    assert checking.check(by=BY).sentences() == ["1 cosignature does not verify, first 2 by witness.example/w1."]


def test_a_check_that_runs_elsewhere_is_not_made_twice(store: DirectoryStore) -> None:
    published(store, 1)
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [Lock.CHECK])
        assert (checking.run_due(), named(["log.checked"])) == (0, [])
        # A session that ends lets go a moment later.
        other.execute("SELECT pg_advisory_unlock(%s)", [Lock.CHECK])
    assert checking.run_due() == 1


def test_a_setting_that_names_no_store_leaves_the_stored_log_checked_and_alarms(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.alarms, "propagate", True)
    settings.PORTAL_LOG_STORE = "nowhere"
    sealed(2)
    assert checking.check(by=BY).ok
    (event,) = named(["log.checked"])
    assert (event.fields["ok"], event.fields["unreachable"], event.fields["size"]) == (1, 1, 2)
    assert {record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"} == {
        "What is published of the log could not be checked: PORTAL_LOG_STORE names no store, so checkpoint cannot be read."
    }
