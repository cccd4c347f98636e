"""SIGKILL, EIO and ENOSPC at file calls of `manage.py backup` as it runs: what lies there is whole, and the next run is clean."""

import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit.log.backup.manifest import Manifest
from audit.log.backup.target import open_target
from audit.log.models import SealedEntry
from audit.log.note import parse_verifier_key
from audit.log.stores.directory import BESIDE
from portal.embedded.state import CHECKOUT
from tests.audit.log.backup.configured import configure
from tests.audit.log.backup.places import place, whole_backup
from tests.audit.log.logged import sealed
from tests.counting import Count
from tests.faults.programs import MANAGE, environment_of
from tests.faults.striking import CALLS, KINDS, STRACE, calls_below, under_strace

STRIKES = 24  # of each kind, evenly over all calls: each takes three runs of the program
OF_SETTINGS = (
    "PORTAL_BACKUP_KEY_FILE",
    "PORTAL_BACKUP_PUBLIC_KEY",
    "PORTAL_BACKUP_RECIPIENT",
)


@dataclass
class Scene:
    """A folder with a backup, and a log that has more by now."""

    top: Path
    settings: Any

    @property
    def environment(self) -> dict[str, str]:
        return environment_of() | {name: getattr(self.settings, name) for name in OF_SETTINGS}

    def command(self, folder: Path) -> list[str]:
        return [*MANAGE, "backup", "--to", str(folder)]

    def run(self, folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
        command = [*before, *self.command(folder)]
        return subprocess.run(command, env=self.environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    def laid(self) -> Path:
        folder = self.top / "struck"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.top / "base", folder)
        return folder

    def calls(self) -> list[tuple[str, int]]:
        """Each call on what lies in the folder, as it is made by a run that nothing strikes."""
        folder = self.laid()
        return calls_below(self.command(folder), [folder], CALLS, self.top / "list", env=self.environment, cwd=CHECKOUT)

    def struck(self, call: str, kind: str, number: int) -> bool:
        """Back up with the fault, look, back up again, look; whether it struck."""
        folder, trace = self.laid(), self.top / "trace"
        before = self.whole(folder)
        done = self.run(folder, *under_strace(trace, call, kind, number))
        assert done.returncode in {0, 1, -signal.SIGKILL, 128 + signal.SIGKILL}, done.stderr
        assert "Traceback" not in done.stderr
        after = self.whole(folder)
        assert after != before if done.returncode == 0 else after.size >= before.size
        again = self.run(folder)
        assert (again.returncode, again.stderr) == (0, "")
        assert f"Backup {self.whole(folder).id}: {SealedEntry.objects.count()} entries" in again.stdout
        assert [each.name for each in folder.rglob("*") if BESIDE.fullmatch(each.name)] == []
        return "INJECTED" in trace.read_text() or done.returncode not in {0, 1}

    def whole(self, folder: Path) -> Manifest:
        """What the last manifest lists: each file as it was, and the log up to its size."""
        return whole_backup(open_target(str(folder)), [parse_verifier_key(self.settings.PORTAL_BACKUP_PUBLIC_KEY)])


@pytest.mark.faults
@pytest.mark.skipif(STRACE is None, reason="what the program is struck with comes from strace")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_the_backup_program_struck_as_it_runs_leaves_a_whole_backup(
    tmp_path: Path, settings: Any, kind: str, count: Count
) -> None:
    configure(settings, place(tmp_path))
    scene = Scene(tmp_path, settings)
    sealed(3)
    first = scene.run(tmp_path / "base")
    assert (first.returncode, first.stderr) == (0, "")
    sealed(2)
    calls = scene.calls()
    chosen = [calls[round(each * (len(calls) - 1) / (STRIKES - 1))] for each in range(STRIKES)]
    missed = [(call, number) for call, number in chosen if not scene.struck(call, kind, number)]
    count(f"{kind} at {len(chosen)} of {len(calls)} file calls of manage.py backup (strace)")
    assert missed == []
    assert len(calls) > STRIKES
