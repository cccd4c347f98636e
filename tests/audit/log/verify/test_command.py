"""The command as a stranger runs it: without Django, from a folder or an address, again and again."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit.log.checkpoint import parse_checkpoint
from audit.log.note import Note, write_note
from audit.log.signing import SignerKey, cosign
from audit.log.single_file import single_file
from audit.log.verify import command, proofs
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


def test_keys_may_lie_in_a_file_one_in_each_line(
    signer: SignerKey, stranger: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, keys, key = published(signer, tmp_path / "log", 40), tmp_path / "log.pub", signer.verifier().text()
    keys.write_text(f"{stranger.verifier().text()}@0-39\r\n\n{key}@39-\n")
    assert main([str(folder), "--key-file", str(keys)]) == WHOLE
    assert main([str(folder), "--key", keys.read_text()]) == WHOLE
    keys.write_text(f"{key}@0-39\n{stranger.verifier().text()}@40-\n")
    assert main([str(folder), "--key-file", str(keys)]) == DAMAGED
    capsys.readouterr()
    for content, said in (
        (f"{key}\nlog.pub", f"{keys}, line 2: A public key is"),
        ("\n", "It needs a public key of the log"),
    ):
        keys.write_text(content)
        assert main([str(folder), "--key-file", str(keys)]) == NOT_CHECKED
        assert capsys.readouterr().err.startswith(f"The log could not be checked. {said}")
    assert main([str(folder), "--key-file", str(tmp_path / "none")]) == NOT_CHECKED
    keys.write_bytes(bytes(range(256)))
    assert main([str(folder), "--key-file", str(keys)]) == NOT_CHECKED


def test_a_witness_that_is_named_must_have_cosigned_the_checkpoint(
    signer: SignerKey, stranger: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, witness = published(signer, tmp_path / "log", 40), SignerKey("witness.example", stranger.private)
    other, head = SignerKey("other.example", signer.private), folder / "checkpoint"
    note = parse_checkpoint(head.read_bytes()).note
    head.write_bytes(write_note(Note(note.text, (*note.signatures, cosign(note.text, witness, 1_790_000_000)))))
    words = [str(folder), "--key", signer.verifier().text(), "--witness", witness.cosigner().text()]
    assert main(words) == WHOLE
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Cosigned by witness.example on 2026-09-21 14:13 UTC.",
        "WHOLE.",
    ]
    assert main([*words, "--witness", other.cosigner().text()]) == DAMAGED
    said = capsys.readouterr().out.splitlines()
    assert (said[0], said[2]) == (
        "not cosigned: checkpoint. other.example has not cosigned 40 entries.", "Cosigned by witness.example on 2026-09-21 14:13 UTC.",
    )  # fmt: skip
    line = cosign(note.text, witness, 1_790_000_000)
    wrong = replace(line, value=line.value[:-1] + bytes([line.value[-1] ^ 1]))
    head.write_bytes(write_note(Note(note.text, (*note.signatures, wrong))))
    assert main([*words, "--json"]) == DAMAGED
    report = json.loads(capsys.readouterr().out)
    assert (report["cosigned"], [(each["kind"], each["why"]) for each in report["damages"]]) == (
        [], [("not cosigned", "The cosignature of witness.example is wrong.")],
    )  # fmt: skip
    assert main([*words[:-1], "nonsense"]) == NOT_CHECKED


def ran(program: str, *words: str, **how: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program, *words], cwd=CHECKOUT, text=True, check=False, **{"capture_output": True, **how}
    )


BEGIN = (
    "import runpy, sys; {}; sys.argv = ['verify', *sys.argv[1:]]; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
)


def test_a_python_that_is_too_old_is_said_and_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "verify.pyz"
    path.write_bytes(single_file())
    done = ran(BEGIN.format("sys.version_info = (3, 10, 4)"), str(path), "log", "--key", "key")
    assert (done.returncode, done.stdout, done.stderr) == (
        NOT_CHECKED, "", "The log could not be checked. The verifier needs Python 3.11 or later, and this is 3.10.\n",
    )  # fmt: skip
    ast.parse(zipfile.ZipFile(path).read("__main__.py"), feature_version=(3, 5))


@pytest.mark.parametrize("words", [["log"], ["proof", "file"], ["grown", "file", "--since", "file"]])
def test_what_cannot_even_begin_is_no_damage(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "verify.pyz"
    path.write_bytes(single_file())
    done = ran(BEGIN.format("sys.modules['json'] = None"), str(path), *words, "--key", "key")
    assert (done.returncode, done.stderr.splitlines()[-1].split(":")[0]) == (NOT_CHECKED, "ModuleNotFoundError")


def test_a_fault_of_ours_is_no_damage(monkeypatch: pytest.MonkeyPatch, signer: SignerKey, tmp_path: Path) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    path, key = tmp_path / "proofs", signer.verifier().text()
    path.write_bytes(b"proofs")
    monkeypatch.setattr(command, "check", fails)
    monkeypatch.setattr(proofs, "parse_proofs", fails)
    assert [main([str(tmp_path), "--key", key]), main(["proof", str(path), "--key", key])] == [NOT_CHECKED] * 2


def test_an_answer_that_nobody_takes_is_no_damage(signer: SignerKey, tmp_path: Path) -> None:
    folder, path = published(signer, tmp_path / "log", 3), tmp_path / "verify.pyz"
    path.write_bytes(single_file())
    ours, theirs = os.pipe()
    os.close(ours)
    done = ran(
        BEGIN.format("pass"), str(path), str(folder), "--key", signer.verifier().text(),
        capture_output=False, stdout=theirs, stderr=subprocess.PIPE, env={},  # so that what is written is held back first
    )  # fmt: skip
    os.close(theirs)
    assert done.returncode == NOT_CHECKED


def test_a_bar_grows_where_somebody_looks_on(signer: SignerKey, tmp_path: Path) -> None:
    folder = published(signer, tmp_path / "log", 64 * 256 + 4096)
    words = [sys.executable, "-m", "audit.log.verify", str(folder), "--key", signer.verifier().text()]
    seen = []
    for more in ([], ["--quiet"]):
        ours, theirs = os.openpty()
        done = subprocess.run([*words, *more], cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=theirs, check=False)
        assert done.returncode == WHOLE
        os.write(theirs, b".")
        os.close(theirs)
        seen.append(_until_the_dot(ours))
        os.close(ours)
    assert seen == [
        f"\r[{'#' * 32}{' ' * 8}] 16384 of 20480\r[{'#' * 40}] 20480 of 20480\r\n.", ".",
    ]  # fmt: skip


def _until_the_dot(terminal: int) -> str:
    """A terminal hands over what it has so far, not what was written."""
    seen = b""
    while not seen.endswith(b"."):
        seen += os.read(terminal, 4096)
    return seen.decode()
