"""One file call made to fail, or the process killed there: by strace, at the system calls themselves, or in the program."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from portal.embedded.state import CHECKOUT
from tests.counting import Count
from tests.servers import wait_until

STRACE = shutil.which("strace")
CALLS = ("openat", "write", "fsync", "link", "rename", "unlink", "unlinkat", "mkdir", "fchmod")
NO_SHIM = "unlinkat"
KINDS = ("KILL", "EIO", "ENOSPC")


def strike_each(struck: Callable[[str, int, bool], bool], kind: str, count: Count) -> dict[str, int]:
    """Strike at each number of each call until there is no such call any more; how many there were.

    ``struck`` is told the call, its number and whether to use strace, and says whether there was one to strike.
    """
    traced = STRACE is not None
    counts = {}
    for call in CALLS if traced else [each for each in CALLS if each != NO_SHIM]:
        number = 1
        while struck(call, number, traced):
            number += 1
        counts[call] = number - 1
    count(f"{kind} at {sum(counts.values())} file calls ({'strace' if traced else 'shim'}): {counts}")
    return counts


def injected(call: str, kind: str, number: int) -> list[str]:
    """What strace is told, so that the fault is at that call; without a kind it only lists."""
    if not kind:
        return ["-e", f"trace={call}"]
    what = "signal=KILL" if kind == "KILL" else f"error={kind}"
    return ["-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}"]


def under_strace(into: Path, call: str, kind: str, number: int) -> list[str]:
    """What is put before a command, so that its process is struck there; what happened stands in the file."""
    return [str(STRACE), "-qq", "-y", "-e", "signal=none", "-o", str(into), *injected(call, kind, number)]


def calls_below(
    command: list[str], folders: Sequence[Path], calls: Sequence[str], into: Path, **how: Any
) -> list[tuple[str, int]]:
    """Run a command, and list its calls on what lies below these folders: each call with its number among those of its name."""
    given = [str(STRACE), "-qq", "-y", "-e", "signal=none", "-o", str(into), "-e", f"trace={','.join(calls)}", *command]
    subprocess.run(given, check=True, capture_output=True, **how)
    return [(name, number) for name, number, _ in below(folders, into)]


def below(folders: Sequence[Path], listed: Path) -> list[tuple[str, int, str]]:
    """The calls of a trace on what lies below these folders: name, number among those of its name, and the line of the trace."""
    numbers: Counter[str] = Counter()
    found = []
    for line in listed.read_text(errors="replace").splitlines():
        name = line.partition("(")[0]
        numbers[name] += 1
        if any(f"{folder}/" in line for folder in folders):
            found.append((name, numbers[name], line))
    return found


def replayed(place: Path, recorded: Path, fault: tuple[str, str, int], *, traced: bool) -> tuple[bool, str]:
    """Run `publisher.py`; whether the fault struck, and how it ended."""
    shim = "" if traced else ":".join(map(str, fault))
    command = [sys.executable, "-m", "tests.faults.publisher", str(place), str(recorded), shim]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        tracer = trace(process.pid, fault, place.parent / "trace") if traced else None
        process.stdin.write("\n")
        process.stdin.close()
        words = process.stdout.read().split()
        status = process.wait()
    if tracer is not None:
        tracer.wait()
    said = "killed" if status == -signal.SIGKILL else words[-1]
    hit = "hit" in words or (tracer is not None and "INJECTED" in (place.parent / "trace").read_text())
    return hit or said == "killed", said


def trace(thread: int, fault: tuple[str, str, int], into: Path) -> subprocess.Popen[bytes]:
    """Strike one thread of a process that runs already, from now on; it is taken hold of when this returns."""
    assert STRACE is not None
    tracer = subprocess.Popen(
        [STRACE, "-qq", "-y", "-e", "signal=none", "-o", str(into), "-p", str(thread), *injected(*fault)]
    )
    wait_until(lambda: tracer.poll() is not None or _is_traced(thread, tracer.pid), "the tracer to take hold")
    return tracer


def threads_of(pid: int) -> list[int]:
    """The first is the one it began with, whose number is that of the process; the numbers of the others may be lower."""
    found = {int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()}
    return [pid, *sorted(found - {pid})]


def _is_traced(thread: int, by: int) -> bool:
    try:
        return f"TracerPid:\t{by}\n" in Path(f"/proc/{thread}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # struck already, and gone
        return False
