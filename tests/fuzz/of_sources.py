"""Logs of targets, into which whoever works on one writes, and files of an operator's own tests, as functions over any bytes."""

import contextlib
import tempfile
from functools import cache
from pathlib import Path

from audit.controls.extending import add_folder
from audit.controls.loading import load_catalogue
from audit.controls.model import Catalogue, CatalogueRefused
from audit.sources.postgresql import parse as postgresql
from audit.sources.postgresql.sessions import Fold, Reader
from audit.sources.simulated import sessions as simulated

_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-")
READERS = [Reader("bg_portal", lambda _login: True, literals) for literals in ("keep", "hide")]


def postgresql_line(data: bytes) -> None:
    """One line of a jsonlog: understood, or not read."""
    with contextlib.suppress(postgresql.ParseError):
        found = postgresql.parse_line(data)
        assert found.number >= 1
        if found.kind is postgresql.Kind.PARAMETER:
            postgresql.parameter(found)


def postgresql_log(data: bytes) -> None:
    """A whole jsonlog, folded: nothing that a line says stops the reading of what comes after it."""
    for reader in READERS:
        fold = Fold(reader)
        fold.read(data.split(b"\n"))
        fold.read([])


def simulated_log(data: bytes) -> None:
    """The same of a simulated target."""
    fold = simulated.Fold(lambda _login: True)
    fold.read(data.split(b"\n"))
    fold.read([])


@cache
def _own() -> Catalogue:
    return load_catalogue()


def catalogue(data: bytes) -> None:
    """A file of tests and parameters that an operator adds: taken, or refused in a sentence."""
    folder = Path(_FOLDER.name)
    (folder / "own.yaml").write_bytes(data)
    with contextlib.suppress(CatalogueRefused):
        add_folder(_own(), folder, "own")
