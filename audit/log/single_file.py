"""The stand-alone verifier as one file that any Python runs (PEP 441). The same code makes the same bytes, so its hash can be told to others."""

import importlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

MODULES = (
    "audit", "audit.log", "audit.log.addresses", "audit.log.canonical", "audit.log.checkpoint", "audit.log.cosignature", "audit.log.durable",
    "audit.log.ed25519", "audit.log.errors", "audit.log.fetching", "audit.log.merkle", "audit.log.note", "audit.log.proof", "audit.log.said",
    "audit.log.tiles", "audit.log.verify", "audit.log.verify.__main__", "audit.log.verify.bar", "audit.log.verify.bundles",
    "audit.log.verify.check", "audit.log.verify.command", "audit.log.verify.damage", "audit.log.verify.judging", "audit.log.verify.keys",
    "audit.log.verify.progress", "audit.log.verify.proofs", "audit.log.verify.saying", "audit.log.verify.sources", "audit.log.verify.upper",
    "audit.log.verify.walking", "audit.log.witness", "audit.log.witness.requests", "rfc8785", "rfc8785._impl",
)  # fmt: skip
MAIN = "audit.log.verify.__main__"  # which begins it as a module as well
FIRST_LINE = b"#!/usr/bin/env python3\n"
WHEN = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows; no other time would be the same tomorrow


def single_file() -> bytes:
    """The bytes of the file."""
    data = io.BytesIO(FIRST_LINE)
    data.seek(0, io.SEEK_END)
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as file:
        for name, source in (("__main__.py", _path(MAIN).read_bytes()), *_sources()):
            place = zipfile.ZipInfo(name, WHEN)
            place.external_attr = 0o644 << 16
            file.writestr(place, source, zipfile.ZIP_DEFLATED, 9)
    return data.getvalue()


def _sources() -> Iterator[tuple[str, bytes]]:
    for name in MODULES:
        path = _path(name)
        inside = name.replace(".", "/")
        yield (f"{inside}/__init__.py" if path.name == "__init__.py" else f"{inside}.py"), path.read_bytes()


def _path(name: str) -> Path:
    return Path(str(importlib.import_module(name).__file__))
