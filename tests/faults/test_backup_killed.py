"""SIGKILL, EIO and ENOSPC at each file call of a backup, one by one: what the manifest names is whole, and the next run is clean."""

import pickle
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from audit.log.append import clock
from audit.log.backup import tables
from audit.log.backup.age import parse_recipients
from audit.log.backup.making import make_backup
from audit.log.backup.manifest import Manifest
from audit.log.backup.passing import Keeping
from audit.log.backup.tables import Table
from audit.log.backup.target import BACKUPS, DAY_MS, LOG, Target
from audit.log.stores import Still, always
from audit.log.stores.directory import BESIDE, DirectoryStore
from tests.audit.log.backup.places import Place, place, whole_backup
from tests.audit.log.logged import run_signer, sealed
from tests.counting import Count
from tests.faults.striking import KINDS, replayed, strike_each

AT = 1_790_000_000_000


@dataclass(frozen=True)
class Recording(DirectoryStore):
    """Notes what a backup asks of a store that changes something there."""

    name: str = field(default="", kw_only=True)
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list, kw_only=True)

    def put(self, resources: dict[str, bytes], still: Still = always) -> None:
        self.calls.append((f"{self.name}.put", (resources,)))
        super().put(resources, still)

    def move_head(self, before: bytes | None, after: bytes) -> None:
        self.calls.append((f"{self.name}.move_head", (before, after)))
        super().move_head(before, after)

    def forget(self, folders: list[str]) -> None:
        self.calls.append((f"{self.name}.forget", (folders,)))
        super().forget(folders)

    def erase(self, folders: list[str]) -> None:
        self.calls.append((f"{self.name}.erase", (folders,)))
        super().erase(folders)


@dataclass
class Scene:
    """A backup of a week ago, and the recorded calls of the next one, by which that week's passes."""

    top: Path
    signed: Place
    old: bytes
    new: bytes

    def struck(self, call: str, kind: str, number: int, *, traced: bool) -> bool:
        """Back up with the fault, look, back up again, look; whether there was such a call to strike."""
        folder = self.top / "struck"
        shutil.copytree(self.top / "base", folder)
        hit, said = replayed(folder, self.top / "calls", (call, kind, number), traced=traced)
        head = (folder / "manifest").read_bytes()
        assert said in {"killed", "done", "refused"}
        assert head in ({self.new} if said == "done" else {self.old, self.new})
        self._whole(folder)
        made = self._backup(_target(folder, begun=time.time() + 1), AT + 8 * DAY_MS + 60_000)
        target = _target(folder)
        assert self._whole(folder).id == made
        lying = {each.removeprefix(f"{BACKUPS}/").removesuffix(".p") for each in target.rest.passing(BACKUPS)}
        assert made in lying
        assert lying <= {made, self._id(self.new)}
        for each in lying:  # one that was struck after its last file is whole as well; what broke off is gone
            self._whole(folder, each)
        assert [each.name for each in folder.rglob("*") if BESIDE.fullmatch(each.name)] == []
        shutil.rmtree(folder)
        return hit

    def _id(self, head: bytes) -> str:
        return head.decode().split("\n")[2].removeprefix("id ")

    def _backup(self, target: Target, at: int) -> str:
        with clock(lambda: at):
            keys = [run_signer().verifier()]
            return make_backup(target, self.signed.signer, parse_recipients(self.signed.recipient), keys, Keeping()).id

    def _whole(self, folder: Path, identity: str = "") -> Manifest:
        """What the last manifest, or the named one, lists: each file as it was, and the log up to its size."""
        return whole_backup(_target(folder), [self.signed.signer.verifier()], identity)


def _target(folder: Path, **how: Any) -> Target:
    return Target(DirectoryStore(folder / LOG, **how), DirectoryStore(folder, head="manifest", **how))


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """With three tables of seventy: each is written in the same way."""
    few = [
        each for each in tables.kept_tables() if each.name in {"portal_person", "audit_queue", "django_content_type"}
    ]
    monkeypatch.setattr("audit.log.backup.tables.kept_tables", lambda: list[Table](few))
    found = Scene(tmp_path, place(tmp_path), b"", b"")
    sealed(3)
    found._backup(_target(tmp_path / "base"), AT)
    found.old = (tmp_path / "base/manifest").read_bytes()
    shutil.copytree(tmp_path / "base", tmp_path / "after")
    sealed(2)
    calls: list[tuple[str, tuple[Any, ...]]] = []
    after = tmp_path / "after"
    recording = Target(
        Recording(after / LOG, name="log", calls=calls), Recording(after, head="manifest", name="rest", calls=calls)
    )
    found._backup(recording, AT + 8 * DAY_MS)
    found.new = (after / "manifest").read_bytes()
    assert [name for name, _ in calls if not name.endswith("put")] == [
        "log.move_head",
        "rest.move_head",
        "rest.erase",
    ]
    (tmp_path / "calls").write_bytes(pickle.dumps(calls))
    return found


@pytest.mark.django_db
def test_a_backup_struck_in_the_program_is_not_taken_for_one(scene: Scene) -> None:
    struck = [
        scene.struck(call, kind, number, traced=False)
        for call, kind, number in [
            ("link", "KILL", 4),
            ("rename", "KILL", 2),
            ("write", "ENOSPC", 9),
            ("unlink", "EIO", 99),
        ]
    ]
    assert struck == [True, True, True, False]


@pytest.mark.faults
@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_struck_at_any_file_call_is_not_taken_for_one(scene: Scene, kind: str, count: Count) -> None:
    def struck(call: str, number: int, traced: bool) -> bool:
        return scene.struck(call, kind, number, traced=traced)

    counts = strike_each(struck, kind, count)
    assert counts["rename"] == 2
    assert counts["link"] > 10
