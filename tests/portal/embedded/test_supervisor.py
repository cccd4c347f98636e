"""The supervisor with small programs in place of the portal's, and real servers below them."""

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from portal.embedded import demo, processes
from portal.embedded.ports import free_port
from portal.embedded.state import CHECKOUT
from tests.servers import new_folder, wait_until

HARNESS = [sys.executable, "-m", "tests.portal.embedded.supervised"]


class Supervised:
    """A supervisor in a process of its own, with the parts of supervised.py."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.said = folder.with_name("said")
        self.port = free_port()
        command = [*HARNESS, str(folder), str(self.port), *options]
        with self.said.open("w") as said:
            self.process = subprocess.Popen(command, cwd=CHECKOUT, stdout=said, stderr=said)

    def text(self) -> str:
        return self.said.read_text()

    def wait_for(self, words: str, count: int = 1) -> None:
        def seen() -> bool:
            assert self.process.poll() is None or self.text().count(words) >= count, self.text()
            return self.text().count(words) >= count

        wait_until(seen, f"the supervisor to say {words!r}")

    def pids(self) -> dict[str, list[int]]:
        """Of every part, each pid that it ever had."""
        lines = (json.loads(line) for line in (self.folder / "started").read_text().splitlines())
        found: dict[str, list[int]] = {}
        for line in lines:
            found.setdefault(line["part"], []).append(line["pid"])
        return found


@pytest.fixture
def folder() -> Iterator[Path]:
    place = new_folder("supervised") / "state"
    yield place
    demo.clear_leftovers(place)
    processes.end_all(processes.leftovers(str(place)), patience=1)
    subprocess.run(["rm", "-rf", place.parent], check=True)


@pytest.fixture
def supervise(folder: Path) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def start(*options: str) -> Supervised:
        started.append(Supervised(folder, *options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def wait_for_starts(one: Supervised, count: int) -> None:
    wait_until(lambda: len(one.pids()["first"]) == count, f"start {count}")


def names_left(folder: Path) -> list[str]:
    names = []
    for process in processes.leftovers(str(folder)):
        with suppress(psutil.Error):
            names.append(process.name())
    return names


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_supervisor_told_to_stop_stops_everything_servers_last(
    ending: signal.Signals, supervise: Callable[..., Supervised], folder: Path
) -> None:
    one = supervise()
    one.wait_for("http://localhost:")
    assert "postgres" in names_left(folder)
    one.process.send_signal(ending)
    assert one.process.wait(90) == 0
    assert names_left(folder) == []
    # Each user of the database found it still there when it was told to stop.
    assert sorted((folder / "stopped").read_text().split()) == ["first:database-up", "second:database-up"]
    assert one.text().endswith("Stopped. Nothing is left running.\n")


def test_part_that_crashed_is_started_again_later_each_time(supervise: Callable[..., Supervised]) -> None:
    one = supervise()
    one.wait_for("http://localhost:")
    for turn, pause in enumerate(("0.5 s", "1.0 s", "2.0 s"), start=1):
        psutil.Process(one.pids()["first"][-1]).kill()
        one.wait_for(f"first ended (-9); started again in {pause}")
        wait_for_starts(one, turn + 1)
    assert len(one.pids()["second"]) == 1


def test_server_that_crashed_is_started_again_on_its_data(supervise: Callable[..., Supervised], folder: Path) -> None:
    one = supervise()
    one.wait_for("http://localhost:")
    pid_file = folder / "postgres" / "portal" / "data" / "postmaster.pid"
    first = int(pid_file.read_text().split()[0])
    psutil.Process(first).kill()
    one.wait_for("database ended (-9)")
    wait_until(lambda: another_than(first, pid_file), "another server")
    one.process.terminate()
    assert one.process.wait(90) == 0
    assert names_left(folder) == []


def another_than(first: int, pid_file: Path) -> bool:
    """Whether another server wrote its number; the file is away, and empty, between the two."""
    with suppress(FileNotFoundError, IndexError):
        return int(pid_file.read_text().split()[0]) != first
    return False


def test_kill_of_the_supervisor_leaves_nothing_that_blocks_the_next_start(
    supervise: Callable[..., Supervised], folder: Path
) -> None:
    one = supervise()
    one.wait_for("http://localhost:")
    one.process.kill()
    one.process.wait()
    again = supervise()
    again.wait_for("http://localhost:")
    wait_until(lambda: [len(pids) for pids in again.pids().values()] == [2, 2], "both programs to run again")
    assert [processes.alive(pids[0]) for pids in again.pids().values()] == [False, False]
    again.process.terminate()
    assert again.process.wait(90) == 0
    assert names_left(folder) == []


def test_process_that_outlived_its_supervisor_is_ended_at_the_next_start(
    supervise: Callable[..., Supervised], folder: Path, tmp_path: Path
) -> None:
    """As where no wish to end with the parent exists, or a part's own child kept running."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    stray = subprocess.Popen([sys.executable, "-c", code], env={processes.MARK: str(folder)}, start_new_session=True)
    neighbour = subprocess.Popen([sys.executable, "-c", code], env={processes.MARK: str(tmp_path)})
    try:
        one = supervise()
        one.wait_for("http://localhost:")
        assert stray.wait(1) == -signal.SIGKILL
        assert neighbour.poll() is None
    finally:
        for process in (stray, neighbour):
            process.kill()
            process.wait()


def test_second_supervisor_on_the_same_folder_says_who_runs_and_leaves_it_alone(
    supervise: Callable[..., Supervised], folder: Path
) -> None:
    one = supervise()
    one.wait_for("http://localhost:")
    line = f"The demo in {folder} is running already (process {one.process.pid}). Stop it first.\n"
    second = subprocess.run(
        [*HARNESS, str(folder), str(free_port())], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert (second.returncode, second.stdout) == (1, line)
    assert one.process.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="the wish to end with the caller is Linux's")
def test_kill_of_the_caller_stops_everything_in_order(folder: Path) -> None:
    """As kill -9 of make."""
    command = shlex.join([*HARNESS, str(folder), str(free_port()), "--tethered"])
    said = folder.with_name("said")
    with (
        said.open("w") as output,
        subprocess.Popen(["sh", "-c", f"{command}; true"], cwd=CHECKOUT, stdout=output) as sh,
    ):
        wait_until(lambda: "http://localhost:" in said.read_text(), "the supervisor to be up")
        sh.kill()
    wait_until(lambda: said.read_text().endswith("Stopped. Nothing is left running.\n"), "the supervisor to stop")
    assert names_left(folder) == []


def test_part_that_ends_at_its_start_is_shown_with_its_last_lines_and_all_is_stopped(
    supervise: Callable[..., Supervised], folder: Path
) -> None:
    one = supervise("--broken", "second")
    assert one.process.wait(90) == 1
    assert "second ended at its start. The end of " in one.text()
    assert "    the reason why" in one.text()
    assert names_left(folder) == []


def test_stop_while_a_step_runs_ends_the_step_and_all_parts(supervise: Callable[..., Supervised], folder: Path) -> None:
    one = supervise("--slow-step")
    wait_until((folder / "step").exists, "the step to run")
    one.process.terminate()
    assert one.process.wait(90) == 0
    assert names_left(folder) == []


@pytest.mark.parametrize("shape", ["127.0.0.1", "0.0.0.0"])
def test_busy_port_gives_one_line_and_starts_nothing(shape: str, folder: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind((shape, 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "-m", "portal.embedded", "demo", "--port", str(port)],
            cwd=CHECKOUT,
            env={"PORTAL_DATA": str(folder), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        1,
        f"Port {port} is in use on this machine. Nothing was started. Choose another: make demo PORT={port + 1}\n",
        "",
    )
    assert not (folder / "state.json").exists()
