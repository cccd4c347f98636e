"""What a run leaves: a checkpoint that no later run forgets, and how far it came if it broke off; nothing by which damage could be passed over."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.signing import SignerKey
from audit.log.verify import walking
from audit.log.verify.__main__ import main
from audit.log.verify.check import Wanted, check
from audit.log.verify.command import DAMAGED, NOT_CHECKED, WHOLE
from audit.log.verify.damage import Kind, Verdict
from audit.log.verify.progress import TAKEN_UP_S, keep, now_s
from audit.log.verify.sources import Folder
from audit.log.verify.walking import Left
from tests.audit.log.simulator import simulated
from tests.audit.log.verify.cut import SAID, cut_log, saying
from tests.audit.log.verify.published import publish, published
from tests.audit.log.verify.serving import served
from tests.servers import wait_until

CHECKOUT = Path(__file__).parents[4]


def entries(asked: list[str]) -> list[str]:
    return sorted(path for path in asked if path.startswith("/tile/entries"))


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/88"])
def test_a_file_that_went_after_a_run_that_was_whole_fails_the_next(
    signer: SignerKey, tmp_path: Path, path: str
) -> None:
    folder, words = published(signer, tmp_path / "log", 600), ["--memory", str(tmp_path / "memory")]
    words += ["--key", signer.verifier().text()]
    assert [main([str(folder), *words]) for _ in range(2)] == [WHOLE, WHOLE]
    (folder / path).unlink()
    assert [main([str(folder), *words]) for _ in range(2)] == [DAMAGED, DAMAGED]


def test_a_run_after_one_that_came_to_its_end_reads_everything(signer: SignerKey, tmp_path: Path) -> None:
    log, words = simulated(signer, 600), ["--memory", str(tmp_path / "memory"), "--key", signer.verifier().text()]
    publish(log, tmp_path / "log")
    assert main([str(tmp_path / "log"), *words]) == WHOLE
    log.grow(500)
    with served(publish(log, tmp_path / "log")) as (address, asked):
        assert main([address, *words]) == WHOLE
    assert entries(asked) == [f"/tile/entries/{path}" for path in ("000", "001", "002", "003", "004.p/76")]


def test_the_largest_checkpoint_is_remembered_whatever_else_is_wrong(
    signer: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damage beside it, and a log that was set back again and again."""
    log, folder = simulated(signer, 600, 500), tmp_path / "log"
    words = [str(folder), "--key", signer.verifier().text(), "--memory", str(tmp_path / "memory")]
    publish(log, folder)
    (folder / "tile/entries/001").unlink()
    assert main(words) == DAMAGED
    publish(log, folder)
    (folder / "checkpoint").write_bytes(log.notes[0].note)
    capsys.readouterr()
    for _ in range(3):
        assert main(words) == DAMAGED
        assert "shorter than seen: entries 600 to 1099" in capsys.readouterr().out
    publish(log, folder)
    assert main(words) == WHOLE


def test_another_history_is_not_remembered_in_the_place_of_the_first(signer: SignerKey, tmp_path: Path) -> None:
    folder, memory, key = published(signer, tmp_path / "log", 600), str(tmp_path / "memory"), signer.verifier().text()
    other = simulated(signer)
    other.grow(700, "other")
    publish(other, tmp_path / "other")
    runs = [(folder, WHOLE), *[(tmp_path / "other", DAMAGED)] * 2, (folder, WHOLE)]
    assert [main([str(each), "--key", key, "--memory", memory]) for each, _ in runs] == [said for _, said in runs]


def test_a_run_that_was_killed_is_finished_by_the_next_and_followed_by_a_full_one(
    signer: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """64 bundles are one share; the server does not give the 65th while the first run lives."""
    log, memory = publish(simulated(signer, 16_684), tmp_path / "log"), tmp_path / "memory"
    words = ["--key", signer.verifier().text(), "--memory", str(memory)]
    with served(log, stuck="/tile/entries/064") as (address, _):
        run = subprocess.Popen([sys.executable, "-m", "audit.log.verify", address, *words], cwd=CHECKOUT)
        wait_until(lambda: memory.exists() and json.loads(memory.read_text())["left"]["end"] == 64, "the first share")
        run.kill()
        assert run.wait() == -signal.SIGKILL
    with served(log) as (address, asked):
        assert main([address, *words]) == WHOLE
        assert entries(asked) == ["/tile/entries/064", "/tile/entries/065.p/44"]
        about, resumed, answer = capsys.readouterr().out.splitlines()
        assert (about.split(":")[1].split(",")[0], answer) == (" 16684 entries", "WHOLE.")
        assert resumed.startswith("16384 of them were read by a run that began on ")
        asked.clear()
        assert main([address, *words]) == WHOLE
        assert len(entries(asked)) == 66
    assert capsys.readouterr().out.splitlines() == [about, "WHOLE."]


class BrokenOff(Exception):
    """In the place of a power cut."""


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bundles are one share."""
    monkeypatch.setattr(walking, "AT_ONCE", 2)


def broken_off(folder: Path, signer: SignerKey, entries_done: int) -> Left:
    """What a run leaves that ends once so many entries were read."""
    kept: list[Left] = []

    def tell(done: int, _: int) -> None:
        if done >= entries_done:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        check(Folder(folder), Wanted([signer.verifier()], tell=tell, keep=lambda _, left: kept.append(left)))
    return kept[-1]


def finished(folder: Path, signer: SignerKey, left: Left) -> tuple[Verdict, int]:
    """The verdict of the run that takes it up, and how many entries of it were new."""
    told: list[int] = []
    verdict, _ = check(Folder(folder), Wanted([signer.verifier()], left=left, tell=lambda done, _: told.append(done)))
    return verdict, verdict.checked - verdict.resumed


def named(verdict: Verdict) -> list[tuple[Kind, str]]:
    return [(each.kind, each.path) for each in verdict.damages]


@pytest.mark.usefixtures("share")
def test_what_is_left_grows_share_by_share_up_to_the_first_damage(signer: SignerKey, tmp_path: Path) -> None:
    folder = published(signer, tmp_path, 256 * 7 + 9)
    assert [broken_off(folder, signer, at).end for at in (512, 1024, 1801)] == [2, 4, 7]
    (folder / "tile/entries/003").write_bytes(b"")
    left = broken_off(folder, signer, 1536)
    assert (left.first, left.end) == (0, 3)
    verdict, new = finished(folder, signer, left)
    assert (named(verdict), new) == ([(Kind.BUNDLE_UNREADABLE, "tile/entries/003")], 256 * 6 + 9), "all of it again"


@pytest.mark.usefixtures("share")
@pytest.mark.parametrize("path", ["tile/0/005", "tile/1/000.p/7", "tile/entries/007.p/9"])
def test_damage_after_the_break_is_named(signer: SignerKey, tmp_path: Path, path: str) -> None:
    folder = published(signer, tmp_path, 256 * 7 + 9)
    left = broken_off(folder, signer, 512)
    (folder / path).write_bytes(bytes(32))
    assert {each for _, each in named(finished(folder, signer, left)[0])} == {path}


@pytest.mark.usefixtures("share")
def test_a_log_that_grew_in_between_is_read_from_there_to_its_new_end(signer: SignerKey, tmp_path: Path) -> None:
    log = simulated(signer, 256 * 7)
    left = broken_off(publish(log, tmp_path), signer, 512)
    log.grow(300)
    (tmp_path / "tile/1/000.p/7").unlink()
    verdict, new = finished(publish(log, tmp_path), signer, left)
    assert (verdict.damages, verdict.size, verdict.resumed, new) == ([], 2092, 512, 1580)


@pytest.mark.usefixtures("share")
@pytest.mark.parametrize("changes", [{"roots_sha256": "0" * 64}, {"end": 3}, {"first": 1}, {"end": 2**60}])
def test_what_is_left_of_other_entries_is_not_taken_up(
    signer: SignerKey, tmp_path: Path, changes: dict[str, object]
) -> None:
    folder = published(signer, tmp_path, 1000)
    left = broken_off(folder, signer, 512)
    assert finished(folder, signer, left)[1] == 488
    verdict, new = finished(folder, signer, replace(left, **changes))  # type: ignore[arg-type]  # by name
    assert (verdict.damages, new) == ([], 1000)


@pytest.mark.usefixtures("share")
def test_a_run_after_a_signed_cut_is_taken_up_too(signer: SignerKey, tmp_path: Path) -> None:
    """The entry that says it stands in the last of three bundles; the first is gone."""
    folder = cut_log(tmp_path, signer)
    left = broken_off(folder, signer, 512)
    assert (left.first, left.end) == (1, 2)
    verdict, new = finished(folder, signer, left)
    assert (verdict.damages, verdict.whole_from, verdict.resumed, new) == ([], 256, 256, 88)


@pytest.mark.usefixtures("share")
def test_a_cut_that_was_read_before_the_break_still_excuses(signer: SignerKey, tmp_path: Path) -> None:
    """The entry that says it stands in a bundle that was read; it is read again, and no other."""
    folder = cut_log(tmp_path, signer, size=1100, place=300)
    left = broken_off(folder, signer, 512)
    assert (left.first, left.end, left.again) == (1, 2, (1,))
    verdict, new = finished(folder, signer, left)
    assert (verdict.damages, verdict.whole_from, verdict.resumed, new) == ([], 256, 0, 844)
    left = broken_off(folder, signer, 1024)
    verdict, new = finished(folder, signer, left)
    assert (verdict.damages, verdict.whole_from, verdict.resumed, new) == ([], 256, 512, 332)


@pytest.mark.usefixtures("share")
def test_a_cut_that_was_carried_out_after_the_break_is_seen(signer: SignerKey, tmp_path: Path) -> None:
    folder = publish(saying(signer, 600, 599, SAID), tmp_path)
    left = broken_off(folder, signer, 512)
    assert (left.first, left.end) == (0, 2)
    (folder / "tile/entries/000").unlink()
    verdict, new = finished(folder, signer, left)
    assert (verdict.damages, verdict.whole_from, verdict.resumed, new) == ([], 256, 256, 88)


@pytest.mark.usefixtures("share")
def test_bundles_that_stay_between_those_that_were_cut_stop_nothing(signer: SignerKey, tmp_path: Path) -> None:
    """Under a hold the first stays; the second is gone."""
    folder = publish(saying(signer, 1100, 1099, SAID | {"minimum_index": 512}), tmp_path)
    (folder / "tile/entries/001").unlink()
    left = broken_off(folder, signer, 1024)
    assert (left.first, left.end, left.again) == (0, 4, (1,))
    verdict, _ = finished(folder, signer, left)
    assert (verdict.damages, verdict.whole_from, verdict.resumed, verdict.checked) == ([], 512, 512, 844)
    (folder / "tile/entries/002").unlink()
    left = broken_off(folder, signer, 1024)
    assert named(finished(folder, signer, left)[0]) == [(Kind.BUNDLE_MISSING, "tile/entries/002")]


@pytest.mark.usefixtures("share")
def test_what_was_left_days_ago_is_read_again(signer: SignerKey, tmp_path: Path) -> None:
    folder, memory, key = published(signer, tmp_path / "log", 1000), tmp_path / "memory", signer.verifier()
    left, heads = broken_off(folder, signer, 512), list[VerifiedCheckpoint]()
    check(Folder(folder), Wanted([key], keep=lambda head, _: heads.append(head)))
    for begun, asked_for in ((now_s(), 2), (now_s() - TAKEN_UP_S - 1, 4), (now_s() + TAKEN_UP_S, 4)):
        keep(memory, heads[0], left, begun)
        with served(folder) as (address, asked):
            assert main([address, "--key", key.text(), "--memory", str(memory)]) == WHOLE
        assert len(entries(asked)) == asked_for


def test_a_memory_that_cannot_be_written_is_said_before_any_entry_is_read(
    signer: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = tmp_path / "none" / "memory"
    with served(published(signer, tmp_path / "log", 600)) as (address, asked):
        assert main([address, "--key", signer.verifier().text(), "--memory", str(memory)]) == NOT_CHECKED
    assert entries(asked) == []
    assert capsys.readouterr().err == (
        f"The log could not be checked. {memory} cannot be written: No such file or directory. Name a file in a folder that is there.\n"
    )


@pytest.mark.parametrize("content", ["", "{}", '{"checkpoint": "x", "left": {}}'])
def test_a_memory_that_is_not_ours_is_not_believed(
    signer: SignerKey, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, memory = published(signer, tmp_path / "log", 3), tmp_path / "memory"
    memory.write_text(content)
    assert main([str(folder), "--key", signer.verifier().text(), "--memory", str(memory)]) == NOT_CHECKED
    assert (memory.read_text(), "is not what an earlier run" in capsys.readouterr().err) == (content, True)
