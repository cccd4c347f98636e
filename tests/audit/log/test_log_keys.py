"""The command that makes the log's key pair."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.log.keys import load_signer


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
