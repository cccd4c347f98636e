"""One Redis-protocol server as a child process."""

import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from portal.embedded import processes
from portal.embedded.programs import valkey_program


@dataclass(frozen=True)
class ValkeyServer:
    """A server's place. `folder` holds its append-only file, its configuration and its output."""

    folder: Path
    port: int
    password: str
    mark: str

    @property
    def configuration(self) -> Path:
        return self.folder / "valkey.conf"

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server. The password goes into a file that only we can read: a command line is for all to see."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = (
            "bind 127.0.0.1",
            f"port {self.port}",
            f'dir "{self.folder}"',
            f"requirepass {self.password}",
            "maxmemory-policy noeviction",
            "appendonly yes",
            "daemonize no",
        )
        self.configuration.touch(mode=0o600)
        self.configuration.chmod(0o600)
        self.configuration.write_text("\n".join(lines) + "\n")
        return processes.start(
            [str(valkey_program()), str(self.configuration)],
            environment={"PATH": os.environ.get("PATH", os.defpath), processes.MARK: self.mark},
            folder=self.folder,
            log=self.folder / "output.log",
            death_signal=signal.SIGTERM,
        )

    def ready(self) -> bool:
        """Whether the server takes our password and answers a PING."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False
