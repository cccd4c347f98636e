"""SIGKILL, EIO and ENOSPC at each file call of a publication, one by one: what is published is whole up to its head, what was
acknowledged is there, and the next start publishes the rest and leaves nothing lying about."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.log.checkpoint import parse_checkpoint
from audit.log.publishing import publish_once
from audit.log.stores.directory import BESIDE, DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from portal.embedded.state import CHECKOUT
from tests.audit.log.logged import appended, run_signer, sealed
from tests.counting import Count
from tests.faults.programs import running
from tests.servers import wait_until

STRACE = shutil.which("strace")
CALLS = ("openat", "write", "fsync", "link", "rename", "unlink", "unlinkat", "mkdir", "fchmod")
KINDS = ("KILL", "EIO", "ENOSPC")
BEFORE, AFTER = 255, 257
IN_EVERY_RUN = [("link", "KILL"), ("rename", "KILL"), ("fsync", "EIO"), ("write", "ENOSPC")]


@dataclass(frozen=True)
class Recording(DirectoryStore):
    """Notes what the sealer asks of its store."""

    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def put(self, resources: dict[str, bytes]) -> None:
        self.calls.append(("put", (resources,)))
        super().put(resources)

    def move_head(self, before: bytes | None, after: bytes) -> None:
        self.calls.append(("move_head", (before, after)))
        super().move_head(before, after)

    def forget(self, folders: list[str]) -> None:
        self.calls.append(("forget", (folders,)))
        super().forget(folders)


@dataclass
class Scene:
    """A published log of 255 entries, and the recorded publication of two more."""

    top: Path
    old: bytes
    new: bytes

    def struck(self, call: str, kind: str, number: int, *, traced: bool) -> bool:
        """Publish with the fault, look, start again, look; whether there was such a call to strike."""
        place = self.top / "struck"
        shutil.copytree(self.top / "base", place)
        hit, said = _published(place, self.top / "calls", f"{call}:{kind}:{number}", traced=traced)
        assert said in {"killed", "done", "refused"}
        self._look(place, said)
        store = DirectoryStore(place / "log", begun=time.time() + 1)
        store.check()
        publish_once(connection, store, [run_signer().verifier()])
        assert _size(place) == AFTER
        assert [each.name for each in place.rglob("*") if BESIDE.fullmatch(each.name) and each.parent != place] == []
        shutil.rmtree(place)
        return hit

    def _look(self, place: Path, said: str) -> None:
        assert _size(place) in {BEFORE, AFTER}
        if said == "done":
            assert _size(place) == AFTER
        assert (place / "seen").read_bytes() in {self.old, self.new}


def _size(place: Path) -> int:
    """Of what is published, after all of it was verified."""
    verdict, _, head = check(Folder(place / "log"), Wanted([run_signer().verifier()]))
    assert (verdict.damages, head is not None) == ([], True)
    return verdict.size


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    keys = [run_signer().verifier()]
    base = tmp_path / "base"
    store = Recording(base / "log")
    sealed(BEFORE)
    publish_once(connection, store, keys)
    old = (base / "log/checkpoint").read_bytes()
    (base / "seen").write_bytes(old)
    shutil.copytree(base, tmp_path / "after")
    sealed(AFTER - BEFORE)
    store = Recording(tmp_path / "after/log")
    publish_once(connection, store, keys)
    new = (tmp_path / "after/log/checkpoint").read_bytes()
    assert [name for name, _ in store.calls] == ["put", "move_head", "forget"]
    (tmp_path / "calls").write_bytes(pickle.dumps([*store.calls, ("remember", (new,))]))
    return Scene(tmp_path, old, new)


def _published(place: Path, recorded: Path, fault: str, *, traced: bool) -> tuple[bool, str]:
    """Run the program; whether the fault struck, and how it ended."""
    command = [sys.executable, "-m", "tests.faults.publisher", str(place), str(recorded), "" if traced else fault]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        tracer = _trace(process.pid, fault, place.parent / "trace") if traced else None
        process.stdin.write("\n")
        process.stdin.close()
        words = process.stdout.read().split()
        status = process.wait()
    if tracer is not None:
        tracer.wait()
    said = "killed" if status == -signal.SIGKILL else words[-1]
    hit = "hit" in words or (tracer is not None and "INJECTED" in (place.parent / "trace").read_text())
    return hit or said == "killed", said


def _trace(pid: int, fault: str, into: Path, *, threads: bool = False) -> subprocess.Popen[bytes]:
    assert STRACE is not None
    call, kind, number = fault.split(":")
    what = "signal=KILL" if kind == "KILL" else f"error={kind}"
    tracer = subprocess.Popen(
        [
            STRACE,
            "-qq",
            *(["-f"] if threads else []),
            "-o",
            str(into),
            "-p",
            str(pid),
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:{what}:when={number}",
        ]
    )
    wait_until(lambda: _is_traced(pid, tracer.pid), "the tracer to take hold")
    return tracer


def _is_traced(pid: int, by: int) -> bool:
    return f"TracerPid:\t{by}\n" in Path(f"/proc/{pid}/status").read_text()


@pytest.mark.django_db
@pytest.mark.parametrize(("call", "kind"), IN_EVERY_RUN)
def test_a_publication_struck_in_the_program_is_whole(scene: Scene, call: str, kind: str) -> None:
    assert [scene.struck(call, kind, number, traced=False) for number in (1, 2, 99)] == [True, True, False]


@pytest.mark.faults
@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_a_publication_struck_at_any_file_call_is_whole(scene: Scene, kind: str, count: Count) -> None:
    """By strace, at the system calls themselves; where there is none, in the program."""
    traced = STRACE is not None
    counts = {}
    for call in CALLS if traced else [each for each in CALLS if each != "unlinkat"]:
        number = 1
        while scene.struck(call, kind, number, traced=traced):
            number += 1
        counts[call] = number - 1
    count(f"{kind} at {sum(counts.values())} file calls ({'strace' if traced else 'shim'}): {counts}")
    assert counts["link"] == 5
    assert counts["rename"] == 2
    assert all(counts.values())


def _sealer_struck(call: str, kind: str, number: int) -> list[str]:
    what = "signal=KILL" if kind == "KILL" else f"error={kind}"
    fault = f"inject={call}:{what}:when={number}"
    return [
        str(STRACE),
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={call}",
        "-e",
        fault,
        sys.executable,
        "manage.py",
        "sealer",
    ]


SEALER_CASES = [(call, kind, number) for call in ("link", "rename", "fsync") for kind in KINDS for number in (1, 2, 3)]


@pytest.mark.faults
@pytest.mark.skipif(
    STRACE is None, reason="what the sealer's process is struck with comes from strace; the test above has a shim"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("call", "kind", "number"), SEALER_CASES)
def test_a_sealer_struck_while_it_publishes_goes_on_or_is_started_again(
    tmp_path: Path, call: str, kind: str, number: int
) -> None:
    folder = tmp_path / "log"
    environment = {"PORTAL_LOG_STORE": str(folder), "PORTAL_LOG_SEEN_FILE": str(tmp_path / "seen")}

    def published() -> int:
        head = folder / "checkpoint"
        return parse_checkpoint(head.read_bytes()).checkpoint.size if head.exists() else 0

    appended(2)
    with running(*_sealer_struck(call, kind, number), role="sealer", environment=environment) as struck:
        wait_until(lambda: not struck.lives() or published() == 2, f"the sealer\n{struck.said}", 60)
    if published():
        assert _size(tmp_path) == 2
    appended(1)
    with running("sealer", role="sealer", environment=environment) as again:
        wait_until(lambda: published() == 3, f"the next sealer\n{again.said}", 60)
    assert _size(tmp_path) == 3


@pytest.mark.faults
@pytest.mark.skipif(STRACE is None, reason="what the sealer's process is struck with comes from strace")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", CALLS)
def test_a_sealer_killed_at_any_of_its_file_calls_starts_clean(tmp_path: Path, call: str, count: Count) -> None:
    """The running process, one call further each time, until there is no such call; the next sealer is the next one that is struck."""
    folder = tmp_path / "log"
    environment = {"PORTAL_LOG_STORE": str(folder), "PORTAL_LOG_SEEN_FILE": str(tmp_path / "seen")}

    def published() -> int:
        head = folder / "checkpoint"
        return parse_checkpoint(head.read_bytes()).checkpoint.size if head.exists() else 0

    appended(2)
    size, number, killed = 2, 1, True
    while killed:
        with running("sealer", role="sealer", environment=environment) as sealer:
            wait_until(lambda: published() == size, f"the sealer to publish what it found\n{sealer.said}", 60)  # noqa: B023 - used in this turn
            tracer = _trace(sealer.process.pid, f"{call}:KILL:{number}", tmp_path / "trace", threads=True)
            appended(1)
            wait_until(lambda: not sealer.lives() or published() == size + 1, f"the kill\n{sealer.said}", 60)  # noqa: B023 - likewise
            if sealer.lives():  # the memory is written beside the publication, in another thread
                wait_until(lambda: _remembered(tmp_path) == size + 1 or not sealer.lives(), "the memory", 60)  # noqa: B023 - likewise
            killed = not sealer.lives()
            assert not killed or sealer.process.returncode == -signal.SIGKILL
        tracer.wait()
        assert _size(tmp_path) in {size, size + 1}
        size, number = size + 1, number + (1 if killed else 0)
    with running("sealer", role="sealer", environment=environment) as last:
        wait_until(lambda: published() == size, f"the last sealer\n{last.said}", 60)
    assert [each.name for each in folder.rglob("*") if BESIDE.fullmatch(each.name)] == []
    count(f"sealer killed at {number - 1} calls of {call}")


def _remembered(place: Path) -> int:
    return parse_checkpoint((place / "seen").read_bytes()).checkpoint.size
