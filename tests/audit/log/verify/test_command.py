"""The command as a stranger runs it: without Django, from a folder or an address, again and again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audit.log.signing import SignerKey
from audit.log.verify.__main__ import main
from audit.log.verify.command import DAMAGED, NOT_CHECKED, WHOLE
from tests.audit.log.simulator import simulated
from tests.audit.log.verify.published import publish, published
from tests.audit.log.verify.serving import served

CHECKOUT = Path(__file__).parents[4]


def test_it_runs_without_django_and_without_any_setting(signer: SignerKey, tmp_path: Path) -> None:
    folder = published(signer, tmp_path / "log", 300)
    program = (
        "import sys; sys.modules['django'] = None; import runpy; sys.argv = ['verify', *sys.argv[1:]];"
        "runpy.run_module('audit.log.verify', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), "--key", signer.verifier().text()],
        cwd=CHECKOUT, env={"PATH": os.defpath}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (WHOLE, "")
    assert done.stdout.endswith("WHOLE.\n")


def test_a_checkpoint_signed_with_a_retired_key_beyond_its_sizes_is_named(
    signer: SignerKey, stranger: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key, following = published(signer, tmp_path / "log", 40), signer.verifier().text(), stranger.verifier()
    assert main([str(folder), "--key", f"{key}@0-40"]) == WHOLE
    assert main([str(folder), "--key", f"{key}@0-39", "--key", f"{following.text()}@39-"]) == DAMAGED
    assert capsys.readouterr().out.splitlines()[-2] == (
        "checkpoint not signed: checkpoint. The key that signed 40 entries is not valid for that size."
    )
    assert main([str(folder), "--key", f"{key}@40"]) == NOT_CHECKED


def test_an_address_is_as_good_as_a_folder(
    signer: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = published(signer, tmp_path / "log", 300)
    key = signer.verifier().text()
    with served(folder) as (address, _):
        assert main([address, "--key", key, "--json"]) == WHOLE
        (folder / "tile/entries/001.p/44").unlink()
        assert main([address + "/", "--key", key, "--json"]) == DAMAGED
    said = [json.loads(part + "}") for part in capsys.readouterr().out.split("\n}\n")[:-1]]
    assert [(each["whole"], each["size"], each["damages"]) for each in said] == [
        (True, 300, []),
        (False, 300, [{"kind": "entries missing", "first": 256, "last": 299, "path": "tile/entries/001.p/44", "why": "They are not there."}]),
    ]  # fmt: skip
    assert main([address, "--key", key]) == NOT_CHECKED
    assert "could not be checked" in capsys.readouterr().err


def test_a_kept_checkpoint_must_be_contained(signer: SignerKey, tmp_path: Path) -> None:
    log, key = simulated(signer, 3, 3), signer.verifier().text()
    folder = publish(log, tmp_path / "log")
    kept = tmp_path / "kept"
    kept.write_bytes(log.notes[0].note)
    assert main([str(folder), "--key", key, "--seen", str(kept)]) == WHOLE
    other = simulated(signer)
    other.grow(3, "other")
    kept.write_bytes(other.notes[0].note)
    assert main([str(folder), "--key", key, "--seen", str(kept)]) == DAMAGED
