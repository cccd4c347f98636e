"""A demo with a database and two small programs, run by test_supervisor.py in a process of its own.

Arguments: FOLDER PORT [--broken PART] [--slow-step] [--tethered].
The programs write when they start and when they are told to stop.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from portal.embedded import demo, processes
from portal.embedded.postgres import PostgresServer
from portal.embedded.supervisor import Part, Step

PROGRAM = """
import json, os, signal, socket, sys, time
name, folder, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
def write(file, line):
    with open(os.path.join(folder, file), "a") as out:
        out.write(line + "\\n")
def stop(*_):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        state = "database-up"
    except OSError:
        state = "database-gone"
    write("stopped", name + ":" + state)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
write("started", json.dumps({"part": name, "pid": os.getpid()}))
while True:
    time.sleep(0.05)
"""
BROKEN = "import sys; sys.exit('the reason why')"
SLOW = "import pathlib, sys, time; pathlib.Path(sys.argv[2], 'step').touch(); time.sleep(600)"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--broken")
    parser.add_argument("--slow-step", action="store_true")
    parser.add_argument("--tethered", action="store_true")
    given = parser.parse_args()
    if given.tethered:
        demo.end_with_caller()
    folder: Path = given.folder

    def program(name: str, code: str) -> Callable[[], subprocess.Popen[bytes]]:
        return lambda: processes.start(
            [sys.executable, "-c", code, name, str(folder), str(given.port)],
            environment=dict(os.environ) | {processes.MARK: str(folder)},
            folder=folder,
            log=folder / f"{name}.log",
        )

    def part(name: str) -> Part:
        broken = given.broken == name
        seen = folder / "started"

        def ready() -> bool:
            return not broken and seen.exists() and f'"{name}"' in seen.read_text()

        return Part(name, program(name, BROKEN if broken else PROGRAM), folder / f"{name}.log", ready)

    def stages(_folder: Path, _port: int) -> list[Part | Step]:
        place = folder / "postgres" / "portal"
        server = PostgresServer("database", place, given.port, "secret", str(folder), sync=False)
        database = Part("database", server.start, server.output, server.ready, signal.SIGINT, 20, is_server=True)
        slow = [Step("slow", program("slow", SLOW))] if given.slow_step else []
        return [database, *slow, part("first"), part("second")]

    try:
        return demo.run(given.port + 1, folder, stages)
    except demo.Busy as error:
        demo.say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
