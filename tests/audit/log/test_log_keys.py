"""The command that makes the log's key pair."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.log.checkpoints import public_keys
from audit.log.examination import examine
from audit.log.keys import load_signer
from audit.log.sealing import seal_once
from tests.audit.log.logged import appended, run_signer, sealed


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("log_keys", *arguments, stdout=out)
    return out.getvalue()


def test_pair_is_made_and_the_public_key_printed(tmp_path: Path, settings: Any) -> None:
    settings.PORTAL_LOG_ORIGIN = "log.example/made"
    lines = run("--out", str(tmp_path / "keys")).splitlines()
    assert lines[2] == (tmp_path / "keys" / "log.pub").read_text().strip()
    assert load_signer(tmp_path / "keys" / "log.key").verifier().text() == lines[2]
    assert lines[2].startswith("log.example/made+")


def test_name_may_be_given(tmp_path: Path) -> None:
    assert run("--out", str(tmp_path), "--name", "log.example/given").splitlines()[2].startswith("log.example/given+")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("a b", "The name of a key is not empty"), ("log.example", "is there already; a key is never replaced.")],
)
def test_what_cannot_be_made_is_said(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "log.pub").write_text("kept")
    with pytest.raises(CommandError, match=sentence):
        run("--out", str(tmp_path), "--name", name)
    assert [path.name for path in tmp_path.iterdir()] == ["log.pub"]


@pytest.mark.django_db
def test_a_key_is_followed_by_the_next_one_and_closed_where_it_signed_last(tmp_path: Path, settings: Any) -> None:
    old = run_signer()
    settings.PORTAL_LOG_ORIGIN, settings.PORTAL_LOG_PUBLIC_KEY = old.name, old.verifier().text()
    sealed(2)
    lines = run("--next", "--out", str(tmp_path / "next")).splitlines()[2:]
    new = load_signer(tmp_path / "next" / "log.key")
    assert lines == [old.verifier().text(), f"{new.verifier().text()}@2-"]
    settings.PORTAL_LOG_PUBLIC_KEY = "\n".join(lines)
    assert run("--retire").splitlines() == lines  # the next one has signed nothing yet
    sealed(1)
    appended(2)
    assert seal_once(connection, new, 1, trusted=public_keys()) == 2
    lines = run("--retire").splitlines()
    assert lines == [f"{old.verifier().text()}@0-3", f"{new.verifier().text()}@2-"]
    settings.PORTAL_LOG_PUBLIC_KEY = "\n".join(lines)
    assert examine(public_keys()).ok
    assert run("--retire").splitlines() == lines


def test_where_to_is_needed_for_a_pair() -> None:
    with pytest.raises(CommandError, match="--out DIR"):
        run()
