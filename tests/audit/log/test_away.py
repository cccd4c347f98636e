"""Commands on the log while the database is away: one sentence and a status, for each of them in one process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit.log.keys import write_signer
from audit.management.away import told
from tests.audit.log.backup.configured import configure
from tests.audit.log.backup.places import place
from tests.audit.log.logged import run_signer, sealed
from tests.audit.log.verify.published import published

PROGRAM = """
import json, os, sys, traceback
import django
django.setup()
from django.core.management import CommandError, call_command
for words in json.loads(sys.argv[1]):
    try:
        call_command(*words)
        said = "it went well"
    except CommandError as error:
        said = f"{error} ({error.returncode})"
    except BaseException as error:
        said = f"a traceback of {type(error).__name__}"
    print(json.dumps(said))
"""
AWAY = "The database does not answer: look whether it runs, and at DATABASE_URL (OperationalError)."


NO_STORE = {
    "backup": "No backup was made. The place for backups cannot be written or read. The bucket none does not answer (EndpointConnectionError).",
    "restore": "Nothing was restored. The bucket none does not answer (EndpointConnectionError).",
}


def run(folder: Path, commands: Iterable[Sequence[str]], **more: str) -> list[str]:
    """What each says where the database is away."""
    environment = os.environ | {
        "PORTAL_TESTING": "1", "DATABASE_URL": "postgresql://127.0.0.1:1/none", "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "PORTAL_LOG_SEEN_FILE": str(folder / "seen"), "PORTAL_LOG_PUBLIC_KEY": run_signer().verifier().text(),
        "SEALER_DATABASE_URL": "postgresql://127.0.0.1:1/none", "PORTAL_DATA": str(folder),
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(list(commands))], cwd=settings.BASE_DIR, env=environment | more, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_database_that_is_away_is_told_in_a_sentence(tmp_path: Path) -> None:
    goal, texts = str(tmp_path / "place"), tmp_path / "texts"
    texts.write_text("no id")
    people = tmp_path / "people.csv"
    people.write_text("email,name\nida@example.org,Ida\n")
    log = published(run_signer(), tmp_path / "log", 3)
    commands = {
        ("verify_log",): f"Nothing was checked. {AWAY} (2)",
        ("recover_log",): f"Nothing was brought back. {AWAY} (1)",
        ("clear_beyond",): f"Nothing was moved away. {AWAY} (1)",
        ("forget_lost",): f"Nothing was forgotten. {AWAY} (1)",
        ("lost_ids", str(texts)): f"Nothing was looked up. {AWAY} (1)",
        ("log_keys", "--next", "--out", goal): f"The key cannot be changed now. {AWAY} (1)",
        ("one_time_password", "ida@example.org"): f"No password was made. {AWAY} (1)",
        (
            "first_administrators",
            "--first",
            "Ida",
            "ida@example.org",
            "--second",
            "Ole",
            "ole@example.org",
        ): f"Nobody was made. {AWAY} (1)",
        ("import_personnel", str(people), "--query", "SELECT 1"): f"Nothing was done. {AWAY} (1)",
    }
    assert run(tmp_path, commands, PORTAL_LOG_STORE=str(log)) == list(commands.values())


@pytest.mark.django_db(transaction=True)
def test_backup_and_restore_tell_it_too_and_change_nothing_that_lies_there(tmp_path: Path) -> None:
    sealed(3)
    backups = place(tmp_path)
    backups.backup()
    before, key = backups.files(), tmp_path / "backup.key"
    write_signer(key, "test/other")
    commands = {
        ("backup",): f"No backup was made. {AWAY} (1)",
        (
            "restore",
            "--from",
            backups.address,
            "--identity",
            str(backups.identity),
        ): f"Nothing was restored. {AWAY} (1)",
    }
    said = run(
        tmp_path, commands, PORTAL_BACKUP_TO=backups.address, PORTAL_BACKUP_KEY_FILE=str(key), PORTAL_BACKUP_RECIPIENT=backups.recipient,
        PORTAL_BACKUP_PUBLIC_KEY=backups.signer.verifier().text(),
    )  # fmt: skip
    assert (said, backups.files()) == (list(commands.values()), before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_store_that_is_away_is_told_in_a_sentence(
    command: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = place(tmp_path)
    configure(settings, backups)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    words = (
        ["--to", "s3://none"] if command == "backup" else ["--from", "s3://none", "--identity", str(backups.identity)]
    )
    with pytest.raises(CommandError) as refused:
        call_command(command, *words)
    assert (refused.value.returncode, str(refused.value)) == (1, NO_STORE[command])


@pytest.mark.django_db
def test_a_database_that_gives_up_is_another_thing_than_one_that_is_away() -> None:
    words = r"Nothing was done\. The database gave up, for want of room or by a limit of its own: its log says more \(QueryCanceled\)\."
    with pytest.raises(CommandError, match=f"^{words}$"), told("Nothing was done."), transaction.atomic():
        connection.cursor().execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(60)")
