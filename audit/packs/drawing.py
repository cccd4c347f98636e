"""What the drawing process does: take limits upon itself, draw with WeasyPrint, tidy up with pikepdf.

Loaded by ``python -m audit.packs.render`` alone. Nothing is fetched but the packaged assets, by names that begin with
``asset:``.
"""

import io
import json
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.packs.render import ASSETS, EXIT_NO_MEMORY, EXIT_NO_PANGO

SCHEME = "asset:"
MB = 1024 * 1024


def main(folder: Path) -> int:
    """Draw the job in the folder into ``out.pdf``; the status says what went wrong."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    _limit(job["limits"])
    try:
        pdf = _tidied(_drawn(job, folder), job)
    except OSError as error:
        if "cannot load library" not in str(error):
            raise
        return EXIT_NO_PANGO
    except MemoryError:
        return EXIT_NO_MEMORY
    (folder / "out.pdf").write_bytes(pdf)
    return 0


def _limit(limits: dict[str, int]) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the address space cannot be bounded
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory_mb"] * MB,) * 2)


def _drawn(job: dict[str, Any], folder: Path) -> bytes:
    import weasyprint  # noqa: PLC0415 - an OSError here says that Pango is missing
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415 - likewise

    class Packaged(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
        """Packaged assets and nothing else."""

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002 - WeasyPrint calls it so
            return URLFetcherResponse(url, *asset(url))

    said = job["metadata"]
    at = datetime.fromtimestamp(said["at"] / 1000, UTC).replace(microsecond=0)
    document = weasyprint.HTML(string=job["html"], base_url=SCHEME, url_fetcher=Packaged()).render()
    about = document.metadata
    about.title, about.authors, about.description = said["title"], [said["author"]], said["subject"]
    about.created = about.modified = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    about.lang = "en"
    files = [
        weasyprint.Attachment(
            file_obj=io.BytesIO((folder / str(number)).read_bytes()), name=each["name"],
            description=each["description"], created=at, modified=at, relationship=each["relationship"],
            url_fetcher=Packaged(),
        )
        for number, each in enumerate(job["attachments"])
    ]  # fmt: skip
    drawn = document.write_pdf(
        pdf_variant="pdf/a-3a", pdf_identifier=bytes.fromhex(said["identifier"]), attachments=files
    )
    return bytes(drawn)


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


def _tidied(pdf: bytes, job: dict[str, Any]) -> bytes:
    """Each attachment once among the associated files (WeasyPrint 70 names it twice), and with the type that we gave."""
    import pikepdf  # noqa: PLC0415 - loaded after the limits hold

    types = {each["name"]: each["media_type"] for each in job["attachments"]}
    with pikepdf.open(io.BytesIO(pdf)) as document:
        files = document.Root.get("/AF")
        if files is not None:
            document.Root.AF = pikepdf.Array(list({each.objgen: each for each in files}.values()))
            for each in document.Root.AF:
                each.EF.F.Subtype = pikepdf.Name("/" + types[str(each.UF)])
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
        return out.getvalue()
