"""What a demo keeps from one start to the next: passwords, keys and ports, in one file that only its owner reads."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from portal.embedded import ports
from portal.embedded.databases import ROLES
from portal.embedded.programs import READABLE, postgres_account, readable_by_others

CHECKOUT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "environment"
"""The file in a demo's folder that a shell reads to call `manage.py` there, as its page that tampers prints it."""
SERVERS = ("portal", "target", "valkey", "mail")


@dataclass(frozen=True)
class State:
    """Secrets and ports of one demo. The sealer's private key lies in a file of its own beside it."""

    folder: Path
    passwords: dict[str, str]  # by server, and by database role
    ports: dict[str, int]  # by server
    secret_key: str
    secrets_key: str  # 32 bytes, URL-safe base64: encrypts secrets at rest
    log_public_key: str  # C2SP verifier key

    @property
    def log_key_file(self) -> Path:
        return self.folder / "sealer.key"

    @property
    def log_store(self) -> Path:
        """Where the log is published: tiles, bundles, checkpoint."""
        return self.folder / "published-log"

    @property
    def backups(self) -> Path:
        """Where backups go."""
        return self.folder / "backups"

    @property
    def backup_keys(self) -> Path:
        """The keys of backups. An operator keeps the identity elsewhere; here it shows that a backup can be opened."""
        return self.folder / "backup-keys"

    @property
    def mark(self) -> str:
        return str(self.folder)

    @property
    def mail_folder(self) -> Path:
        return self.folder / "mail"


def default_folder() -> Path:
    """PORTAL_DATA, or var/demo in the checkout."""
    return Path(os.environ.get("PORTAL_DATA") or CHECKOUT / "var" / "demo").resolve()


def postgres_folder(folder: Path) -> Path:
    """Of both database servers: in the state folder, or where their account can reach it."""
    if postgres_account() is None or readable_by_others(folder):
        return folder / "postgres"
    READABLE.mkdir(parents=True, exist_ok=True)
    READABLE.chmod(0o755)
    return READABLE / hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def load(folder: Path, *, make_log_key: Callable[[], tuple[str, str]]) -> State:
    """The state kept in `folder`, made on the first start. Ports that somebody took meanwhile are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "state.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else _new_secrets(folder, make_log_key)
    kept["passwords"] = _new_passwords() | kept["passwords"]  # of a role that came later, too
    kept["ports"] = {name: _kept_or_new(kept.get("ports", {}).get(name)) for name in SERVERS}
    state = State(folder=folder, **kept)
    write_private(
        file, json.dumps({name: value for name, value in asdict(state).items() if name != "folder"}, indent=1)
    )
    return state


def _kept_or_new(port: int | None) -> int:
    return port if port and ports.is_free(port) else ports.free_port()


def _new_secrets(folder: Path, make_log_key: Callable[[], tuple[str, str]]) -> dict[str, Any]:
    private, public = make_log_key()
    write_private(folder / "sealer.key", private)
    return {
        "passwords": _new_passwords(),
        "secret_key": secrets.token_urlsafe(48),
        "secrets_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "log_public_key": public.strip(),
    }


def _new_passwords() -> dict[str, str]:
    return {name: secrets.token_urlsafe(24) for name in (*SERVERS, *ROLES)}


def write_private(file: Path, text: str) -> None:
    """Whole or not at all, and never readable by others."""
    making = file.with_name(file.name + ".making")
    making.unlink(missing_ok=True)
    making.touch(mode=0o600)
    making.write_text(text)
    making.rename(file)
