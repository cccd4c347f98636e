"""Commands on the log while the database is away: one sentence and a status, for each of them in one process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests.audit.log.logged import run_signer
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


def test_a_database_that_is_away_is_told_in_a_sentence(tmp_path: Path) -> None:
    place, texts = str(tmp_path / "place"), tmp_path / "texts"
    texts.write_text("no id")
    log = published(run_signer(), tmp_path / "log", 3)
    commands = {
        ("verify_log",): f"Nothing was checked. {AWAY} (2)",
        ("recover_log",): f"Nothing was brought back. {AWAY} (1)",
        ("clear_beyond",): f"Nothing was moved away. {AWAY} (1)",
        ("forget_lost",): f"Nothing was forgotten. {AWAY} (1)",
        ("lost_ids", str(texts)): f"Nothing was looked up. {AWAY} (1)",
        ("log_keys", "--next", "--out", place): f"The key cannot be changed now. {AWAY} (1)",
    }
    environment = os.environ | {
        "PORTAL_TESTING": "1", "DATABASE_URL": "postgresql://127.0.0.1:1/none", "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "PORTAL_LOG_STORE": str(log), "PORTAL_LOG_SEEN_FILE": str(tmp_path / "seen"), "PORTAL_LOG_PUBLIC_KEY": run_signer().verifier().text(),
        "SEALER_DATABASE_URL": "postgresql://127.0.0.1:1/none", "PORTAL_DATA": str(tmp_path),
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(list(commands))], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line) for line in ran.stdout.splitlines()] == list(commands.values())
