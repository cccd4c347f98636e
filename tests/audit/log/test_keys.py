"""The key pair in files."""

import stat
from pathlib import Path

import pytest

from audit.log import keys
from audit.log.errors import ParseError


def test_pair_is_written_once_and_the_secret_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    public = keys.write_pair(folder, "log.example/portal")
    assert stat.S_IMODE((folder / "log.key").stat().st_mode) == 0o600
    assert keys.load_signer(folder / "log.key").verifier() == public
    assert keys.load_verifiers((folder / "log.pub").read_text()) == (public,)

    before = [(folder / name).read_text() for name in ("log.key", "log.pub")]
    with pytest.raises(FileExistsError):
        keys.write_pair(folder, "log.example/portal")
    (folder / "log.pub").unlink()
    with pytest.raises(FileExistsError):
        keys.write_pair(folder, "log.example/portal")
    assert (folder / "log.key").read_text() == before[0]


def test_two_pairs_differ() -> None:
    assert len({text for _ in range(2) for text in keys.generate("log.example")}) == 4


def test_name_with_a_plus_gets_no_pair(tmp_path: Path) -> None:
    with pytest.raises(ParseError):
        keys.write_pair(tmp_path, "log+example")


def test_several_verifier_keys_are_read_in_order() -> None:
    texts = [keys.generate("log.example")[1] for _ in range(2)]
    assert [key.text() for key in keys.load_verifiers(f" {texts[0]}\n\n{texts[1]}\n")] == texts


@pytest.mark.parametrize("text", ["", " \n", "log.example"])
def test_setting_without_a_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        keys.load_verifiers(text)


def test_file_that_holds_no_signer_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    path.write_bytes(b"\xff\x00 something else")
    with pytest.raises(ParseError):
        keys.load_signer(path)
