"""Start, find and stop processes: tethered to this one, marked as ours, stopped as a whole group."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

TETHER = Path(__file__).with_name("tether.py")
# Every process that we start carries this name in its environment, with the folder of its state as value: so what an
# earlier run left behind is known as ours, whatever its pid, and nobody else's process ever is.
MARK = "PORTAL_EMBEDDED"


class CouldNotStart(Exception):
    """A process ended or did not answer; the sentence names its log."""


@dataclass(frozen=True)
class Account:
    """Whom a program runs as; ids of the operating system."""

    uid: int
    gid: int


def start(
    command: list[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    death_signal: signal.Signals = signal.SIGKILL,
    account: Account | None = None,
    answer: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a group of its own; it gets `death_signal` when we end.

    What it prints is added to `log`; with `answer`, its standard output alone goes into that file.
    """
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    tethered = [sys.executable, "-I", "-S", str(TETHER), str(int(death_signal)), str(os.getpid()), str(uid), str(gid)]
    with log.open("ab") as errors, answer.open("wb") if answer else contextlib.nullcontext(errors) as output:
        return subprocess.Popen(
            [*tethered, *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals | None, *, patience: float) -> bool:
    """Ask the process to end, wait `patience` seconds, then end its whole group. False when it had to be forced.

    Without a signal it was asked already.
    """
    asked = True
    if process.poll() is None:
        if stop_signal is not None:
            process.send_signal(stop_signal)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            asked = False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return asked


def alive(pid: int) -> bool:
    """Whether the process runs. A zombie does not: an init that never reaps leaves them about."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def leftovers(mark: str) -> list[psutil.Process]:
    """Living processes, other than this one, that carry our mark."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _carries(process, mark)]


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False


def end_all(processes: Iterable[psutil.Process], *, patience: float) -> None:
    """Ask all to end; after `patience` seconds end them."""
    found = list(processes)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    for process in wait_until_gone(found, patience):
        with contextlib.suppress(psutil.Error):
            process.kill()
    wait_until_gone(found, 5)


def wait_until_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after at most `seconds`."""
    end = time.monotonic() + seconds
    living = [process for process in processes if alive(process.pid)]
    while living and time.monotonic() < end:
        time.sleep(0.02)
        living = [process for process in living if alive(process.pid)]
    return living
