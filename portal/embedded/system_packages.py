"""What no Python package brings: Pango for PDFs, a browser and PDF tools for tests.

Installed where that is ours to do (root on Debian or Ubuntu), else named in one line with the command.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SystemPackage:
    """A package of Debian and Ubuntu, how to see that it is there, and Homebrew's name for it."""

    name: str
    there: Callable[[], bool]
    brew: str


def _library(*names: str) -> Callable[[], bool]:
    """Whether the loader finds one of the libraries."""

    def there() -> bool:
        for name in names:
            try:
                ctypes.CDLL(name)
            except OSError:
                continue
            return True
        return False

    return there


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _atomic() -> bool:
    """Asked of Linux alone: the program that drives the browser comes whole elsewhere."""
    return sys.platform == "darwin" or _library("libatomic.so.1")()


def _shell() -> bool:
    """The browser without windows, which Debian alone packs by itself; elsewhere a whole one."""
    return _program("chromium-headless-shell", *(("chromium", "google-chrome") if sys.platform == "darwin" else ()))()


def _dejavu() -> bool:
    return sys.platform == "darwin" or Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf").exists()


SETS = {
    "demo": (
        SystemPackage("libpango-1.0-0", _library("libpango-1.0.so.0", "libpango-1.0.dylib"), "pango"),
        SystemPackage("libpangoft2-1.0-0", _library("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib"), "pango"),
        SystemPackage(
            "libharfbuzz-subset0", _library("libharfbuzz-subset.so.0", "libharfbuzz-subset.dylib"), "harfbuzz"
        ),
        SystemPackage("fonts-dejavu-core", _dejavu, "pango"),
    ),
    "test": (
        SystemPackage("chromium-headless-shell", _shell, "chromium"),
        SystemPackage("libatomic1", _atomic, "playwright"),
        SystemPackage("poppler-utils", _program("pdftotext"), "poppler"),
        SystemPackage("openssl", _program("openssl"), "openssl"),
        SystemPackage("sqlite3", _program("sqlite3"), "sqlite"),
        SystemPackage("age", _program("age"), "age"),
    ),
}


def supply(sets: Iterable[str], say: Callable[[str], None]) -> None:
    """Install what is missing, or say what is and how to get it. Never fails: what needs it says so when used."""
    missing = [package for name in sets for package in SETS[name] if not package.there()]
    if not missing:
        return
    names = [package.name for package in missing]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing system packages: {' '.join(names)} ...")
        problem = _apt("update") or _apt("install", "--yes", "--no-install-recommends", *names)
        if not problem:
            return
        say(problem)
    say(f"Missing on this machine: {', '.join(names)}. To install: {_command(missing)}")


def _apt(*arguments: str) -> str:
    """What apt-get says when it fails; nothing when all went well."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    return "" if ran.returncode == 0 else (ran.stderr.strip() or f"apt-get ended with {ran.returncode}")


def _command(missing: Iterable[SystemPackage]) -> str:
    if sys.platform == "darwin":
        return "brew install " + " ".join(sorted({package.brew for package in missing}))
    return "sudo apt-get install " + " ".join(package.name for package in missing)
