"""SIGKILL, EIO and ENOSPC at each file call of a publication, one by one: what is published is whole up to its head, what was
acknowledged is there, and the next start publishes the rest and leaves nothing lying about."""

import contextlib
import itertools
import pickle
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.log.checkpoint import parse_checkpoint
from audit.log.heartbeats import last_beat
from audit.log.models import Heartbeat
from audit.log.publishing import publish_once
from audit.log.stores import Still, always
from audit.log.stores.directory import BESIDE, DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from tests.audit.log.logged import appended, run_signer, sealed
from tests.counting import Count
from tests.faults.programs import Program, running
from tests.faults.striking import CALLS, KINDS, STRACE, replayed, strike_each, threads_of, trace
from tests.servers import wait_until

BEFORE, AFTER = 255, 257
CALLS_TO_SEAL = frozenset({"openat", "write", "fsync", "rename", "unlink"})  # it remembers what it signed
AT_ONCE = """
import os, sys
from django.core.management import execute_from_command_line
from audit.log import outgrown

class AtOnce(outgrown.Outgrown):
    def __init__(self):
        super().__init__(kept_s=0.0)

outgrown.Outgrown = AtOnce  # before the publisher takes it from there
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
execute_from_command_line(["manage.py", "sealer"])
"""
IN_EVERY_RUN = [("link", "KILL"), ("rename", "KILL"), ("fsync", "EIO"), ("write", "ENOSPC")]


@dataclass(frozen=True)
class Recording(DirectoryStore):
    """Notes what the sealer asks of its store."""

    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def put(self, resources: dict[str, bytes], still: Still = always) -> None:
        self.calls.append(("put", (resources,)))
        super().put(resources, still)

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
        hit, said = replayed(place, self.top / "calls", (call, kind, number), traced=traced)
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
    verdict, head = check(Folder(place / "log"), Wanted([run_signer().verifier()]))
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


@pytest.mark.django_db
@pytest.mark.parametrize(("call", "kind"), IN_EVERY_RUN)
def test_a_publication_struck_in_the_program_is_whole(scene: Scene, call: str, kind: str) -> None:
    assert [scene.struck(call, kind, number, traced=False) for number in (1, 2, 99)] == [True, True, False]


@pytest.mark.faults
@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_a_publication_struck_at_any_file_call_is_whole(scene: Scene, kind: str, count: Count) -> None:
    def struck(call: str, number: int, traced: bool) -> bool:
        return scene.struck(call, kind, number, traced=traced)

    counts = strike_each(struck, kind, count)
    assert counts["link"] == 5
    assert counts["rename"] == 2
    assert all(counts.values())


@dataclass
class Sealers:
    """One sealer after the other on one log, each struck at one of its file calls while it seals and publishes."""

    place: Path
    call: str
    kind: str
    size: int = 0

    def struck(self, thread: int, number: int) -> bool:
        """Let one seal what is appended now, struck at that call of that thread, and look; whether there was such a call.

        The first thread seals and remembers, the second publishes; strace counts the calls of each apart, and so does this.
        """
        # Folders of partial tiles are removed only where a tile has become full.
        wanted, more = self.size, 256 if self.call == "unlinkat" else 1
        Heartbeat.objects.all().delete()
        with self._running() as sealer:
            wait_until(lambda: self._rests(wanted), f"the sealer to publish {wanted}", 60)
            fault = (self.call, self.kind, number)
            tracer = trace(threads_of(sealer.process.pid)[thread], fault, self.place / "trace")
            appended(more)
            wait_until(lambda: not sealer.lives() or self._done(wanted + more), f"the seal\n{sealer.said}", 60)
            sealer.stop()  # after what is under way, so that nothing was left unstruck
            tracer.wait()
            said = sealer.said
        assert sealer.process.returncode in ((0, -signal.SIGKILL) if self.kind == "KILL" else (0,)), said
        assert _size(self.place) in {wanted, wanted + more}
        self.size += more
        return "INJECTED" in (self.place / "trace").read_text() or sealer.process.returncode == -signal.SIGKILL

    def start_clean(self) -> None:
        """The last one publishes what is left, and nothing lies about."""
        with self._running() as last:
            wait_until(lambda: self._told("log/checkpoint") == self.size, f"the last sealer\n{last.said}", 60)
        assert _size(self.place) == self.size
        assert [each.name for each in (self.place / "log").rglob("*") if BESIDE.fullmatch(each.name)] == []

    def _running(self) -> contextlib.AbstractContextManager[Program]:
        files = {"PORTAL_LOG_STORE": self.place / "log", "PORTAL_LOG_SEEN_FILE": self.place / "seen"}
        # Partial tiles wait for an hour before they go; no test waits for that.
        command = [sys.executable, "-c", AT_ONCE] if self.call == "unlinkat" else ["sealer"]
        return running(*command, role="sealer", environment={name: str(file) for name, file in files.items()})

    def _rests(self, size: int) -> bool:
        """Whether it has begun, and has published all: what it opens from here on belongs to what is appended next."""
        beat = last_beat("sealer")
        return beat is not None and bool(beat.detail["published"] == size)

    def _told(self, name: str) -> int:
        file = self.place / name
        return parse_checkpoint(file.read_bytes()).checkpoint.size if file.exists() else 0

    def _done(self, size: int) -> bool:
        """Published, and remembered in the other thread, unless that was what the fault struck."""
        if self._told("log/checkpoint") != size:
            return False
        return self._told("seen") == size or "INJECTED" in (self.place / "trace").read_text()


@pytest.mark.faults
@pytest.mark.skipif(STRACE is None, reason="what the sealer's process is struck with comes from strace")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_sealer_struck_at_any_of_its_file_calls_goes_on_or_starts_clean(
    tmp_path: Path, call: str, kind: str, count: Count
) -> None:
    """Each thread of the running process, one call further each time, until there is no such call."""
    appended(2)
    sealers = Sealers(tmp_path, call, kind, size=2)
    struck = [
        next(number for number in itertools.count() if not sealers.struck(thread, number + 1)) for thread in (0, 1)
    ]
    sealers.start_clean()
    count(f"{kind} of a sealer at {struck[0]} calls of {call} where it seals, and {struck[1]} where it publishes")
    assert [each > 0 for each in struck] == [call in CALLS_TO_SEAL, True], struck
