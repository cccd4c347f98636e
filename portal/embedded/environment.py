"""The environment of each process of an embedded run: the one place where it is put together.

Each process gets the database login of its own role and no secret that it does not need.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from portal.embedded.databases import PORTAL_DATABASE, TARGET_DATABASE, role_name
from portal.embedded.postgres import PostgresServer
from portal.embedded.processes import MARK
from portal.embedded.state import State
from portal.embedded.valkey import ValkeyServer

# The name that demo checkpoints are signed with: nobody can take them for an operator's.
DEMO_LOG_NAME = "breakglass.example/demo"
# Left by the caller's environment these would mix another instance into this one.
OURS = ("PORTAL_", "TARGET_", "DATABASE_", "SEALER_", "REDIS_", "DJANGO_SETTINGS_MODULE", "CELERY_", "PG")
KEPT = ("PORTAL_PG_BIN", "PORTAL_CHROMIUM", "PORTAL_PICTURES")


def inherited(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The caller's environment without anything that speaks to the portal or to PostgreSQL."""
    return {name: value for name, value in environment.items() if name in KEPT or not name.startswith(OURS)}


def for_a_shell(variables: Mapping[str, str]) -> str:
    """Ours among them, as lines that a shell reads with ``.``."""
    ours = {name: value for name, value in variables.items() if name.startswith(OURS)}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in ours.items())


class Environments:
    """One dictionary for each kind of process."""

    def __init__(self, state: State, *, portal: PostgresServer, valkey: ValkeyServer, web_port: int) -> None:
        self.state = state
        self.portal = portal
        self.common = self.bare() | {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DEMO": "1",
            "PORTAL_DATA": str(state.folder),
            "PORTAL_URL": f"http://localhost:{web_port}",
            "PORTAL_SECRET_KEY": state.secret_key,
            "PORTAL_LOG_ORIGIN": DEMO_LOG_NAME,
            "PORTAL_LOG_PUBLIC_KEY": state.log_public_key,
            "PORTAL_MAIL_HOST": "127.0.0.1",
            "PORTAL_MAIL_PORT": str(state.ports["mail"]),
            "PORTAL_MAIL_FOLDER": str(state.mail_folder),
        }
        self.shared = {
            "REDIS_URL": valkey.url(), "PORTAL_SECRETS_KEY": state.secrets_key, "PORTAL_LOG_STORE": str(state.log_store),
            "PORTAL_BACKUP_TO": str(state.backups),
        }  # fmt: skip

    def bare(self) -> dict[str, str]:
        """For what needs nothing of the portal; part of all others."""
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return inherited() | {MARK: self.state.mark, "PATH": programs, "PYTHONUNBUFFERED": "1", "TZ": "UTC"}

    def _database(self, role: str) -> str:
        return self.portal.url(role_name(role), self.state.passwords[role], PORTAL_DATABASE)

    def work(self) -> dict[str, str]:
        """For beat, watch and gather."""
        return self.common | self.shared | {"DATABASE_URL": self._database("web")}

    def web(self) -> dict[str, str]:
        """For the web process alone: its page that tampers does so as the database's superuser."""
        return self.work() | {"PORTAL_DEMO_SUPERUSER_URL": self.portal.url(database=PORTAL_DATABASE)}

    def worker(self) -> dict[str, str]:
        """As `work`, with the eraser's login for the job that erases what two administrators decided on, and what backups are made and rehearsed with."""
        keys = self.state.backup_keys
        return self.work() | {
            "ERASER_DATABASE_URL": self._database("eraser"),
            "PORTAL_BACKUP_KEY_FILE": str(keys / "backup.key"),
            "PORTAL_BACKUP_PUBLIC_KEY_FILE": str(keys / "backup.pub"),
            "PORTAL_BACKUP_RECIPIENT_FILE": str(keys / "backup.recipient"),
            "PORTAL_REHEARSAL_IDENTITY_FILE": str(keys / "backup.identity"),
            "PORTAL_REHEARSAL_DATABASE_URL": self.portal.url(
                role_name("rehearser"), self.state.passwords["rehearser"], "postgres"
            ),
        }

    def owner(self) -> dict[str, str]:
        """For migrations. The roles' names are fixed; the grants are made by the migrations."""
        url = self._database("owner")
        return self.common | self.shared | {"DATABASE_URL": url, "DATABASE_OWNER_URL": url}

    def sealer(self) -> dict[str, str]:
        """For the sealer alone: its database role, and the key that signs checkpoints."""
        url = self._database("sealer")
        key = {
            "PORTAL_LOG_KEY_FILE": str(self.state.log_key_file),
            "PORTAL_LOG_SEEN_FILE": str(self.state.folder / "sealer.seen"),
            "PORTAL_LOG_STORE": str(self.state.log_store),
        }
        return self.common | key | {"DATABASE_URL": url, "SEALER_DATABASE_URL": url}

    def seed(self, target: PostgresServer) -> dict[str, str]:
        """For the demo's rows: the owner's login, and the target as its own administrator sees it.

        What is filled once is not waited for until it lies on the disk: a filling that broke off is begun anew in any case.
        """
        return self.owner() | {
            "PGOPTIONS": "-c synchronous_commit=off",
            "TARGET_SUPERUSER_URL": target.url(database=TARGET_DATABASE),
            "TARGET_HOST": "127.0.0.1",
            "TARGET_PORT": str(target.port),
            "TARGET_DATABASE": TARGET_DATABASE,
            "TARGET_LOG_FOLDER": str(target.log_folder),
        }
