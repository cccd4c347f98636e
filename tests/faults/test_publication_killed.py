"""SIGKILL, EIO and ENOSPC at each file call of a publication, one by one: what is published is whole up to its head, what was
acknowledged is there, and the next start publishes the rest and leaves nothing lying about."""

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
from audit.log.publishing import publish_once
from audit.log.stores.directory import BESIDE, DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from tests.audit.log.logged import appended, run_signer, sealed
from tests.counting import Count
from tests.faults.programs import running
from tests.faults.striking import CALLS, KINDS, STRACE, injected, replayed, strike_each, trace
from tests.servers import wait_until

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


def _sealer_struck(call: str, kind: str, number: int) -> list[str]:
    return [str(STRACE), "-qq", "-o", "/dev/null", *injected(call, kind, number), sys.executable, "manage.py", "sealer"]


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
            tracer = trace(sealer.process.pid, (call, "KILL", number), tmp_path / "trace", threads=True)
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
