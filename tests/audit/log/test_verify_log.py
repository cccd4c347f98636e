"""The command that checks the stored log: its sentences, its JSON, its exit status."""

import io
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.log import examination
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.publishing import publish_once
from audit.log.report import Report
from audit.log.stores.directory import DirectoryStore
from audit.management.commands.verify_log import _of_tile, sentences
from tests.audit.log.logged import appended, doctored, erase, run_signer, sealed
from tests.witnesses import ONE

FAILED = "The log does not verify. (1)"


def run(*arguments: str) -> tuple[str, str]:
    """What it prints, and what it fails with."""
    out = io.StringIO()
    failed = ""
    try:
        call_command("verify_log", *arguments, stdout=out)
    except CommandError as error:
        failed = f"{error} ({error.returncode})"
    return out.getvalue(), failed


@pytest.mark.django_db
def test_empty_log_verifies() -> None:
    expected = (
        "0 entries under 0 checkpoints.\n"
        "0 personal values match their commitments; 0 were erased.\n"
        "0 events wait to be sealed.\n"
        "WHOLE.\n"
    )
    assert run() == (expected, "")


@pytest.mark.django_db
def test_sound_log_verifies_with_its_counts() -> None:
    events = sealed(3) + sealed(2)
    for field in ("name", "email"):
        erase(events[0], field)
    sealed(0)
    appended(4)
    expected = (
        "7 entries under 3 checkpoints.\n"
        "8 personal values match their commitments; 2 were erased.\n"
        "4 events wait to be sealed.\n"
        "WHOLE.\n"
    )
    assert run() == (expected, "")


@pytest.mark.django_db
def test_edited_body_is_named_with_its_range() -> None:
    events = [*sealed(3), *sealed(4), *sealed(2)]
    doctored("UPDATE audit_event SET body = overlay(body placing '9' from 8) WHERE id = %s", events[4])
    printed, failed = run()
    assert failed == FAILED
    assert printed.splitlines()[1].startswith("Entries 3 to 6 do not verify: Entry 4 ")
    assert [line for line in printed.splitlines() if line.startswith("Entries")] == printed.splitlines()[1:2]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE audit_event SET name = 'person.left' WHERE id = %s",
            "The columns of 1 entry do not repeat their bytes, first 1.",
        ),
        (
            "UPDATE audit_personal_value SET value = 'x' WHERE field = 'name' AND event_id = %s",
            "1 personal value does not match, first {} name.",
        ),
        (
            "INSERT INTO audit_personal_value (event_id, field, salt, value) VALUES (%s, 'extra', '\\x00', 'x')",
            "1 personal value does not match, first {} extra.",
        ),
        (
            "DELETE FROM audit_tile WHERE %s::uuid IS NOT NULL",
            "1 tile is not that of the entries, first tile/0/000.p/3.",
        ),
        (
            "DELETE FROM audit_queue WHERE %s::uuid IS NOT NULL",
            "1 event is neither sealed nor waiting to be.",
        ),
        (
            (
                "WITH taken AS (DELETE FROM audit_queue WHERE %s::uuid IS NOT NULL RETURNING event_id)"
                " INSERT INTO audit_sealed_entry (index, event_id, leaf_hash, sealed_at) SELECT -1, event_id, '\\x00', 1 FROM taken"
            ),
            "1 event is neither sealed nor waiting to be.",
        ),
        (
            "DELETE FROM audit_sealed_entry WHERE event_id = %s",
            (
                "Entries 0 to 2 do not verify: Entry 1 is missing."
                " So the entries do not have the root of the checkpoint."
            ),
        ),
        (
            "UPDATE audit_checkpoint SET root = '\\x00' WHERE %s::uuid IS NOT NULL",
            "Entries 0 to 2 do not verify: Beside the checkpoint another root is stored than it has.",
        ),
        (
            "UPDATE audit_checkpoint SET note = replace(note, '— ', '— other') WHERE %s::uuid IS NOT NULL",
            (
                "Entries 0 to 2 do not verify: The checkpoint is not signed by the log."
                " No key that is trusted here signed this."
            ),
        ),
    ],
)
def test_each_fault_has_its_sentence_and_fails(statement: str, sentence: str) -> None:
    event = sealed(3)[1]
    appended(1)
    assert run()[1] == ""
    doctored(statement, event)
    printed, failed = run()
    assert failed == FAILED
    assert sentence.format(event) in printed.splitlines()


@pytest.mark.django_db
def test_json_says_the_same_for_machines() -> None:
    events = sealed(2) + sealed(2)
    appended(1)
    doctored("UPDATE audit_event SET body = overlay(body placing '9' from 8) WHERE id = %s", events[3])
    printed, failed = run("--json")
    report = json.loads(printed)
    assert failed == FAILED
    assert {key: report[key] for key in ("ok", "entries", "checkpoints", "bad_range_count", "waiting", "astray")} == {
        "ok": False, "entries": 4, "checkpoints": 2, "bad_range_count": 1, "waiting": 1, "astray": 0,
    }  # fmt: skip
    (bad,) = report["bad_ranges"]
    assert {key: value for key, value in bad.items() if key not in ("from_at", "to_at", "why")} == {
        "from_index": 2, "to_index": 3, "dense": True, "hashes_ok": False,
        "root_ok": False, "signature_ok": True, "consistent": True,
    }  # fmt: skip


@pytest.mark.django_db
def test_checkpoint_kept_elsewhere_finds_a_log_that_was_set_back(tmp_path: Path) -> None:
    sealed(2)
    sealed(2)
    kept = tmp_path / "kept"
    kept.write_text(StoredCheckpoint.objects.get(size=4).note)
    printed, failed = run("--checkpoint", str(kept))
    assert (printed.splitlines()[-2:], failed) == ([f"Contained: {kept}, the first 4 entries.", "WHOLE."], "")
    doctored(
        'DELETE FROM audit_sealed_entry WHERE "index" >= 2; DELETE FROM audit_checkpoint WHERE size > 2;'
        "UPDATE audit_tile SET hashes = substr(hashes, 1, 64)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_queue (event_id) SELECT id FROM audit_event"
            " WHERE id NOT IN (SELECT event_id FROM audit_sealed_entry)"
        )
    assert run()[1] == "", "without it nobody can tell"
    printed, failed = run("--checkpoint", str(kept))
    assert (failed, "Contained" in printed, "WHOLE" in printed) == (FAILED, False, False)
    assert printed.splitlines()[1].startswith("Entries 2 to 3 do not verify: Entries 2 to 3 are missing.")


@pytest.mark.django_db
def test_what_cannot_be_checked_fails_with_its_reason(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("words")
    assert run("--checkpoint", str(tmp_path / "kept"))[1].startswith(f"{tmp_path / 'kept'} is not a checkpoint.")
    assert (
        run("--checkpoint", str(tmp_path / "none"))[1]
        == f"{tmp_path / 'none'} cannot be read: No such file or directory. (2)"
    )
    settings.PORTAL_LOG_PUBLIC_KEY = ""
    assert run()[1] == "PORTAL_LOG_PUBLIC_KEY cannot be read. No public key of the log is set. (2)"


@pytest.mark.django_db(transaction=True)
def test_log_that_grows_meanwhile_is_checked_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(5)
    checked: list[Any] = []

    def append_elsewhere() -> None:
        checked.append(len(appended(3)))
        connection.close()

    def grow(*arguments: Any) -> None:
        """Three more events, between the reading of the entries and the counting of what waits."""
        thread = threading.Thread(target=append_elsewhere)
        thread.start()
        thread.join()
        unsealed(*arguments)

    unsealed = examination._unsealed
    monkeypatch.setattr(examination, "_unsealed", grow)
    printed, failed = run()
    assert (checked, failed) == ([3], "")
    assert printed.startswith("5 entries under 1 checkpoints.")
    assert printed.endswith("0 events wait to be sealed.\nWHOLE.\n")


@pytest.mark.django_db
def test_ranges_up_to_a_position_say_nothing_of_later_entries() -> None:
    events = [*sealed(3), *sealed(4), *sealed(2)]
    doctored("UPDATE audit_event SET body = overlay(body placing '9' from 8) WHERE id = %s", events[8])
    keys = [run_signer().verifier()]
    for size, expected in ((7, [(0, 2, True), (3, 6, True)]), (9, [(0, 2, True), (3, 6, True), (7, 8, False)])):
        found = examination.stored_ranges(keys, size)
        assert [(each.from_index, each.to_index, each.ok) for each in found] == expected


@pytest.mark.django_db
def test_each_fault_is_named_with_the_entries_that_it_touches(settings: Any) -> None:
    events = sealed(3)
    doctored("UPDATE audit_event SET name = 'person.left' WHERE id = %s OR id = %s", events[0], events[2])
    doctored("UPDATE audit_personal_value SET value = 'x' WHERE field = 'name' AND event_id = %s", events[1])
    doctored("UPDATE audit_tile SET hashes = overlay(hashes placing %s from 1)", bytes(32))
    settings.PORTAL_LOG_WITNESSES = f"retired {ONE.cosigner().text()}"
    Cosignature.objects.create(size=3, witness=f"{ONE.name}+key", line=f"— {ONE.name} AAAA", signed_at=1)
    named = [line for line in run()[0].splitlines() if line.startswith("- ")]
    assert named == [
        "- tile: entries 0 to 2, tile/0/000.p/3", "- columns: entry 0", "- columns: entry 2",
        f"- personal value: entry 1, {events[1]} name", f"- cosignature: entries 0 to 2, 3 by {ONE.name}",
    ]  # fmt: skip


@pytest.mark.django_db
def test_personal_values_that_are_gone_without_a_word_are_named() -> None:
    events = sealed(25)
    doctored("DELETE FROM audit_personal_value WHERE event_id = %s AND field = 'name'", events[3])
    printed, failed = run()
    assert (failed, printed.splitlines()[1:4]) == (
        FAILED,
        [
            "1 personal value is gone and no entry says why, first that of entry 3, name.",
            "- personal value that is gone: entry 3, name",
            "49 personal values match their commitments; 0 were erased.",
        ],
    )
    doctored("DELETE FROM audit_personal_value")
    named = [line for line in run()[0].splitlines() if line.startswith("- ")]
    assert (len(named), named[-1]) == (21, "- personal value that is gone: 30 more")


@pytest.mark.django_db
def test_of_many_faults_twenty_are_named_and_the_rest_counted() -> None:
    sealed(25)
    doctored("UPDATE audit_personal_value SET value = 'x'")
    named = [line for line in run()[0].splitlines() if line.startswith("- ")]
    assert [line.split(",")[0] for line in named] == [
        *(f"- personal value: entry {index}" for index in range(10) for _ in range(2)), "- personal value: 30 more",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "entries"),
    [("tile/0/001", "256 to 511"), ("tile/1/000.p/2", "0 to 511"), ("tile/2/001.p/3", "16777216 to 16973823")],
)
def test_a_tile_covers_what_lies_below_it(path: str, entries: str) -> None:
    assert _of_tile(path) == f"entries {entries}, {path}"


@pytest.mark.django_db
def test_a_store_that_cannot_be_read_is_neither_health_nor_damage(settings: Any, tmp_path: Path) -> None:
    sealed(2)
    (tmp_path / "checkpoint").mkdir()
    settings.PORTAL_LOG_STORE = str(tmp_path)
    printed, failed = run()
    assert "What is published could not be looked at." in printed
    assert (failed, "WHOLE" in printed) == ("What is stored verifies. What is published was not checked. (2)", False)
    settings.PORTAL_LOG_STORE = "nowhere"
    assert run()[1].endswith(" (2)")
    doctored("DELETE FROM audit_tile")
    settings.PORTAL_LOG_STORE = str(tmp_path)
    assert run()[1] == FAILED


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (5, "5 entries were published when the check began."),
        (7, "5 entries were published when the check began; the other 2 wait to be, or were sealed since."),
        (4, "5 entries were published when the check began, and 1 of them are not stored."),
    ],
)
def test_both_figures_say_when_they_were_read(stored: int, said: str) -> None:
    assert list(sentences(Report(entries=stored, published=5)))[1] == said


class Screen(io.StringIO):
    """What somebody sees who looks on, or what a file gets."""

    def __init__(self, *, looked_at: bool) -> None:
        super().__init__()
        self.looked_at = looked_at

    def isatty(self) -> bool:
        return self.looked_at


def filled(cells: int, done: int, size: int, of: str) -> str:
    return f"\r[{'#' * cells}{' ' * (40 - cells)}] {done} of {size} entries {of}"


@pytest.mark.django_db
def test_bars_of_what_is_published_and_what_is_stored_grow_where_somebody_looks_on(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "CHUNK", 2)
    settings.PORTAL_LOG_STORE = str(tmp_path)
    sealed(3)
    publish_once(connection, DirectoryStore(tmp_path), [run_signer().verifier()])
    seen, printed = [], []
    for more in (1, 1):  # 4 entries, which end with a portion, and 5, which do not
        sealed(more)
        for looked_at, words in ((True, []), (True, ["--quiet"]), (False, [])):
            screen = Screen(looked_at=looked_at)
            monkeypatch.setattr(sys, "stderr", screen)
            printed.append(run(*words)[0])
            seen.append(screen.getvalue())
    all_published = filled(40, 3, 3, "published") + "\n"
    of_four = filled(20, 2, 4, "stored") + filled(40, 4, 4, "stored") + "\n"
    of_five = filled(16, 2, 5, "stored") + filled(32, 4, 5, "stored") + filled(40, 5, 5, "stored") + "\n"
    assert seen == [all_published + of_four, "", "", all_published + of_five, "", ""]
    assert [text.splitlines()[0][:9] for text in printed] == ["4 entries"] * 3 + ["5 entries"] * 3
