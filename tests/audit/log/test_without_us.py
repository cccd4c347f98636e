"""The page "Check us without us": its commands, as printed, in a folder with the published files, the key and the single file."""

import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from audit.events.retention import DAY_MS
from audit.log import rotation
from audit.log.append import Actor, Entry, append_many, clock, now_ms
from audit.log.checkpoint import log_key_text
from audit.log.checkpoints import public_keys
from audit.log.cutting import cut_published
from audit.log.keys import generate
from audit.log.note import VerifierKey
from audit.log.pages import growth_file
from audit.log.proof import parse_proof, parse_proofs
from audit.log.publishing import publish_once, publish_timestamps, read_head
from audit.log.read import size
from audit.log.sealing import seal_once
from audit.log.signing import parse_signer_key
from audit.log.single_file import single_file
from audit.log.stores.directory import DirectoryStore
from audit.log.timestamps import taking
from audit.packs.position import as_files, newest
from audit.packs.proofs import of_entries
from tests.audit.log.logged import TEST, run_signer
from tests.authority import authority_in, serving

PAGE = Path(__file__).parents[3] / "docs" / "auditor" / "without-us.md"
BLOCKS = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


SEARCH = {"search_id": "s", "list": "cases", "name": "Ada's", "query": "q", "shared": False}
OLD = int(time.time() * 1000) - 3000 * DAY_MS
DECIDED = {"cut_id": "c", "minimum_index": 256}
CUT = DECIDED | {"from_index": 0, "from_at": OLD, "to_at": OLD, "keep_until": OLD, "reason": "Its time has come."}


class Log:
    """Where the entries come from that a stranger finds, with the key that signs at present."""

    def __init__(self, kind: str, settings: Any, store: DirectoryStore) -> None:
        """A log of 300 entries or more, published."""
        self.signer, self.settings, self.store = run_signer(), settings, store
        self.settings.PORTAL_LOG_PUBLIC_KEY = self.signer.verifier().text()
        with clock(lambda: OLD) if kind == "cut" else nullcontext():
            self.grow(299)
        if kind == "rotated":
            self.rotate()
        self.grow(1)
        if kind == "cut":
            self.publish()
            self.cut()

    def grow(self, count: int) -> None:
        """More entries, each with a personal value, under a checkpoint."""
        with transaction.atomic():
            append_many([Entry("search.saved", TEST, dict(SEARCH)) for _ in range(count)])
        self.seal()

    def seal(self) -> None:
        """All that waits, under one checkpoint."""
        seal_once(connection, self.signer, now_ms(), trusted=public_keys())

    def rotate(self) -> None:
        """The next key signs from now on, and the first is retired once it has signed."""
        following = parse_signer_key(generate(self.signer.name)[0])
        self.settings.PORTAL_LOG_PUBLIC_KEY = lines(rotation.announced(public_keys(), following.verifier(), size()))
        self.signer = following
        self.grow(1)
        self.settings.PORTAL_LOG_PUBLIC_KEY = lines(rotation.retired(public_keys()))
        assert self.settings.PORTAL_LOG_PUBLIC_KEY.count("@") == 2

    def cut(self) -> None:
        """The first bundle is old enough to go, and goes."""
        with transaction.atomic():
            append_many(
                [
                    Entry("cut.proposed", Actor("a"), DECIDED | {"reason": "Its time has come."}),
                    Entry("cut.approved", Actor("b"), DECIDED | {"asked_by": "a", "approved_by": "b"}),
                    Entry("log.cut", TEST, CUT | {"asked_by": "a", "approved_by": "b"}),
                ]
            )
        self.seal()
        self.publish()
        with connection.cursor() as cursor:
            assert cut_published(cursor, self.store, size()).count == 1

    def publish(self) -> None:
        publish_once(connection, self.store, public_keys())


def lines(keys: Sequence[VerifierKey]) -> str:
    return "\n".join(log_key_text(key) for key in keys)


@pytest.fixture(params=["fresh", "rotated", "cut"])
def folder(tmp_path: Path, settings: Any, request: pytest.FixtureRequest) -> Path:
    """What a stranger holds."""
    log = Log(request.param, settings, DirectoryStore(tmp_path / "published"))
    with serving(authority_in(tmp_path / "authority")) as authority:
        settings.PORTAL_TIMESTAMP_URL, settings.PORTAL_TIMESTAMP_ROOTS = authority.address, str(authority.root)
        assert taking.run_due() == 1
    authority.root.rename(tmp_path / "authority.pem")
    position = newest()
    log.publish()
    head = read_head(log.store, public_keys())
    assert head is not None
    publish_timestamps(connection, log.store, head, position.size - 1)
    (tmp_path / "log.pub").write_text(settings.PORTAL_LOG_PUBLIC_KEY + "\n")
    (attached,) = as_files(position)[:1]
    (tmp_path / attached.name).write_bytes(bytes(attached.data))
    (tmp_path / "log-proofs.txt").write_bytes(bytes(of_entries(range(0, 300, 40), position).file.data))
    log.grow(50)
    (tmp_path / "log-grown-since.txt").write_bytes(growth_file(position.size) or b"")
    call_command("verifier", out=tmp_path / "verify.pyz", stdout=StringIO())
    return tmp_path


def surroundings(folder: Path) -> dict[str, str]:
    """Of the page's commands: nothing of ours is on the path."""
    path = os.pathsep.join([os.defpath, f"{sys.base_prefix}/bin"])
    return {"PATH": path, "LC_ALL": "C.UTF-8", "FROM": str(folder / "published")}


def followed(folder: Path) -> list[tuple[int, str]]:
    """Each shell block after the copy in its order, in that folder; a block of Python is the file that the next one runs."""
    (_, copy), *blocks = BLOCKS.findall(PAGE.read_text())
    if not (folder / "log").exists():
        subprocess.run(["bash", "-eu", "-c", copy], cwd=folder, check=True, env=surroundings(folder))
    done = []
    for language, text in blocks:
        if language == "python":
            (folder / "tree.py").write_text(text)
            continue
        ran = subprocess.run(
            ["bash", "-eu", "-c", text], cwd=folder, capture_output=True, text=True, check=False, env=surroundings(folder),
        )  # fmt: skip
        done.append((ran.returncode, ran.stdout + ran.stderr))
    return done


@pytest.mark.django_db
def test_every_command_of_the_page_does_what_it_says(folder: Path) -> None:
    done = followed(folder)
    assert [status for status, _ in done] == [0] * 6, done
    signature, entry, tree, verifier, proofs, stamped = (said for _, said in done)
    name, at = (folder / "log/checkpoint").read_text().split("\n")[:2]
    gone = not (folder / "log/tile/entries/000").exists()
    assert signature.startswith(f"Signature Verified Successfully\n{name}\n{at}\n")
    assert (entry[0], "Ada" in entry) == ("{", False)
    read = "of those before 256 that were cut only the hashes are there\n" if gone else ""
    assert tree == f"{name}: {at} entries have the root that was signed\n{read}"
    whole = "WHOLE from entry 256 on; those before it were removed by a signed cut.\n" if gone else "WHOLE.\n"
    assert (verifier.endswith(whole), f"\n{whole}" in stamped) == (True, True)
    assert ("Verification: OK" in stamped, "\nTime stamp: " in stamped) == (True, True)
    assert (proofs.count("\nentry "), proofs.count("PROVED.")) == (7, 2)
    assert proofs.endswith(f"PROVED. {name}: {int(at) + 51} entries begin with the {at} of before.\n")
    cut_out = next(part for part in PAGE.read_text().split("`") if part.startswith("csplit"))
    subprocess.run(cut_out, shell=True, cwd=folder, capture_output=True, check=True)
    single = [each.read_bytes() for each in sorted(folder.glob("xx*")) if each.stat().st_size]
    assert [parse_proof(each) for each in single] == [*parse_proofs((folder / "log-proofs.txt").read_bytes())]
    assert len(single) == 8


@pytest.mark.django_db
def test_each_part_of_the_page_fails_on_what_it_checks(folder: Path) -> None:
    bundle = min((folder / "published/tile/entries").rglob("[0-9]*[0-9]"))
    data = bundle.read_bytes()
    bundle.write_bytes(data[:10] + bytes([data[10] ^ 1]) + data[11:])
    at = (folder / "published/checkpoint").read_text().split("\n")[1]
    for head in (folder / "published/checkpoint", folder / f"published/timestamps/{at}.checkpoint"):
        head.write_text(head.read_text().replace(f"\n{at}\n", f"\n{int(at) - 1}\n"))
    proofs = (folder / "log-proofs.txt").read_bytes()
    (folder / "log-proofs.txt").write_bytes(proofs.replace(b"\nindex 40\n", b"\nindex 41\n"))
    done = followed(folder)
    assert [status for status, _ in done] == [1] * 6, done


def changed(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.django_db
@pytest.mark.parametrize("folder", ["rotated"], indirect=True)
def test_what_is_signed_with_a_retired_key_is_found_by_openssl_and_by_the_verifier(folder: Path) -> None:
    at = int((folder / "published/checkpoint").read_text().split("\n")[1])
    changed(folder / "log.pub", f"@{at - 2}-", f"@0-{at - 1}")
    done = followed(folder)
    assert [status for status, _ in done[:1] + done[3:5]] == [1] * 3, done
    assert done[0][1].startswith(f"not valid for {at} entries: ")


@pytest.mark.django_db
@pytest.mark.parametrize("folder", ["cut"], indirect=True)
def test_a_bundle_that_no_cut_names_is_missed_by_the_fifty_lines_too(folder: Path) -> None:
    """The rest of the log is gone as well."""
    at = (folder / "published/checkpoint").read_text().split("\n")[1]
    for each in (folder / "published/tile/entries/001.p").iterdir():
        each.unlink()
    done = followed(folder)
    assert [status for status, _ in done[2:4]] == [1, 1]
    assert f"entries before {at} are missing, and no entry log.cut says so" in done[2][1]


SLOWLY = """
import os, pathlib, shutil, sys

def copy(place, into):  # as cp does: a folder is listed once, then each of its names is looked at
    if not place.exists():
        sys.exit(1)
    if place.is_dir():
        into.mkdir(exist_ok=True)
        return [copy(place / name, into / name) for name in sorted(os.listdir(place), reverse=True) if (place / name).exists()]
    os.write({asks}, b".")
    os.read({told}, 1)
    if place.exists() and not (into.exists() and into.stat().st_mtime >= place.stat().st_mtime):
        shutil.copyfile(place, into)

copy(pathlib.Path(sys.argv[-2]), pathlib.Path(sys.argv[-1]) / pathlib.Path(sys.argv[-2]).name)
"""


def copied_slowly(folder: Path, block: str, between: Callable[[], None]) -> None:
    """Run a block with a ``cp`` that waits before each file until something else was done."""
    (asked, asks), (told, tells) = os.pipe(), os.pipe()
    shim = folder / "bin" / "cp"
    shim.parent.mkdir()
    shim.write_text(f"#!{sys.executable}\n" + SLOWLY.replace("{asks}", str(asks)).replace("{told}", str(told)))
    shim.chmod(0o755)
    env = surroundings(folder)
    env["PATH"] = os.pathsep.join([str(shim.parent), env["PATH"]])
    with subprocess.Popen(["bash", "-eu", "-c", block], cwd=folder, pass_fds=[asks, told], env=env) as run:
        os.close(asks)
        os.close(told)
        while os.read(asked, 1):
            between()
            os.write(tells, b".")
    os.close(asked)
    os.close(tells)
    assert run.returncode == 0


@pytest.mark.django_db
def test_a_copy_that_is_taken_slowly_while_the_log_grows_is_whole(tmp_path: Path, settings: Any) -> None:
    """Partial tiles go as soon as they may, which is worse than what the sealer does."""
    log = Log("fresh", settings, DirectoryStore(tmp_path / "published"))
    log.publish()
    (tmp_path / "log.pub").write_text(settings.PORTAL_LOG_PUBLIC_KEY)
    call_command("verifier", out=tmp_path / "verify.pyz", stdout=StringIO())

    def grow() -> None:
        log.grow(70)
        log.publish()

    copied_slowly(tmp_path, BLOCKS.findall(PAGE.read_text())[0][1], grow)
    assert size() > 300 + 5 * 70
    words = [sys.executable, "verify.pyz", "log", "--key-file", "log.pub"]
    ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env={})
    assert (ran.returncode, ran.stdout.endswith("WHOLE.\n")) == (0, True), ran.stdout


def test_the_single_file_is_the_same_every_time_and_needs_no_package(tmp_path: Path) -> None:
    assert single_file() == single_file()
    path = tmp_path / "verify.pyz"
    path.write_bytes(single_file())
    names = zipfile.ZipFile(path).namelist()
    lines = sum(zipfile.ZipFile(path).read(name).count(b"\n") for name in names)
    ran = subprocess.run(
        [sys.executable, "-I", "-S", path, "--help"], capture_output=True, text=True, check=False, env={}
    )
    assert (ran.returncode, ran.stdout.startswith("usage: verify")) == (0, True)
    assert f"{round(lines, -2):,} lines" in PAGE.read_text()
