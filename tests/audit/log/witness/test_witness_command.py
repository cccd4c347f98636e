"""The witness as another team runs it: one command, no Django, its own key and folder."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.log.cosignature import parse_cosigner_key, parse_lines
from audit.log.signing import SignerKey
from audit.log.witness.__main__ import main
from audit.log.witness.requests import write_request
from portal.embedded.ports import free_port
from tests.audit.log.simulator import simulated
from tests.servers import wait_until

CHECKOUT = Path(__file__).parents[4]
PROGRAM = (
    "import sys; sys.modules['django'] = None; import runpy; sys.argv = ['witness', *sys.argv[1:]];"
    "runpy.run_module('audit.log.witness', run_name='__main__')"
)


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments, "--bind", address],
        cwd=CHECKOUT, env={"PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            wait_until(lambda: status(f"http://{address}/") == 404, "the witness")
            yield f"http://{address}"
        finally:
            process.terminate()
            assert process.wait(30) == 0


def status(address: str, body: bytes | None = None) -> int:
    try:
        return int(urllib.request.urlopen(urllib.request.Request(address, data=body), timeout=5).status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_it_cosigns_and_remembers_through_a_restart(tmp_path: Path, signer: SignerKey) -> None:
    key, state = str(tmp_path / "key"), str(tmp_path / "state")
    assert main(["--key", key, "--new-key", "witness.example/w1"]) == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    log = simulated(signer, 3)
    arguments = ("--key", key, "--state", state, "--log", signer.verifier().text())
    body = write_request(0, (), log.notes[0].note)
    with running(*arguments) as address, urllib.request.urlopen(f"{address}/add-checkpoint", body, timeout=5) as answer:
        (line,) = parse_lines(answer.read())
    with running(*arguments) as address:
        assert status(f"{address}/add-checkpoint", body) == 409
    assert line.name == "witness.example/w1"


def test_it_prints_its_public_key_and_replaces_none(tmp_path: Path) -> None:
    key = tmp_path / "key"
    done = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, "--key", str(key), "--new-key", "witness.example/w1"],
            cwd=CHECKOUT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
        )
        for _ in range(2)
    ]  # fmt: skip
    assert parse_cosigner_key(done[0].stdout.strip()).name == "witness.example/w1"
    assert (done[0].returncode, done[1].returncode, done[1].stdout) == (0, 2, "")
    assert "The witness cannot begin" in done[1].stderr
