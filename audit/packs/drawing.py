"""What the drawing processes do: take limits upon themselves, draw with WeasyPrint, put the attached files in with pikepdf.

Loaded by ``python -m audit.packs.render`` alone. Nothing is fetched but the packaged assets, by names that begin with
``asset:``.
"""

import io
import json
import re
import resource
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.packs.render import ASSETS, EXIT_DISK, EXIT_NO_MEMORY, EXIT_NO_PANGO

SCHEME = "asset:"
MB = 1024 * 1024
PLAIN, WHOLE, PAGES = "plain.pdf", "out.pdf", "pages"
# Rules for pseudo-elements of every element: each would cost a style of its own for each cell of a table.
NOTES = re.compile(r"^::(?:footnote|note)-[a-z]+ \{[^}]*\}$", re.MULTILINE)
MARKERS = re.compile(r"^(?=::marker \{)", re.MULTILINE)


def main(step: str, folder: Path) -> int:
    """Do one step of the job in the folder; the status says what went wrong."""
    try:
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        _limit(job["limits"])
        {"draw": _draw, "enclose": _enclose}[step](job, folder)
    except OSError as error:
        if "cannot load library" in str(error):
            return EXIT_NO_PANGO
        sys.stderr.write(f"\n{(error.strerror or type(error).__name__).lower()}\n")
        return EXIT_DISK
    except MemoryError:
        return EXIT_NO_MEMORY
    return 0


def _limit(limits: Mapping[str, int]) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the address space cannot be bounded
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory_mb"] * MB,) * 2)


def _draw(job: Mapping[str, Any], folder: Path) -> None:
    import weasyprint  # noqa: PLC0415 - an OSError here says that Pango is missing
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415 - likewise

    class Packaged(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
        """Packaged assets and nothing else."""

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002 - WeasyPrint calls it so
            return URLFetcherResponse(url, *asset(url))

    class Page(weasyprint.HTML):  # type: ignore[misc]  # likewise
        """A page without footnotes, of which there are none."""

        def _ua_stylesheets(self, forms: bool = False) -> Sequence[Any]:  # noqa: ARG002 - likewise
            return [weasyprint.CSS(string=basic_style())]

    _read_fonts()
    said = job["metadata"]
    page = (folder / "page.html").read_text(encoding="utf-8", errors="surrogatepass")
    document = Page(string=page, base_url=SCHEME, url_fetcher=Packaged()).render()
    about, at = document.metadata, _moment(job)
    about.title, about.authors, about.description = said["title"], [said["author"]], said["subject"]
    about.created = about.modified = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    about.lang = "en"
    identifier = bytes.fromhex(said["identifier"])
    document.write_pdf(folder / PLAIN, pdf_variant="pdf/a-3a", pdf_identifier=identifier)


def _read_fonts() -> None:
    """A font that cannot be read says so here; Pango would put another one in its place without a word."""
    for each in sorted((ASSETS / "fonts").iterdir()):
        each.read_bytes()


def basic_style() -> str:
    """WeasyPrint's own style without what concerns footnotes; markers are those of list items alone."""
    import weasyprint  # noqa: PLC0415 - loaded after the limits hold

    style = Path(weasyprint.__file__).parent / "css" / "html5_ua.css"
    return MARKERS.sub("li", NOTES.sub("", style.read_text(encoding="utf-8")))


def asset(url: str) -> tuple[bytes, dict[str, str]]:
    """A packaged asset with its headers.

    Raises:
        ValueError: the address is none of ours.
    """
    name = url.removeprefix(SCHEME).lstrip("/")
    path = (ASSETS / name).resolve()
    if not url.startswith(SCHEME) or not path.is_relative_to(ASSETS.resolve()) or not path.is_file():
        raise ValueError("A PDF is made of packaged assets alone.")
    kind = {".css": "text/css", ".svg": "image/svg+xml"}.get(path.suffix, "application/octet-stream")
    return path.read_bytes(), {"Content-Type": kind}


def _enclose(job: Mapping[str, Any], folder: Path) -> None:
    """Put the attached files in, and count the pages."""
    import pikepdf  # noqa: PLC0415 - loaded after the limits hold

    date = _moment(job).strftime("D:%Y%m%d%H%M%SZ")
    # Read as a whole: where a disk does not give a part of it, pikepdf mends what it sees as a broken file, and takes it.
    with pikepdf.open(io.BytesIO((folder / PLAIN).read_bytes())) as document:
        named = []
        for number, each in enumerate(job["attachments"]):
            document.attachments[each["name"]] = pikepdf.AttachedFileSpec(
                document, (folder / f"attached-{number}").read_bytes(), description=each["description"],
                filename=each["name"], mime_type=each["media_type"], creation_date=date, mod_date=date,
                relationship=pikepdf.Name("/" + each["relationship"]),
            )  # fmt: skip
            named.append(document.attachments[each["name"]].obj)
        if named:
            document.Root.AF = pikepdf.Array(named)
        document.save(folder / WHOLE, deterministic_id=True)
        (folder / PAGES).write_text(str(len(document.pages)))


def _moment(job: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(job["metadata"]["at"] / 1000, UTC).replace(microsecond=0)
