"""A program without Django that publishes as the sealer did, or backs up, when the calls were recorded, and whose Nth file call of a kind can be made to fail.

It says ``ready``, waits for a line, so that a tracer can take hold of it, and ends with ``done`` or ``refused``.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit.log.durable import write_whole
from audit.log.stores import StoreUnavailable
from audit.log.stores.directory import DirectoryStore

OURS = {
    "openat": "open", "fsync": "fsync", "link": "link", "rename": "replace", "unlink": "unlink", "mkdir": "mkdir", "fchmod": "fchmod",
}  # fmt: skip


def main(folder: str, recorded: str, fault: str) -> None:
    """Replay the recorded calls."""
    stores = {
        "log": DirectoryStore(Path(folder) / "log"),
        "rest": DirectoryStore(Path(folder), head="manifest"),  # of a backup
    }
    say("ready")
    sys.stdin.readline()
    if fault:
        shim(*fault.split(":"))
    try:
        for name, arguments in pickle.loads(Path(recorded).read_bytes()):
            if name == "remember":
                write_whole(Path(folder) / "seen", *arguments)
            else:
                place, _, call = name.rpartition(".")
                getattr(stores[place or "log"], call)(*arguments)
    except (StoreUnavailable, OSError):
        say("refused")
    else:
        say("done")


def say(word: str) -> None:
    """To whoever started us; never through a call that a fault may hit."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def shim(call: str, kind: str, number: str) -> None:
    """The same as strace injects, where there is no strace."""
    count = 0

    def struck(real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count != int(number):
                return real(*arguments, **named)
            say("hit")
            if kind == "KILL":
                os.kill(os.getpid(), signal.SIGKILL)
            error = {"EIO": 5, "ENOSPC": 28}[kind]
            raise OSError(error, os.strerror(error))

        return instead

    if call == "write":
        real_open = os.fdopen

        def opened(*arguments: Any, **named: Any) -> Any:
            file = real_open(*arguments, **named)
            file.flush = struck(file.flush)  # where what was buffered is written
            return file

        os.fdopen = opened
    else:
        setattr(os, OURS[call], struck(getattr(os, OURS[call])))


if __name__ == "__main__":
    main(*sys.argv[1:])
