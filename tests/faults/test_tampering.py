"""Twelve classes of tampering, in random cases each, by somebody who holds database and published files: each is found and located, by
the stand-alone verifier, by `verify_log` or by a witness; and what nobody touched raises no alarm.

Verifier and `verify_log` know the checkpoint that was published last, as the docs ask of whoever checks.
"""

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from audit.log import tiles
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.examination import examine
from audit.log.note import VerifierKey
from audit.log.publishing import publish_once
from audit.log.ranges import StoredNote
from audit.log.report import Report
from audit.log.sealing import seal_once
from audit.log.signing import SignerKey
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.check import Wanted, check
from audit.log.verify.damage import Verdict
from audit.log.verify.sources import Folder
from audit.log.witness.judging import Answer, judge
from audit.log.witness.requests import write_request
from audit.management.commands.verify_log import sentences
from tests.audit.log.logged import appended
from tests.counting import Count
from tests.faults.locating import EXPECTED, Located, Log
from tests.faults.tampering import CLASSES, RETIRED_AT, Scene

RETIRED, PRESENT, WITNESS = (
    SignerKey(name, Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
    for number, name in enumerate(("log.example/tampered", "log.example/tampered", "witness.example/w"), 1)
)
KEYS = (replace(RETIRED.verifier(), last=RETIRED_AT), replace(PRESENT.verifier(), first=RETIRED_AT))
STEPS = ((RETIRED, 80), (RETIRED, 120), (PRESENT, 150), (PRESENT, 250))
SIZE = sum(count for _, count in STEPS)
BY = ("verifier", "verify_log", "witness")
LOG = Log(tuple(accumulate(count for _, count in STEPS)))
FOUND_BY = {
    "flip a bit": {"verifier", "verify_log"}, "edit an entry": {"verifier", "verify_log"}, "reorder": {"verifier", "verify_log"},
    "drop": {"verifier", "verify_log"}, "duplicate": {"verifier", "verify_log"}, "truncate the tail": {"verifier", "verify_log"},
    "swap tiles": {"verifier", "verify_log"}, "forge a checkpoint": set(BY), "re-sign with a retired key": set(BY),
    "split view": set(BY), "roll back both": set(BY), "edit salts or values": {"verify_log"},
}  # fmt: skip


@dataclass(frozen=True)
class Sound:
    """The log before anybody touches it, and the checkpoint that was seen of it."""

    folder: Path
    seen: VerifiedCheckpoint
    note: bytes


@dataclass
class Kept:
    """What the witness has cosigned last."""

    last: VerifiedCheckpoint

    def latest(self) -> VerifiedCheckpoint:
        return self.last

    def keep(self, note: bytes) -> None:
        """One question is asked of it."""


@pytest.fixture
def sound(tmp_path: Path) -> Sound:
    for key, count in STEPS:
        appended(count)
        assert seal_once(connection, key, 1, trusted=KEYS) == count
    folder = tmp_path / "sound"
    head = publish_once(connection, DirectoryStore(folder), KEYS)
    assert head is not None
    return Sound(folder, head.checkpoint, head.data)


@contextmanager
def copied(sound: Sound, tmp_path: Path) -> Iterator[Path]:
    """The published files once more; the database is as it was before, afterwards."""
    folder = tmp_path / "log"
    shutil.copytree(sound.folder, folder)
    with transaction.atomic():
        yield folder
        transaction.set_rollback(True)
    shutil.rmtree(folder)


def verified(folder: Path, sound: Sound) -> Verdict:
    return check(Folder(folder), Wanted(KEYS, [sound.seen]))[0]


def examined(sound: Sound) -> Report:
    return examine(KEYS, [StoredNote(sound.seen.size, sound.note, 1)])


def cosigned(folder: Path, sound: Sound, path: tuple[bytes, ...] = ()) -> Answer:
    """What the witness answers who has seen the sound log; a log that was set back asks from the size that it knows."""
    logs: dict[str, list[VerifierKey]] = {PRESENT.name: list(KEYS)}
    note = (folder / "checkpoint").read_bytes()
    request = write_request(min(sound.seen.size, parse_checkpoint(note).checkpoint.size), path, note)
    return judge(request, logs, Kept(sound.seen), WITNESS, lambda: 1)


def located(folder: Path, sound: Sound, expected: Located) -> Located:
    """What verifier, `verify_log` and witness say; the words whole where they lack those that are expected."""
    damages, report = verified(folder, sound).damages, examined(sound)
    said = "\n".join(sentences(report))
    return Located(
        tuple((each.kind, each.first, each.last) for each in damages),
        tuple((each.from_index, each.to_index) for each in report.bad_ranges),
        expected.says if re.search(expected.says, said) and not report.ok else said,
        cosigned(folder, sound).status,
    )


def tampered(sound: Sound, tmp_path: Path, name: str, seed: int) -> set[str]:
    """Do one case; who locates it, each where it is and nowhere else."""
    with copied(sound, tmp_path) as folder:
        scene = Scene(folder, SIZE, random.Random(f"{name} {seed}"), RETIRED, PRESENT)
        expected = EXPECTED[name](LOG, *CLASSES[name](scene))
        found = located(folder, sound, expected)
    assert found == expected, (name, seed)
    return {who for who, told in zip(BY, (found.verifier, found.says, found.witness != 200), strict=True) if told}


def clean(sound: Sound, tmp_path: Path, seed: int) -> None:
    """The log grows by some entries; nobody finds anything."""
    chance = random.Random(seed)
    with copied(sound, tmp_path) as folder:
        for _ in range(chance.randrange(3)):
            count = chance.randrange(1, 90)
            appended(count)
            assert seal_once(connection, PRESENT, 1, trusted=KEYS) == count
        head = publish_once(connection, DirectoryStore(folder), KEYS)
        assert head is not None
        verdict, report = verified(folder, sound), examined(sound)
        assert (verdict.whole, verdict.size, report.ok, report.bad_ranges) == (True, head.checkpoint.size, True, [])
        proof = tiles.consistency_proof(
            SIZE, verdict.size, lambda *at: (folder / tiles.path(tiles.TileName(*at))).read_bytes()
        )
        assert cosigned(folder, sound, proof.path).status == 200
        assert verify_checkpoint(parse_checkpoint(head.data), KEYS).size == verdict.size


def all_cases(sound: Sound, tmp_path: Path, seeds: range) -> dict[str, Counter[str]]:
    """Every class in so many cases; who located how many."""
    found: dict[str, Counter[str]] = {}
    for name in CLASSES:
        found[name] = Counter(who for seed in seeds for who in tampered(sound, tmp_path, name, seed))
        assert found[name] == {who: len(seeds) for who in FOUND_BY[name]}, name
    return found


def told(found: dict[str, Counter[str]], cases: int) -> str:
    """The table."""
    lines = [f"  {'class':28}" + "".join(f"{who:>12}" for who in BY)]
    lines += [f"  {name:28}" + "".join(f"{counts[who]:>8}/{cases}" for who in BY) for name, counts in found.items()]
    return "\n".join(lines)


@pytest.mark.django_db
def test_each_class_of_tampering_is_located(sound: Sound, tmp_path: Path) -> None:
    assert len(CLASSES) == 12
    assert set(all_cases(sound, tmp_path, range(2))) == set(FOUND_BY)


@pytest.mark.django_db
def test_what_nobody_touched_raises_no_alarm(sound: Sound, tmp_path: Path) -> None:
    for seed in range(20):
        clean(sound, tmp_path, seed)


@pytest.mark.faults
@pytest.mark.django_db
def test_a_hundred_cases_of_each_class_are_located(sound: Sound, tmp_path: Path, count: Count) -> None:
    found = all_cases(sound, tmp_path, range(100, 200))
    count(told(found, 100))


@pytest.mark.faults
@pytest.mark.django_db
def test_a_thousand_clean_runs_raise_no_alarm(sound: Sound, tmp_path: Path) -> None:
    for seed in range(1000, 2000):
        clean(sound, tmp_path, seed)
