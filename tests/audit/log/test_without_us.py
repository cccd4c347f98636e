"""The page "Check us without us": its commands, as printed, in a folder with the published files, the key and the single file."""

import os
import re
import subprocess
import sys
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from audit.log.pages import growth_file
from audit.log.publishing import publish_once, publish_timestamps
from audit.log.single_file import single_file
from audit.log.stores.directory import DirectoryStore
from audit.log.timestamps import taking
from audit.packs.position import as_files, newest
from audit.packs.proofs import of_entries
from tests.audit.log.logged import run_signer, sealed
from tests.authority import authority_in, serving

PAGE = Path(__file__).parents[3] / "docs" / "auditor" / "without-us.md"
BLOCKS = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """What a stranger holds."""
    key = run_signer().verifier()
    sealed(300)
    with serving(authority_in(tmp_path / "authority")) as authority:
        settings.PORTAL_TIMESTAMP_URL, settings.PORTAL_TIMESTAMP_ROOTS = authority.address, str(authority.root)
        assert taking.run_due() == 1
    authority.root.rename(tmp_path / "authority.pem")
    store = DirectoryStore(tmp_path / "log")
    publish_once(connection, store, [key])
    publish_timestamps(connection, store, 300, 0)
    (tmp_path / "log.pub").write_text(key.text() + "\n")
    position = newest()
    (attached,) = as_files(position)[:1]
    (tmp_path / attached.name).write_bytes(bytes(attached.data))
    (tmp_path / "log-proofs.txt").write_bytes(bytes(of_entries(range(0, 300, 40), position).data))
    sealed(50)
    (tmp_path / "log-grown.txt").write_bytes(growth_file(300) or b"")
    call_command("verifier", out=tmp_path / "verify.pyz", stdout=StringIO())
    return tmp_path


def followed(folder: Path) -> list[tuple[int, str]]:
    """Each shell block in its order, in that folder, with nothing of ours on the path; a block of Python is the file that the next one runs."""
    done = []
    for language, text in BLOCKS.findall(PAGE.read_text()):
        if language == "python":
            (folder / "tree.py").write_text(text)
            continue
        ran = subprocess.run(
            ["bash", "-eu", "-c", text], cwd=folder, capture_output=True, text=True, check=False,
            env={"PATH": os.pathsep.join([os.defpath, f"{sys.base_prefix}/bin"]), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        done.append((ran.returncode, ran.stdout + ran.stderr))
    return done


@pytest.mark.django_db
def test_every_command_of_the_page_does_what_it_says(folder: Path) -> None:
    done = followed(folder)
    assert [status for status, _ in done] == [0] * 6, done
    signature, entry, tree, verifier, proofs, stamped = (said for _, said in done)
    name = run_signer().name
    assert signature.startswith("Signature Verified Successfully\n" + name + "\n300\n")
    assert (entry[0], "ada@example.org" in entry) == ("{", False)
    assert tree == f"{name}: 300 entries have the root that was signed\n"
    assert verifier.endswith("WHOLE.\n")
    assert "Verification: OK" in stamped
    assert ("\nTime stamp: " in stamped, "WHOLE.\n" in stamped) == (True, True)
    assert (proofs.count("\nentry "), proofs.count("PROVED.")) == (7, 2)
    assert proofs.endswith(f"PROVED. {name}: 351 entries begin with the 300 of before.\n")


@pytest.mark.django_db
def test_each_part_of_the_page_fails_on_what_it_checks(folder: Path) -> None:
    bundle = next((folder / "log/tile/entries").glob("000"))
    data = bundle.read_bytes()
    bundle.write_bytes(data[:10] + bytes([data[10] ^ 1]) + data[11:])
    head = (folder / "log/checkpoint").read_text()
    (folder / "log/checkpoint").write_text(head.replace("\n300\n", "\n299\n"))
    proofs = (folder / "log-proofs.txt").read_bytes()
    stamp = folder / "log/timestamps/300.checkpoint"
    stamp.write_text(stamp.read_text().replace("\n300\n", "\n299\n"))
    (folder / "log-proofs.txt").write_bytes(proofs.replace(b"\nindex 40\n", b"\nindex 41\n"))
    done = followed(folder)
    assert [status for status, _ in done] == [1] * 6, done


def test_the_single_file_is_the_same_every_time_and_needs_no_package(tmp_path: Path) -> None:
    assert single_file() == single_file()
    path = tmp_path / "verify.pyz"
    path.write_bytes(single_file())
    names = zipfile.ZipFile(path).namelist()
    lines = sum(zipfile.ZipFile(path).read(name).count(b"\n") for name in names if name.startswith("audit/"))
    ran = subprocess.run(
        [sys.executable, "-I", "-S", path, "--help"], capture_output=True, text=True, check=False, env={}
    )
    assert (ran.returncode, ran.stdout.startswith("usage: verify")) == (0, True)
    assert f"{round(lines, -2):,} lines" in PAGE.read_text()
