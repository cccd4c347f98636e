"""The command as a stranger runs it: without Django, from a folder or an address, again and again."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from audit.log.signing import SignerKey
from audit.log.verify.__main__ import DAMAGED, NOT_CHECKED, WHOLE, main
from tests.audit.log.simulator import simulated
from tests.audit.log.verify.published import publish, published

CHECKOUT = Path(__file__).parents[4]


class Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def log_message(self, *_: object) -> None:
        self.asked.append(self.path)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    Quiet.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


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
    with served(folder) as address:
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


def test_a_later_run_reads_only_what_is_new_and_never_accepts_less(
    signer: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, memory, key = simulated(signer, 600), tmp_path / "memory", signer.verifier().text()
    with served(publish(log, tmp_path / "log")) as address:
        assert main([address, "--key", key, "--memory", str(memory)]) == WHOLE
        log.grow(500)
        publish(log, tmp_path / "log")
        Quiet.asked.clear()
        assert main([address, "--key", key, "--memory", str(memory)]) == WHOLE
    assert sorted(path for path in Quiet.asked if path.startswith("/tile/entries")) == [
        "/tile/entries/002", "/tile/entries/003", "/tile/entries/004.p/76",
    ]  # fmt: skip
    (tmp_path / "log" / "checkpoint").write_bytes(log.notes[0].note)
    capsys.readouterr()
    assert main([str(tmp_path / "log"), "--key", key, "--memory", str(memory)]) == DAMAGED
    assert "shorter than seen: entries 600 to 1099" in capsys.readouterr().out


def test_what_was_read_before_is_read_again_where_its_hashes_differ_now(signer: SignerKey, tmp_path: Path) -> None:
    memory, key = tmp_path / "memory", signer.verifier().text()
    folder = published(signer, tmp_path / "log", 600)
    assert main([str(folder), "--key", key, "--memory", str(memory)]) == WHOLE
    kept = json.loads(memory.read_text())
    memory.write_text(json.dumps(kept | {"roots_sha256": "0" * 64}))
    (folder / "tile/entries/000").unlink()
    assert main([str(folder), "--key", key, "--memory", str(memory)]) == DAMAGED


@pytest.mark.parametrize("content", ["", "{}", '{"checkpoint": "x", "bundles": 1, "roots_sha256": ""}'])
def test_a_memory_that_is_not_ours_is_not_believed(
    signer: SignerKey, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, memory = published(signer, tmp_path / "log", 3), tmp_path / "memory"
    memory.write_text(content)
    assert main([str(folder), "--key", signer.verifier().text(), "--memory", str(memory)]) == NOT_CHECKED
    assert (memory.read_text(), "is not what an earlier run" in capsys.readouterr().err) == (content, True)


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
