"""Files of others are the ones named in VENDOR, and nothing in them points elsewhere."""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "portal" / "static" / "vendor"
LINE = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.MULTILINE)


def test_vendored_files_have_the_hashes_that_are_written_down() -> None:
    written = {name: digest for digest, name in LINE.findall((VENDOR / "VENDOR").read_text())}
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VENDOR"
    }
    assert found == written


def test_vendored_folders_carry_their_licence() -> None:
    assert [folder.name for folder in VENDOR.iterdir() if folder.is_dir() and not (folder / "LICENSE").is_file()] == []


def test_vendored_files_ask_for_no_source_map() -> None:
    asking = [path.name for path in VENDOR.rglob("*.*s") if b"sourceMappingURL" in path.read_bytes()]
    assert asking == []
