"""One PostgreSQL server as a child process: made, started, asked whether it is ready, stopped."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from portal.embedded import processes
from portal.embedded.processes import Account, CouldNotStart
from portal.embedded.programs import pg_bin_dir, postgres_account, runnable_bin_dir

SUPERUSER = "portal_super"
# What every server of ours has. The port and the place of the log come with each start.
BASE_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # no path whose length or rights could be wrong; every login shows its password
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "max_prepared_transactions": "0",
}


@dataclass(frozen=True)
class PostgresServer:
    """A server's place and settings. `folder` will hold `data`, `log` and what the server prints before it logs."""

    name: str
    folder: Path
    port: int
    password: str
    mark: str
    settings: Mapping[str, str] = field(default_factory=dict)
    bin_dir: Path | None = None
    sync: bool = True

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log_folder(self) -> Path:
        """Where the server's own log lies; one JSON object a line where `log_destination` says so."""
        return self.folder / "log"

    @property
    def output(self) -> Path:
        return self.folder / "output.log"

    def url(self, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """Address for a login; without a password, the superuser's."""
        return f"postgresql://{user}:{self.password if password is None else password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> subprocess.Popen[bytes]:
        """Make the data on the first start, then start the server. Not yet ready: ask `ready`."""
        account = postgres_account()
        programs = runnable_bin_dir(self.bin_dir or pg_bin_dir(), account)
        _own_folder(self.folder, account)
        _own_folder(self.log_folder, account)
        if not self.data.exists():
            self._make_data(programs, account)
        self._check_version(programs)
        self._clear_stale_pid()
        self._write_settings(account)
        return processes.start(
            [str(programs / "postgres"), "-D", str(self.data)],
            environment=self._environment(),
            folder=self.folder,
            log=self.output,
            death_signal=signal.SIGINT,
            account=account,
        )

    def ready(self) -> bool:
        """Whether the server takes the superuser's login."""
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", processes.MARK: self.mark}

    def _make_data(self, programs: Path, account: Account | None) -> None:
        """initdb beside, then rename: data that is there is whole."""
        making = self.folder / "data.making"
        shutil.rmtree(making, ignore_errors=True)
        password_file = self.folder / "password.making"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if account:
            os.chown(password_file, account.uid, account.gid)
        command = [str(programs / "initdb"), "-D", str(making), "-U", SUPERUSER, "--pwfile", str(password_file)]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-k", *([] if self.sync else ["--no-sync"])]
        made = processes.start(
            command, environment=self._environment(), folder=self.folder, log=self.output, account=account
        )
        try:
            if made.wait() != 0:
                raise CouldNotStart(f"The {self.name} could not be made; {self.output} says why.")
        finally:
            password_file.unlink()
        with (making / "postgresql.conf").open("a") as configuration:
            configuration.write("include 'portal.conf'\n")
        making.rename(self.data)

    def _check_version(self, programs: Path) -> None:
        told = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        ours = re.findall(r"\d+", told)[0]
        theirs = (self.data / "PG_VERSION").read_text().strip()
        if ours != theirs:
            raise CouldNotStart(
                f"The data of the {self.name} in {self.data} is of PostgreSQL {theirs}, the programs are of {ours}. "
                "Nothing was changed. Use programs of that version (PORTAL_PG_BIN), or empty the demo: make demo-reset."
            )

    def _write_settings(self, account: Account | None) -> None:
        settings = BASE_SETTINGS | {"port": str(self.port), "log_directory": str(self.log_folder)} | dict(self.settings)
        if not self.sync:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        file = self.data / "portal.conf"
        file.write_text("".join(lines))
        if account:
            os.chown(file, account.uid, account.gid)

    def _clear_stale_pid(self) -> None:
        """A pid file of a killed server names a number that may be somebody else's by now; PostgreSQL would refuse."""
        stop_leftover(self.data)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def stop_leftover(data: Path) -> None:
    """Stop a server that an earlier run left on this data; fast, then hard."""
    if not (process := _running_postmaster(data)):
        return
    for wish, patience in ((signal.SIGINT, 15), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(wish)
        if not processes.wait_until_gone([process], patience):
            return


def _running_postmaster(data: Path) -> psutil.Process | None:
    """The server of the pid file, if that process is one and works on this data."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        process = psutil.Process(pid)
        ours = process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline()
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if ours else None


def _own_folder(folder: Path, account: Account | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if account:
        os.chown(folder, account.uid, account.gid)
