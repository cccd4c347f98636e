"""System packages: installed by root on Debian, named to everybody else. A stand-in apt-get writes what it was told."""

from pathlib import Path

import pytest

from portal.embedded import system_packages
from portal.embedded.system_packages import SystemPackage, supply

SETS = {
    "demo": (SystemPackage("there", lambda: True, "there"), SystemPackage("libmissing1", lambda: False, "missing")),
    "test": (SystemPackage("browser", lambda: False, "browser"),),
}


def said_by(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, root: bool, sets: list[str], fails: bool = False
) -> tuple[list[str], str]:
    """What was said, and what apt-get was told."""
    told = folder / "told"
    told.touch()
    apt = folder / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >>{told}\n' + ("echo no space left >&2\nexit 100\n" if fails else ""))
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(system_packages, "SETS", SETS)
    monkeypatch.setattr("os.geteuid", lambda: 0 if root else 1000)
    said: list[str] = []
    supply(sets, said.append)
    return said, told.read_text()


def test_root_installs_only_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said, told = said_by(monkeypatch, tmp_path, root=True, sets=["demo", "test"])
    assert said == ["Installing system packages: libmissing1 browser ..."]
    assert told == "-qq update\n-qq install --yes --no-install-recommends libmissing1 browser\n"


def test_others_are_told_the_command_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    said, told = said_by(monkeypatch, tmp_path, root=False, sets=["demo"])
    assert said == ["Missing on this machine: libmissing1. To install: sudo apt-get install libmissing1"]
    assert told == ""


def test_failed_installation_says_why_and_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    said, _ = said_by(monkeypatch, tmp_path, root=True, sets=["demo"], fails=True)
    assert said[1:] == [
        "no space left",
        "Missing on this machine: libmissing1. To install: sudo apt-get install libmissing1",
    ]


def test_nothing_is_said_when_nothing_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(system_packages, "SETS", {"demo": SETS["demo"][:1]})
    said: list[str] = []
    supply(["demo"], said.append)
    assert said == []


def test_libraries_that_are_there_are_found_and_others_not() -> None:
    assert system_packages._library("libc.so.6", "libSystem.dylib")()
    assert not system_packages._library("libnot-there-at-all.so.0")()
