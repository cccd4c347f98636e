"""One backup at a time, from its first file to the last that goes."""

from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from audit.log.backup.age import parse_recipients
from audit.log.backup.making import BeingMade, make_backup
from audit.log.backup.manifest import new_id, time_of
from audit.log.backup.passing import Keeping
from audit.log.backup.target import LOG, Target
from audit.log.locks import Lock
from audit.log.stores import Still, always
from audit.log.stores.directory import DirectoryStore
from tests.audit.log.backup.places import place
from tests.audit.log.logged import run_signer, sealed
from tests.servers import superuser_url

pytestmark = pytest.mark.django_db


def is_free() -> bool:
    """Whether another session could begin a backup at this moment."""
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as other:
        found = other.execute("SELECT pg_try_advisory_lock(%s)", [int(Lock.BACKUP)]).fetchone()
    assert found is not None
    return bool(found[0])


@dataclass(frozen=True)
class Asking(DirectoryStore):
    """Asks for the lock whenever the store is changed."""

    free: list[tuple[str, bool]] = field(default_factory=list, kw_only=True)

    def put(self, resources: dict[str, bytes], still: Still = always) -> None:
        self.free.append(("put", is_free()))
        super().put(resources, still)

    def move_head(self, before: bytes | None, after: bytes) -> None:
        self.free.append(("move_head", is_free()))
        super().move_head(before, after)

    def erase(self, folders: list[str]) -> None:
        self.free.append(("erase", is_free()))
        super().erase(folders)


def test_nobody_begins_another_until_the_head_stands_and_what_passed_is_gone(tmp_path: Path) -> None:
    """It would pass for a backup that broke off, and be erased."""
    sealed(3)
    folder = tmp_path / "backups"
    store = Asking(folder, head="manifest")
    made = place(tmp_path)
    make_backup(
        Target(DirectoryStore(folder / LOG), store),
        made.signer,
        parse_recipients(made.recipient),
        [run_signer().verifier()],
        Keeping(),
    )
    assert dict(store.free) == {"put": False, "move_head": False, "erase": False}
    assert {free for _, free in store.free} == {False}
    assert is_free()


def test_who_comes_second_is_told_so(tmp_path: Path) -> None:
    sealed(1)
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [int(Lock.BACKUP)])
        with pytest.raises(BeingMade):
            place(tmp_path).backup()
    assert not (tmp_path / "backups/manifest").exists()


def test_names_of_backups_sort_by_the_millisecond_and_say_the_second() -> None:
    times = [1_780_000_000_999, 1_780_000_001_000, 1_780_000_001_001, 1_780_000_001_999]
    names = [new_id(at) for at in times]
    assert sorted(names) == names
    assert [time_of(name) for name in names] == [at // 1000 * 1000 for at in times]
    assert new_id(times[0]) != new_id(times[0])
