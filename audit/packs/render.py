"""HTML into a tagged PDF/A-3a, in a process of its own: with bounded time and memory, without secrets, without a network.

The same input gives the same bytes: identifier and dates are given, and the fonts are those of this package alone. The
work lies in a folder: ``job.json``, ``page.html`` and the attached files. Two processes after each other do it,
``python -m audit.packs.render draw FOLDER`` and ``... enclose FOLDER``, so that the memory of the pages is free again
before the files come into them.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from audit.packs.workplaces import held_folder

ROOT = Path(__file__).resolve().parents[2]
ASSETS = Path(__file__).with_name("assets")
INHERITED = ("PATH", "LANG", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT")
EXIT_NO_PANGO, EXIT_NO_MEMORY, EXIT_DISK = 10, 11, 12
STEPS = ("draw", "enclose")
NO_PANGO = (
    "PDFs cannot be made here: the library Pango is missing. On Debian or Ubuntu: apt-get install libpango-1.0-0"
    " libpangoft2-1.0-0 libharfbuzz-subset0; on macOS: brew install pango. Then it is made by itself."
)
MORE_LIKELY = (-9, -24)  # killed for memory by the system; killed for time on the processor (SIGXCPU)


class RenderFailed(RuntimeError):
    """No PDF was made; ``code`` names the kind, the text is a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        """Keep both."""
        super().__init__(sentence)
        self.code = code


class DiskFailed(RenderFailed):
    """A file could not be read or written. That may pass: it is worth another try."""

    def __init__(self, why: str) -> None:
        """Tell why in the system's words, without the name of a file."""
        super().__init__("disk", f"A file could not be read or written where packs are made: {why}.")


def disk_trouble(error: OSError) -> DiskFailed:
    """The same without its path."""
    return DiskFailed((error.strerror or type(error).__name__).lower())


@dataclass(frozen=True)
class Attachment:
    """A file inside the PDF, as bytes or where it lies. ``relationship`` as ISO 32000-2 names it: ``Data``, ``Source``, ``Supplement``."""

    name: str
    data: bytes | Path
    media_type: str
    description: str
    relationship: str = "Data"

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.data.stat().st_size if isinstance(self.data, Path) else len(self.data)

    @property
    def sha256(self) -> str:
        """Their hash."""
        if isinstance(self.data, bytes):
            return hashlib.sha256(self.data).hexdigest()
        with self.data.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Metadata:
    """What a PDF says of itself; ``at`` in milliseconds since 1970 UTC, ``identifier`` 64 hexadecimal digits."""

    title: str
    author: str
    subject: str
    at: int
    identifier: str


@dataclass(frozen=True)
class Limits:
    """How much the process may take; ``memory_mb`` is its address space, of which it uses about half."""

    seconds: int = 300
    memory_mb: int = 3072


USUAL = Limits()


@dataclass(frozen=True)
class Drawn:
    """A PDF that is not signed yet."""

    pdf: bytes
    pages: int


def render_pdf(html: str, attachments: Sequence[Attachment], metadata: Metadata, *, limits: Limits = USUAL) -> bytes:
    """Make the PDF, not signed yet.

    Raises:
        RenderFailed: Pango is missing, a limit was reached, the disk failed, or the page cannot be drawn.
    """
    with workplace() as folder:
        lay_ready(folder, html, attachments, metadata, limits)
        return draw(folder).pdf


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for one PDF in the making; files to attach may be written into it.

    Raises:
        DiskFailed: It, or a file in it, cannot be read or written.
    """
    try:
        with held_folder() as folder:
            yield folder
    except OSError as error:
        raise disk_trouble(error) from error


def lay_ready(
    folder: Path, html: str, attachments: Sequence[Attachment], metadata: Metadata, limits: Limits = USUAL
) -> None:
    """Write all that drawing needs into the folder; nothing of it has to stay in memory."""
    files = [
        {"name": each.name, "media_type": each.media_type, "description": each.description, "relationship": each.relationship}
        for each in attachments
    ]  # fmt: skip
    job = {"attachments": files, "metadata": asdict(metadata), "limits": asdict(limits)}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    (folder / "page.html").write_text(html, encoding="utf-8", errors="surrogatepass")
    (folder / "fonts.conf").write_text(fonts_conf(folder), encoding="utf-8")
    for number, each in enumerate(attachments):
        place = folder / f"attached-{number}"
        if isinstance(each.data, Path):
            each.data.rename(place)
        else:
            place.write_bytes(each.data)


def draw(folder: Path) -> Drawn:
    """Draw what lies ready in the folder.

    Raises:
        RenderFailed: Pango is missing, a limit was reached, the disk failed, or the page cannot be drawn.
    """
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    for step in STEPS:
        _run(step, folder, Limits(**job["limits"]))
    return Drawn((folder / "out.pdf").read_bytes(), int((folder / "pages").read_text()))


def fonts_conf(folder: Path) -> str:
    """Fontconfig's settings: the packaged fonts and no others, so that a PDF looks the same wherever it is made."""
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>{ASSETS / 'fonts'}</dir><cachedir>{folder / 'cache'}</cachedir></fontconfig>"
    )


def _run(step: str, folder: Path, limits: Limits) -> None:
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment |= {"FONTCONFIG_FILE": str(folder / "fonts.conf"), "HOME": str(folder), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "audit.packs.render", step, str(folder)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderFailed("too_long", f"The PDF was not finished in {limits.seconds} seconds.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").replace(f"{folder}/", "")
        raise _failure(done.returncode, said, limits)


def _failure(status: int, said: str, limits: Limits) -> RenderFailed:
    if status == EXIT_NO_PANGO:
        return RenderFailed("no_pango", NO_PANGO)
    if status == EXIT_DISK:
        return DiskFailed(said.strip().splitlines()[-1][:100] if said.strip() else "no reason is given")
    if status == EXIT_NO_MEMORY or "MemoryError" in said:
        return RenderFailed("too_large", f"The PDF needs more than {limits.memory_mb} MB of memory.")
    if status in MORE_LIKELY:
        return RenderFailed(
            "too_long", f"The PDF needs more than {limits.seconds} seconds, or more memory than there is."
        )
    last = said.strip().splitlines()[-1][:300] if said.strip() else f"status {status}"
    return RenderFailed("failed", f"The PDF could not be drawn: {last}")


if __name__ == "__main__":
    from audit.packs.drawing import main  # WeasyPrint and pikepdf are loaded in these processes only

    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
