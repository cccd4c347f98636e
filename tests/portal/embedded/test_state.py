"""What a demo keeps between two starts."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from portal.embedded import state
from portal.embedded.state import State


def load(folder: Path) -> State:
    return state.load(folder, make_log_key=lambda: ("the secret half", "the public half"))


def test_state_is_kept_from_start_to_start(tmp_path: Path) -> None:
    assert load(tmp_path) == load(tmp_path)


def test_state_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    kept = load(tmp_path)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == {"state.json": 0o600, "sealer.key": 0o600}
    assert kept.log_key_file.read_text() == "the secret half"


def test_two_demos_share_no_secret(tmp_path: Path) -> None:
    one, other = load(tmp_path / "one"), load(tmp_path / "other")
    assert not set(one.passwords.values()) & set(other.passwords.values())
    assert len(set(one.passwords.values())) == len(one.passwords)
    assert one.secrets_key != other.secrets_key


def test_port_that_somebody_took_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    first = load(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.ports["target"]))
        taken.listen()
        second = load(tmp_path)
    assert second.ports["target"] != first.ports["target"]
    assert replace(second, ports=first.ports) == first
    others = {name: port for name, port in first.ports.items() if name != "target"}
    assert {name: second.ports[name] for name in others} == others


def test_folder_comes_from_the_environment_or_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_DATA", "/srv/demo")
    named = state.default_folder()
    monkeypatch.delenv("PORTAL_DATA")
    assert (named, state.default_folder()) == (Path("/srv/demo"), state.CHECKOUT / "var" / "demo")
