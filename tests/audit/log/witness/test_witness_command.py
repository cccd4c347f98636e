"""The witness as another team runs it: one command, no Django, its own key and folder."""

import os
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from audit.log.cosignature import parse_cosigner_key, parse_lines
from audit.log.signing import SignerKey
from audit.log.witness.__main__ import main, remembered
from audit.log.witness.requests import write_request
from audit.log.witness.state import origin_hash
from portal.embedded.ports import free_port
from tests.audit.log.simulator import simulated
from tests.servers import wait_until

BROUGHT = {"cffi", "packaging", "pycparser", "setproctitle", "setuptools"}  # by those two, where they are there
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
            assert process.wait(90) == 0


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


def test_it_says_at_its_start_where_it_remembers_and_how_far(tmp_path: Path, signer: SignerKey) -> None:
    log, keys = simulated(signer, 3), {signer.name: [signer.verifier()]}
    where = f"What it has seen lies in {tmp_path}."
    assert list(remembered(tmp_path, keys)) == [
        where, f"{signer.name}: nothing yet. Is it new to this log? If not, this is not its folder: stop it.",
    ]  # fmt: skip
    kept = tmp_path / origin_hash(signer.name)
    kept.write_bytes(log.notes[0].note)
    assert list(remembered(tmp_path, keys)) == [where, f"{signer.name}: 3 entries."]
    kept.write_bytes(b"no note")
    (_, refused) = remembered(tmp_path, keys)
    assert refused.startswith(
        f"{signer.name}: what lies there cannot be read, so it refuses until somebody has looked. "
    )


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


def test_it_does_not_begin_without_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = str(tmp_path / "key")
    assert main(["--key", key, "--new-key", "witness.example/w1"]) == 0
    assert main(["--key", key, "--state", str(tmp_path / "state")]) == 2
    assert "name at least one by --log" in capsys.readouterr().err


def test_it_needs_the_packages_that_its_page_names_and_no_other() -> None:
    """And the script of that name is this command."""
    page = (CHECKOUT / "docs/witness.md").read_text()
    named = set(re.findall(r"`([a-z]+)`", page.partition("the packages ")[2].partition(", neither")[0]))
    program = "import sys, audit.log.witness.__main__; print(*{name.partition('.')[0] for name in sys.modules})"
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    of_module = packages_distributions()
    found = {name for each in done.stdout.split() for name in of_module.get(each, [])}
    assert found - BROUGHT == named == {"cryptography", "gunicorn"}
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["breakglass-witness"] == "audit.log.witness.__main__:main"
