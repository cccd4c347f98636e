"""SIGKILL, EIO and ENOSPC at each file call of the two processes that make a PDF, one by one: the same bytes as ever or a sentence."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.packs import render
from audit.packs.jobs import MAY_PASS
from audit.packs.render import (
    ASSETS,
    INHERITED,
    STEPS,
    USUAL,
    Attachment,
    Metadata,
    RenderFailed,
    fonts_conf,
    lay_ready,
)
from portal.embedded.state import CHECKOUT
from tests.audit.packs.pdfs import words_of
from tests.counting import Count
from tests.faults.striking import KINDS, STRACE, calls_below, under_strace

pytestmark = pytest.mark.skipif(STRACE is None, reason="what these processes are struck with comes from strace")
READS = ("openat", "read", "pread64", "getdents64")
WRITES = ("write", "pwrite64", "rename", "unlink", "chmod", "mkdir", "fsync")
MADE = {"draw": ("plain.pdf",), "enclose": ("out.pdf", "pages")}
IN_EVERY_RUN = [("enclose", "write", "ENOSPC"), ("enclose", "write", "KILL"), ("enclose", "read", "EIO")]
PAGE = "<html lang='en'><head><title>A pack</title></head><body><p>A pack <b>of evidence</b></p></body></html>"
FILES = [
    Attachment("activities.csv", b"activity_id,at\n" * 2000, "text/csv", "The rows"),
    Attachment("facts.sqlite", bytes(range(256)) * 64, "application/vnd.sqlite3", "The facts"),
]
ABOUT = Metadata("A pack", "The portal", "Nothing", 1_790_000_000_000, "ab" * 32)


@dataclass
class Scene:
    """One step of a job that lies ready, and what it makes when nothing strikes it."""

    step: str
    top: Path
    made: dict[str, bytes]
    words: str

    def calls(self, kind: str) -> list[tuple[str, int]]:
        """Where the step can be struck: at what it reads and writes of the job, and at the fonts. A reading process never fills a disk."""
        folder = self._laid()
        command = [sys.executable, "-m", "audit.packs.render", self.step, str(folder)]
        names = [*WRITES, *(READS if kind != "ENOSPC" else ["openat"])]
        return calls_below(command, [folder, ASSETS], names, self.top / "list", cwd=CHECKOUT, env=environment(folder))

    def struck(self, call: str, kind: str, number: int, monkeypatch: pytest.MonkeyPatch) -> bool:
        """Make it with the fault, and look; whether it struck."""
        folder, trace = self._laid(), self.top / "trace"
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", str(self._python(under_strace(trace, call, kind, number))))
            failed = _run(self.step, folder)
        if failed is None:
            self._look(folder, fonts="/fonts/" in trace.read_text())
        else:
            assert failed.code in MAY_PASS or kind == "KILL", (call, number, str(failed))
            assert str(folder) not in str(failed)
        if kind == "KILL":  # which looks like any other that the system kills
            return failed is not None and failed.code == "too_long"
        return "INJECTED" in trace.read_text()

    def _look(self, folder: Path, *, fonts: bool) -> None:
        made = {name: (folder / name).read_bytes() for name in MADE[self.step]}
        if made != self.made:  # another of the packaged fonts, where one could not be opened
            assert fonts
            assert words_of(made["plain.pdf"], self.top) == self.words

    def _laid(self) -> Path:
        folder = self.top / "struck"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.top / "base", folder)
        (folder / "fonts.conf").write_text(fonts_conf(folder))
        return folder

    def _python(self, before: list[str]) -> Path:
        file = self.top / "python"
        file.write_text(f'#!/bin/sh\nexec {" ".join(before)} {sys.executable} "$@"\n')
        file.chmod(0o700)
        return file


def _run(step: str, folder: Path) -> RenderFailed | None:
    try:
        render._run(step, folder, USUAL)
    except RenderFailed as error:
        return error
    return None


def environment(folder: Path) -> dict[str, str]:
    """As the process is given it, so that its calls have the same numbers."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {"FONTCONFIG_FILE": str(folder / "fonts.conf"), "HOME": str(folder), "PYTHONHASHSEED": "0"}


def scene(step: str, top: Path) -> Scene:
    base = top / "base"
    base.mkdir()
    lay_ready(base, PAGE, FILES, ABOUT)
    for each in STEPS[: STEPS.index(step)]:
        render._run(each, base, USUAL)
    found = Scene(step, top, {}, "")
    folder = found._laid()
    render._run(step, folder, USUAL)
    found.made = {name: (folder / name).read_bytes() for name in MADE[step]}
    found.words = words_of(found.made[MADE[step][0]], top)
    return found


@pytest.mark.parametrize(("step", "call", "kind"), IN_EVERY_RUN)
def test_a_pdf_struck_as_it_is_written_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, call: str, kind: str
) -> None:
    made = scene(step, tmp_path)
    last = [number for name, number in made.calls(kind) if name == call][-1]
    assert [made.struck(call, kind, number, monkeypatch) for number in (last, 9999)] == [True, False]


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_a_pdf_struck_at_any_file_call_is_the_same_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kind: str, count: Count
) -> None:
    made = scene(step, tmp_path)
    wanted = len(made.calls(kind))
    left = list(range(wanted))
    for _ in range(3):  # what Python reads before it comes to the job is not the same each time
        calls = made.calls(kind)
        assert len(calls) == wanted
        left = [each for each in left if not made.struck(calls[each][0], kind, calls[each][1], monkeypatch)]
    count(f"{kind} at {wanted} file calls of the process that does {step} for a PDF (strace)")
    assert left == []
    assert wanted >= 8
