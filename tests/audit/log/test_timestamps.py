"""Timestamps of an authority that is not ours: taken once an hour, kept, published, checked by us and by openssl."""

import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from audit.log.append import clock, now_ms
from audit.log.checkpoints import public_keys
from audit.log.errors import NotVerified, ParseError
from audit.log.examination import examine
from audit.log.models import Cosignature, StoredCheckpoint, Timestamp
from audit.log.publisher import Publisher
from audit.log.publishing import Head, publish_once, publish_timestamps
from audit.log.read import named
from audit.log.report import Report
from audit.log.sealing import last_signed
from audit.log.stores import Overtaken
from audit.log.stores.directory import DirectoryStore
from audit.log.timestamps import taking
from audit.log.timestamps.client import NotStamped, ask
from audit.log.timestamps.tokens import VerifiedTimestamp, parse_roots, query, verify_timestamp
from tests.audit.log.logged import sealed
from tests.authority import Authority, authority_in, serving

DATA, HOUR = b"what was stamped", 3_600_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with serving(authority_in(tmp_path_factory.mktemp("authority"))) as made:
        yield made


@pytest.fixture
def listed(authority: Authority, settings: Any) -> Authority:
    settings.PORTAL_TIMESTAMP_URL, settings.PORTAL_TIMESTAMP_ROOTS = authority.address, str(authority.root)
    authority.answers = True
    return authority


def roots(authority: Authority) -> Any:
    return parse_roots(authority.root.read_bytes())


def test_an_answer_is_believed_under_its_root_about_its_own_data_alone(authority: Authority, tmp_path: Path) -> None:
    before = now_ms()
    answer, found = ask(authority.address, DATA, roots(authority))
    assert (found.sha256, found.authority) == (hashlib.sha256(DATA).digest(), "CN=Authority of times")
    assert before - 1000 <= found.at <= now_ms()
    other = authority_in(tmp_path / "other")
    for sha256, trusted, nonce in (
        (hashlib.sha256(b"other").digest(), roots(authority), None),
        (found.sha256, roots(other), None),
        (found.sha256, roots(authority), 7),
    ):
        with pytest.raises(NotVerified):
            verify_timestamp(answer, sha256, trusted, nonce)
    with pytest.raises(NotStamped, match="is not believed"):
        ask(authority.address, DATA, roots(other))
    with pytest.raises(NotStamped, match="begins with http"):
        ask("file:///etc/passwd", DATA, roots(authority))
    with pytest.raises(TypeError):
        VerifiedTimestamp(found.sha256, found.at, found.authority)


@pytest.fixture(scope="module")
def answered(authority: Authority) -> bytes:
    return authority.reply(query(DATA).data)


@given(data=st.data())
def test_no_flipped_bit_lets_an_answer_speak_of_other_data_or_another_time(
    authority: Authority, answered: bytes, data: st.DataObject
) -> None:
    sound = verify_timestamp(answered, hashlib.sha256(DATA).digest(), roots(authority))
    bit = data.draw(st.integers(0, len(answered) * 8 - 1))
    wrong = bytearray(answered)
    wrong[bit // 8] ^= 1 << bit % 8
    try:
        found = verify_timestamp(bytes(wrong), hashlib.sha256(DATA).digest(), roots(authority))
    except (ParseError, NotVerified):
        return
    assert found == sound, "a bit that no signature covers says nothing"


@given(st.binary(max_size=200))
def test_any_bytes_are_no_answer(authority: Authority, data: bytes) -> None:
    with pytest.raises((ParseError, NotVerified)):
        verify_timestamp(data, hashlib.sha256(DATA).digest(), roots(authority))


@pytest.mark.django_db
def test_one_is_taken_in_each_hour_and_the_log_says_so(listed: Authority) -> None:
    sealed(3)
    asked, hour = listed.asked, now_ms() // HOUR * HOUR + 60_000
    with clock(lambda: hour):
        assert [taking.run_due(), taking.run_due()] == [1, 0]
    sealed(1)
    with clock(lambda: hour + HOUR):
        assert [taking.run_due(), taking.run_due(), listed.asked - asked] == [1, 0, 2]
    stamps = list(Timestamp.objects.order_by("size"))
    notes = dict(StoredCheckpoint.objects.values_list("size", "note"))
    events = named(["log.timestamped"])
    assert [bytes(each.sha256) for each in stamps] == [
        hashlib.sha256(notes[each.size or 0].encode()).digest() for each in stamps
    ]
    assert [each.fields["size"] for each in events] == [each.size for each in stamps]
    report = examine(public_keys(), roots=roots(listed))
    assert (report.ok, report.timestamps, report.timestamps_unverified) == (True, 2, 0)
    assert examine(public_keys()).timestamps_unverified == 2


@pytest.mark.django_db
def test_a_checkpoint_that_has_one_gets_no_second_while_nothing_is_sealed(listed: Authority) -> None:
    """The sealer is down for hours: a second answer about the same checkpoint would be said and not be kept, and the log be called damaged."""
    sealed(3)
    asked, hour = listed.asked, now_ms() // HOUR * HOUR + 60_000
    done = []
    for hours in (0, 1, 2):
        with clock(partial(int, hour + hours * HOUR)):
            done.append(taking.run_due())
    sealed(1)
    assert (done, listed.asked - asked) == ([1, 0, 0], 1)
    assert examine(public_keys(), roots=roots(listed)).sentences() == []
    with clock(partial(int, hour + 3 * HOUR)):
        assert taking.run_due() == 1


@pytest.mark.django_db
def test_an_authority_out_of_reach_is_said_once_and_again_with_an_alarm_when_it_lasts(
    listed: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    sealed(1)
    listed.answers, start = False, now_ms()
    for at in (start + minutes * 60_000 for minutes in (0, 1, 30, 61, 62, 200)):
        with clock(partial(int, at)):
            assert taking.run_due() == 0
    said = [(each.name, each.fields.get("late")) for each in named(taking.SAID)]
    assert said == [("log.timestamp_failed", None), ("log.timestamp_failed", 1)]
    assert [each.getMessage()[:40] for each in caplog.records if each.name == "breakglass.alarm"] == [
        "The log is not timestamped for over an h"
    ]
    listed.answers = True
    with clock(lambda: start + 201 * 60_000):
        assert taking.run_due() == 1
    assert named(taking.SAID)[-1].name == "log.timestamped"


@pytest.mark.django_db
@pytest.mark.parametrize("port", ["1", "none"])
def test_a_password_in_the_address_of_the_authority_reaches_neither_log_nor_alarm(
    port: str, listed: Authority, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sealed(1)
    settings.PORTAL_TIMESTAMP_URL, start = f"http://ida:pass@127.0.0.1:{port}/stamp", now_ms()
    for at in (start, start + HOUR + 60_000):
        with clock(partial(int, at)):
            assert taking.run_due() == 0
    said = [each.fields["sentence"] for each in named(taking.SAID)] + [each.getMessage() for each in caplog.records]
    assert len(said) >= 3
    assert [each for each in said if "pass" in each or "ida" in each] == []


def _examined(listed: Authority) -> Report:
    return examine(public_keys(), roots=roots(listed))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE audit_timestamp SET answer = set_byte(answer, 40, 255 - get_byte(answer, 40))",
            "not the one that the log speaks of",
        ),
        ("UPDATE audit_timestamp SET size = 1, about = 'checkpoint:1'", "not the one that the log speaks of"),
        ("UPDATE audit_timestamp SET at = at - 3600000", "its row names another time or authority than its token"),
        (
            "UPDATE audit_timestamp SET authority = 'CN=nobody'",
            "its row names another time or authority than its token",
        ),
        ("DELETE FROM audit_timestamp", "it is missing"),
    ],
)
def test_verify_log_names_a_timestamp_that_was_changed(listed: Authority, statement: str, said: str) -> None:
    sealed(2)
    assert taking.run_due() == 1
    assert _examined(listed).sentences() == []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_timestamp DISABLE TRIGGER only_grows")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_timestamp ENABLE TRIGGER only_grows")
    (sentence,) = _examined(listed).sentences()
    assert said in sentence


@pytest.mark.django_db
def test_what_is_published_beside_the_log_is_verified_by_openssl_and_holds_up_no_seal(
    listed: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealed(1)
    first = last_signed(connection, public_keys())
    assert first is not None
    sealed(1)
    taking.run_due()
    size = Timestamp.objects.get().size or 0
    store = DirectoryStore(tmp_path / "log")
    sealed(2)
    head = publish_once(connection, store, public_keys())
    assert head is not None
    assert publish_timestamps(connection, store, Head(b"", first), 0) == (0, []), "not before the checkpoint itself"
    with pytest.raises(Overtaken):
        publish_timestamps(connection, store, replace(head, data=b"of one that was paused"), 0)
    assert store.listed("timestamps") == []
    assert publish_timestamps(connection, store, head, 0) == (size, [])
    assert publish_timestamps(connection, store, head, 0) == (size, []), "harmless when done again"
    words = [
        "openssl",
        "ts",
        "-verify",
        "-data",
        f"{size}.checkpoint",
        "-in",
        f"{size}.tsr",
        "-CAfile",
        str(listed.root),
    ]
    said = subprocess.run(words, cwd=tmp_path / "log/timestamps", capture_output=True, text=True, check=False)
    assert (said.returncode, "Verification: OK" in said.stdout + said.stderr) == (0, True)
    assert _examined(listed).ok
    (tmp_path / f"log/timestamps/{size}.tsr").write_bytes(b"other")
    publisher = Publisher("default", store, public_keys(), remembered=True)
    publisher._publish(lambda: publish_once(connection, store, public_keys()))
    assert (publisher.blocked, publisher.trouble, publisher.stamped) == (False, "", size)
    assert [each.getMessage() for each in caplog.records if each.name == "breakglass.alarm"] == [
        f"1 stored timestamps are wrong, and are not published. That of {size} entries: timestamps/{size}.tsr holds other bytes."
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("unread", ["", "no key"], ids=["every line is read", "a line of a witness is not"])
def test_a_timestamp_over_other_bytes_is_named_and_not_published_and_those_after_it_are(
    unread: str, listed: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hour = now_ms() // HOUR * HOUR
    for number in range(3):
        sealed(1)
        with clock(partial(int, hour + number * HOUR)):
            assert taking.run_due() == 1
    sealed(1)
    first, second, third = (each.size or 0 for each in Timestamp.objects.order_by("size"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_timestamp DISABLE TRIGGER only_grows")
        cursor.execute("UPDATE audit_timestamp SET answer = 'words' WHERE size = %s", [first])
        cursor.execute(
            "UPDATE audit_timestamp SET answer = (SELECT answer FROM audit_timestamp WHERE size = %s) WHERE size = %s",
            [third, second],
        )
        cursor.execute("ALTER TABLE audit_timestamp ENABLE TRIGGER only_grows")
    if unread:
        Cosignature.objects.create(size=third + 1, witness=unread, line=unread, signed_at=1)
    store = DirectoryStore(tmp_path / "log")
    publisher = Publisher("default", store, public_keys(), remembered=True)
    publisher._publish(lambda: publish_once(connection, store, public_keys()))
    assert (publisher.blocked, publisher.trouble, publisher.stamped) == (False, "", third)
    assert store.listed("timestamps") == [f"timestamps/{third}.checkpoint", f"timestamps/{third}.tsr"]
    said = [each.getMessage() for each in caplog.records if each.name == "breakglass.alarm"][-1]
    assert said == (
        f"2 stored timestamps are wrong, and are not published. That of {first} entries: The answer of the authority cannot be read. "
        f"That of {second} entries: It is over other bytes."
    )
