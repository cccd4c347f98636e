"""`python -m tests.benchmarks [NAME ...]`: measure, print one row for each figure, fail when a bar is missed.

The servers are the demo's, with their data on disk as it must be there. Each benchmark runs in a process and a database of its own.
"""

import argparse
import importlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.embedded import ports
from portal.embedded.databases import PORTAL_SETTINGS
from portal.embedded.postgres import PostgresServer
from tests import servers
from tests.benchmarks.rows import Row, table
from tests.servers import new_folder

BENCHMARKS = (
    "appending",
    "sealing",
    "publishing",
    "verifying",
    "proving",
    "pacing",
    "stopping",
    "ending",
    "halting",
    "showing",
    "papers",
    "pages",
    "reviewing",
    "packs",
    "looking_back",
    "telling",
    "attesting",
)


def main() -> int:
    """Exit status 1 when a bar is missed or a benchmark could not be run."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # where a child puts its rows
    given = parser.parse_args()
    if given.into:
        return _measure(given.names[0], given.into)
    strange = sorted(set(given.names) - set(BENCHMARKS))
    if strange:
        parser.error(f"no such benchmark: {', '.join(strange)}")
    with _synced_server() as url:
        os.environ["DATABASE_URL"] = url
        servers.prepare_run()
        rows = [row for name in given.names or BENCHMARKS for row in _in_child(name)]
    _say("\n" + table(rows))
    missed = [row.name for row in rows if not row.ok]
    _say(f"\nMissed: {'; '.join(missed)}" if missed else "\nAll bars are met.")
    return 1 if missed else 0


def _in_child(name: str) -> list[Row]:
    _say(f"measuring: {name} ...")
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "tests.benchmarks", name, "--into", str(into)]
        ended = subprocess.run(command, check=False)
        if ended.returncode != 0 or not into.exists():
            return [
                Row(name, "not measured", "", ok=False, beside="The benchmark broke off; what it said stands above.")
            ]
        rows = [Row(**each) for each in json.loads(into.read_text())]
    _say(table(rows))
    return rows


def _measure(name: str, into: Path) -> int:
    servers.prepare_run()
    import django

    django.setup()
    import psycopg
    from django.db import connection, connections

    with psycopg.connect(servers.superuser_url(), autocommit=True) as superuser:
        superuser.execute(b"DROP DATABASE IF EXISTS test_breakglass WITH (FORCE)")
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    rows = importlib.import_module(f"tests.benchmarks.{name}").rows()
    into.write_text(json.dumps([row.plain() for row in rows]))
    connections.close_all()
    return 0


@contextmanager
def _synced_server() -> Iterator[str]:
    """The portal's database server with its settings of the demo, fsync included; its superuser's address."""
    folder = new_folder("bench")
    server = PostgresServer(
        "bench database", folder, ports.free_port(), secrets.token_urlsafe(16), str(folder), PORTAL_SETTINGS
    )
    running = servers.Postgres(server, signal.SIGINT)
    try:
        running.start()
        yield running.url()
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the voice of `make bench`


if __name__ == "__main__":
    sys.exit(main())
