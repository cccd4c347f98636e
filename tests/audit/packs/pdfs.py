"""What a PDF says and holds, by poppler and pikepdf, not by the code that made it."""

import io
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pikepdf


def text_of(pdf: bytes, folder: Path) -> str:
    """All words, as a reader copies them."""
    path = folder / "read.pdf"
    path.write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, text=True).stdout


def words_of(pdf: bytes, folder: Path) -> str:
    """The same with line breaks as spaces."""
    return " ".join(text_of(pdf, folder).split())


def files_of(pdf: bytes) -> Mapping[str, bytes]:
    """The attached files."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return {name: bytes(document.attachments[name].get_file().read_bytes()) for name in document.attachments}
