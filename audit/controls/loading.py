"""Reads the catalogue from its files, refuses what does not fit, and names it by one hash."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from audit.controls.extending import add_folder
from audit.controls.frameworks import read_framework
from audit.controls.model import Catalogue, CatalogueRefused, ControlTest
from audit.controls.reading import read_test
from audit.controls.trial import try_out
from audit.facts.parameters import Parameter
from audit.facts.schema import FACTS

FOLDER = Path(__file__).with_name("catalogue")


@cache
def load_catalogue(extra_dirs: tuple[Path, ...] = ()) -> Catalogue:
    """The catalogue, with what an operator adds in folders of their own: tests, and stricter parameters.

    Raises:
        CatalogueRefused: an addition is looser, does more than read, or is not well formed; the sentence says which.
    """
    own = _read_own()
    if not extra_dirs:
        return own
    extended = own
    for number, folder in enumerate(extra_dirs, 1):
        extended = add_folder(extended, folder, f"added-{number}")
    try_out(extended, [test for name, test in extended.tests.items() if name not in own.tests])
    return _named(extended)


@cache
def _read_own() -> Catalogue:
    tests = yaml.safe_load((FOLDER / "tests.yaml").read_text(encoding="utf-8"))
    catalogue = Catalogue(
        tests=_by_id(read_test(block) for block in tests["tests"]),
        parameters=_parameters(yaml.safe_load((FOLDER / "parameters.yaml").read_text(encoding="utf-8"))),
        frameworks={
            each.id: each for each in (read_framework(path) for path in sorted((FOLDER / "frameworks").glob("*.yaml")))
        },
        views=(FOLDER / "views.sql").read_text(encoding="utf-8"),
        retired=tests["retired"],
        files=_hashes(),
        sha256="",
    )
    return _named(catalogue)


def _by_id(tests: Iterable[ControlTest]) -> dict[str, ControlTest]:
    found: dict[str, ControlTest] = {}
    for test in tests:
        if test.id in found:
            raise CatalogueRefused(f"{test.id} is there twice.")
        found[test.id] = test
    return found


def _parameters(stored: Mapping[str, Any]) -> dict[str, Parameter]:
    return {name: Parameter(name=name, **body) for name, body in stored["parameters"].items()}


def _hashes() -> dict[str, str]:
    files = {str(path.relative_to(FOLDER)): path for path in FOLDER.rglob("*") if path.suffix in (".yaml", ".sql")}
    files["facts.yaml"] = FACTS
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def _named(catalogue: Catalogue) -> Catalogue:
    """Name a catalogue by the SHA-256 of what ``sha256sum`` prints of its files, in the order of their names."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(catalogue.files.items()))
    return replace(catalogue, sha256=hashlib.sha256(lines.encode()).hexdigest())
