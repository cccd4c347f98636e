"""What a PDF says and holds, by poppler and pikepdf, not by the code that made it."""

import io
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pikepdf

BELOW_HEAD, BELOW_HEADING, FOOT = 66, 118, 788  # points from the top of a page


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


def columns_of(pdf: bytes, folder: Path, first: int) -> str:
    """The words of pages in two columns, from a chapter's page on: left then right, without heads and feet, spaces left out."""
    path = folder / "columns.pdf"
    path.write_bytes(pdf)
    with pikepdf.open(path) as document:
        last = len(document.pages)
    tops = [BELOW_HEADING, *[BELOW_HEAD] * (last - first)]
    halves = [_cut(path, page, side, top) for page, top in enumerate(tops, first) for side in (50, 296)]
    return "".join("".join(halves).split())


def _cut(path: Path, page: int, left: int, top: int) -> str:
    """Half of an upright page, in points from its upper left corner."""
    area = ["-x", str(left), "-y", str(top), "-W", "246", "-H", str(FOOT - top), "-r", "72"]
    command = ["pdftotext", "-f", str(page), "-l", str(page), *area, "-layout", str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
