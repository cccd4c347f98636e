"""HTML into a tagged PDF/A-3a, in a process of its own: with bounded time and memory, without secrets, without a network.

The same input gives the same bytes: identifier and dates are given, and the fonts are those of this package alone. The
process is ``python -m audit.packs.render FOLDER``; the folder holds ``job.json`` and the attached files.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS = Path(__file__).with_name("assets")
INHERITED = ("PATH", "LANG", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT")
EXIT_NO_PANGO, EXIT_NO_MEMORY = 10, 11
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


@dataclass(frozen=True)
class Attachment:
    """A file inside the PDF. ``relationship`` as ISO 32000-2 names it: ``Data``, ``Source``, ``Supplement``."""

    name: str
    data: bytes
    media_type: str
    description: str
    relationship: str = "Data"


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


def render_pdf(html: str, attachments: Sequence[Attachment], metadata: Metadata, *, limits: Limits = USUAL) -> bytes:
    """Make the PDF, not signed yet.

    Raises:
        RenderFailed: Pango is missing, a limit was reached, or the page cannot be drawn.
    """
    with tempfile.TemporaryDirectory(prefix="breakglass-pdf-") as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(_job(html, attachments, metadata, limits)), encoding="utf-8")
        for number, attachment in enumerate(attachments):
            (folder / str(number)).write_bytes(attachment.data)
        (folder / "fonts.conf").write_text(fonts_conf(folder), encoding="utf-8")
        _run(folder, limits)
        return (folder / "out.pdf").read_bytes()


def fonts_conf(folder: Path) -> str:
    """Fontconfig's settings: the packaged fonts and no others, so that a PDF looks the same wherever it is made."""
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>{ASSETS / 'fonts'}</dir><cachedir>{folder / 'cache'}</cachedir></fontconfig>"
    )


def _job(html: str, attachments: Sequence[Attachment], metadata: Metadata, limits: Limits) -> Mapping[str, object]:
    files = [{key: value for key, value in asdict(each).items() if key != "data"} for each in attachments]
    return {"html": html, "attachments": files, "metadata": asdict(metadata), "limits": asdict(limits)}


def _run(folder: Path, limits: Limits) -> None:
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment |= {"FONTCONFIG_FILE": str(folder / "fonts.conf"), "HOME": str(folder), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "audit.packs.render", str(folder)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderFailed("too_long", f"The PDF was not finished in {limits.seconds} seconds.") from None
    if done.returncode:
        raise _failure(done.returncode, done.stderr.decode(errors="replace"), limits)


def _failure(status: int, said: str, limits: Limits) -> RenderFailed:
    if status == EXIT_NO_PANGO:
        return RenderFailed("no_pango", NO_PANGO)
    if status == EXIT_NO_MEMORY or "MemoryError" in said:
        return RenderFailed("too_large", f"The PDF needs more than {limits.memory_mb} MB of memory.")
    if status in MORE_LIKELY:
        return RenderFailed(
            "too_long", f"The PDF needs more than {limits.seconds} seconds, or more memory than there is."
        )
    last = said.strip().splitlines()[-1][:300] if said.strip() else f"status {status}"
    return RenderFailed("failed", f"The PDF could not be drawn: {last}")


if __name__ == "__main__":
    from audit.packs.drawing import main  # WeasyPrint is loaded in this process only

    sys.exit(main(Path(sys.argv[1])))
