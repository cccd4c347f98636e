"""What witnesses have cosigned is put on record by the hour; and who could alter the stored log, as the real database says."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from audit.log import anchors, guards, rights
from audit.log.append import clock, now_ms
from audit.log.examination import examine
from audit.log.examining_witnesses import asked_or_why
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.note import to_base64
from audit.log.read import named
from audit.log.signing import cosign
from portal.embedded.databases import role_name
from tests.audit.log.logged import doctored, run_signer, sealed
from tests.witnesses import ONE

pytestmark = pytest.mark.django_db
HOUR = 3_600_000


def cosigned(at: int, *, wrong: bool = False) -> int:
    """The last checkpoint, as a witness would have cosigned it at that time (ms)."""
    found = StoredCheckpoint.objects.latest("size")
    line = cosign(found.note.split("\n\n")[0] + ("\nx\n" if wrong else "\n"), ONE, at // 1000)
    text = f"— {line.name} {to_base64(line.key_id + line.value)}"
    Cosignature.objects.create(size=found.size, witness=ONE.cosigner().text(), line=text, signed_at=at // 1000)
    return found.size


def recorded() -> list[tuple[str, int | None, int | None]]:
    return [(each.name, each.fields.get("size"), each.fields.get("ok")) for each in named(anchors.SAID)]


def test_one_cosignature_in_each_hour_is_put_on_record_and_silence_once(settings: Any) -> None:
    sealed(1)
    assert anchors.run_due() == 0, "nobody is listed"
    settings.PORTAL_LOG_WITNESSES = f"required {ONE.cosigner().text()} http://127.0.0.1:1"
    hour = now_ms() // HOUR * HOUR
    runs = []
    for minutes, seal in (
        (0, False),
        (1, True),
        (2, True),
        (3, False),
        (60, False),
        (61, True),
        (62, False),
        (200, False),
        (201, False),
    ):
        at = hour + minutes * 60_000
        if seal:
            sealed(1)
            cosigned(at, wrong=minutes == 61)
        with clock(partial(int, at)):
            runs.append(anchors.run_due())
    assert runs == [1, 1, 0, 0, 1, 1, 0, 1, 0]
    sizes = [size or 0 for name, size, _ in recorded() if name == anchors.WITNESSED]
    assert [ok for name, _, ok in recorded() if name == anchors.WITNESSED] == [1, 1, 0]
    assert sizes == sorted(set(sizes))
    assert [name for name, *_ in recorded()] == [anchors.LOST, *[anchors.WITNESSED] * 3, anchors.LOST]


def test_the_time_of_the_record_is_the_one_that_the_witness_signed_and_no_row_is_the_last_for_ever(
    settings: Any,
) -> None:
    """Pages and packs read this entry, and whoever changes rows changes the time beside a line."""
    settings.PORTAL_LOG_WITNESSES = f"required {ONE.cosigner().text()} http://127.0.0.1:1"
    sealed(1)
    at = now_ms() // 1000 * 1000
    size = cosigned(at)
    Cosignature.objects.create(size=2**62, witness=ONE.cosigner().text(), line="— x AAAAAAA=", signed_at=2**40)
    doctored("UPDATE audit_cosignature SET signed_at = signed_at - 9000 WHERE size = %s", size)
    assert anchors.run_due() == 1
    (said,) = named([anchors.WITNESSED])
    assert (said.fields["size"], said.fields["at"], said.fields["ok"]) == (size, at, 1)
    with clock(partial(int, at + 2 * HOUR)):
        assert (anchors.run_due(), recorded()[-1][0]) == (1, anchors.LOST)
    report = examine([run_signer().verifier()], witnesses=asked_or_why(f"retired {ONE.cosigner().text()}", []))
    assert report.wrong_cosignatures == [f"{each} by {ONE.name}" for each in (size, 2**62)]


def test_a_line_that_proves_nothing_is_on_record_as_such_whatever_time_its_row_says(settings: Any) -> None:
    """The next witness is recorded after it."""
    settings.PORTAL_LOG_WITNESSES = f"required {ONE.cosigner().text()} http://127.0.0.1:1"
    sealed(1)
    size = StoredCheckpoint.objects.values_list("size", flat=True).get()
    Cosignature.objects.create(size=size, witness=ONE.cosigner().text(), line="— x AAAAAAA=", signed_at=2**50)
    assert [anchors.run_due(), anchors.run_due()] == [1, 1]
    assert [(name, ok) for name, _, ok in recorded()] == [(anchors.WITNESSED, 0), (anchors.LOST, None)]


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_database_says_who_could_alter_the_log() -> None:
    rights.apply_rights()
    web, ours = role_name("web"), len(guards.UNCHANGED)
    found = guards.of_database()
    assert (found.alter_rights, found.other_writers, found.guards_on) == (ours, 0, True)
    assert {each.partition(", ")[2][:34] for each in found.found} == {"as which the portal runs, owns aud"}, (
        "tests run as the owner"
    )
    for statement, alter, write, on in (
        (f"GRANT UPDATE ON audit_event TO {web}", 1, 0, True),
        (f"GRANT TRUNCATE ON audit_checkpoint TO {web}", 1, 0, True),
        (f"GRANT INSERT ON audit_checkpoint TO {web}", 0, 1, True),
        ("ALTER TABLE audit_timestamp DISABLE TRIGGER only_grows", 0, 0, False),
        ("ALTER TABLE audit_event DISABLE TRIGGER own_name", 0, 0, False),
    ):
        with transaction.atomic():
            run("SET CONSTRAINTS ALL IMMEDIATE")
            run(statement)
            found = guards.of_database()
            assert (found.alter_rights, found.other_writers, found.guards_on) == (ours + alter, write, on)
            assert len(found.found) == ours + 1
            transaction.set_rollback(True)


def test_a_directory_is_looked_at_as_this_process_sees_it_and_each_look_is_recorded_once(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PORTAL_LOG_STORE = str(tmp_path)
    tmp_path.chmod(0o775)
    assert (guards.of_tiles().alter_rights, guards.of_tiles().other_writers, guards.of_tiles().guards_on) == (
        1,
        1,
        False,
    )
    tmp_path.chmod(0o755)
    assert (guards.of_tiles().other_writers, guards.of_tiles().guards_on) == (0, True)
    settings.PORTAL_LOG_STORE = "nowhere"
    assert (guards.of_tiles().alter_rights, guards.of_tiles().guards_on) == (None, False)
    monkeypatch.delenv("PORTAL_LOG_KEY_FILE", raising=False)
    assert guards.key_apart()
    (tmp_path / "key").write_text("secret")
    monkeypatch.setenv("PORTAL_LOG_KEY_FILE", str(tmp_path / "key"))
    assert [guards.run_due(), guards.run_due(), guards.key_apart()] == [2, 0, False]
    with clock(partial(int, now_ms() + guards.EVERY_MS)):
        assert guards.run_due() == 2
    assert {each.fields["sealing_key_apart"] for each in named(["log.guards_checked"])} == {0}
