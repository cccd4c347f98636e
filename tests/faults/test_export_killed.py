"""SIGKILL, EIO and ENOSPC at each file call of the process that makes a pack, one by one: of the facts, activities and proofs that are attached, and of the
pack itself. What is not made is not on record as made, the next run makes it, and nothing is left lying about."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from audit.log.read import of_subject
from audit.packs.actions import request_pack
from audit.packs.models import Pack
from audit.packs.workplaces import JUST_BEGUN_S
from portal.embedded.state import CHECKOUT
from tests.audit.facts.stream import at
from tests.audit.packs import told
from tests.counting import Count
from tests.faults.programs import environment_of
from tests.faults.striking import KINDS, STRACE, below, trace
from tests.worlds import World, actor, make_world

pytestmark = [
    pytest.mark.skipif(STRACE is None, reason="what the process is struck with comes from strace"),
    pytest.mark.django_db(transaction=True),
]
CALLS = (
    "openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "unlinkat", "rmdir", "mkdir", "chmod", "fchmod", "flock",
)  # fmt: skip
TROUBLE = ("A file could not be read or written where packs are made: ", "The signing key ")
IN_EVERY_RUN = [("rename", "KILL", "packs"), ("write", "ENOSPC", "csv"), ("pwrite64", "EIO", "facts")]


@dataclass
class Maker:
    """The program, and where its files lie."""

    world: World
    top: Path
    said: IO[str]
    tells: IO[str]

    def make(self, pack: Pack, *fault: str, listing: bool = False) -> int:
        """Let a child make the pack, with the fault; its status."""
        self._tell(str(pack.pk))
        word, pid = self._hear()
        assert word == "child"
        given = (fault[0], fault[1], int(fault[2])) if fault else (",".join(CALLS), "", 0)
        tracer = trace(int(pid), given, self.top / "trace") if fault or listing else None
        self._tell("")
        word, status = self._hear()
        assert word == "ended"
        if tracer is not None:
            tracer.wait()
        pack.refresh_from_db()
        return int(status)

    def calls(self) -> list[tuple[str, int, str]]:
        """Each file call of a making that nothing strikes: its name, its number, and its line."""
        pack = ask(self.world)
        assert (self.make(pack, listing=True), pack.state) == (0, "made")
        return below([self.top / "data", self.top / "tmp"], self.top / "trace")

    def struck(self, call: str, kind: str, number: int) -> bool:
        """Make a pack with the fault, look, make it again, look; whether there was such a call."""
        pack = ask(self.world)
        status = self.make(pack, call, kind, str(number))
        hit = status == -9 or "INJECTED" in (self.top / "trace").read_text()
        if pack.state != "made":
            assert (pack.state, names(pack)) == ("making", ["pack.requested", *([] if status else ["pack.put_off"])])
            assert status == -9 or pack.trouble.startswith(TROUBLE)
            Pack.objects.filter(pk=pack.pk).update(next_try_at=None)
            assert self.make(pack) == 0
        assert [each for each in names(pack) if each != "pack.put_off"] == ["pack.requested", "pack.made"]
        assert hashlib.sha256(pack.file.read_bytes()).hexdigest() == pack.sha256
        assert self._lying() == sorted(f"{pk}.pdf" for pk in Pack.objects.values_list("pk", flat=True))
        return hit

    def _lying(self) -> list[str]:
        """Packs, and whatever else is there; a folder that could not be removed goes with the next making, one without its lock after a minute."""
        for left in (self.top / "tmp").iterdir():
            os.utime(left, (0, left.stat().st_mtime - JUST_BEGUN_S))
        if any((self.top / "tmp").iterdir()):
            self.make(ask(self.world))
        return sorted(each.name for place in ("data/packs", "tmp") for each in (self.top / place).iterdir())

    def _tell(self, line: str) -> None:
        self.tells.write(f"{line}\n")
        self.tells.flush()

    def _hear(self) -> list[str]:
        return self.said.readline().split()


def ask(world: World) -> Pack:
    return request_pack(
        by=actor(world.otto), start=at("07-01"), end=at("10-01"), systems=[str(world.system.pk)], frameworks=["soc2"],
        purpose="Yearly examination of controls",
    )  # fmt: skip


def names(pack: Pack) -> list[str]:
    return [each.name for each in of_subject(pack.log_subject)]


@pytest.fixture
def maker(tmp_path: Path, settings: Any) -> Iterator[Maker]:
    world = make_world()
    told.quarter().write()
    ask(world)
    settings.PORTAL_DATA = tmp_path / "data"
    for name in ("data", "tmp"):
        (tmp_path / name).mkdir()
    environment = environment_of() | {
        "PORTAL_DATA": str(tmp_path / "data"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": str(CHECKOUT),
    }
    command = [sys.executable, "-m", "tests.faults.packer", str(tmp_path / "prepared")]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        Pack.objects.all().delete()
        yield Maker(world, tmp_path, process.stdout, process.stdin)
        process.stdin.close()


@pytest.mark.parametrize(("call", "kind", "where"), IN_EVERY_RUN)
def test_a_pack_struck_as_it_is_written_is_made_by_the_next_run(maker: Maker, call: str, kind: str, where: str) -> None:
    number = next(number for name, number, line in maker.calls() if name == call and f"/{where}" in line)
    assert (maker.struck(call, kind, number), maker.struck(call, kind, 9_999)) == (True, False)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
def test_a_pack_struck_at_any_file_call_is_made_by_the_next_run(maker: Maker, kind: str, count: Count) -> None:
    calls = maker.calls()
    missed = [line for call, number, line in calls if not maker.struck(call, kind, number)]
    count(f"{kind} at {len(calls)} file calls of the process that makes a pack and its attachments (strace)")
    assert missed == []
    assert len(calls) > 30
