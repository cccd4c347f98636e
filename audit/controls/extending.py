"""What an operator adds to the catalogue in a folder of YAML files: tests of their own, and stricter parameters.

tests:
- id: ORG-01
  ...                                    # a block as in tests.yaml
parameters: {removal_grace_minutes: 2}   # a value that is stricter
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from audit.controls.model import Catalogue, CatalogueRefused, ControlTest
from audit.controls.reading import read_test
from audit.facts.parameters import NotStricter, Parameter, Value, tighten

MOST_BYTES = 1_000_000
KNOWN = {"tests", "parameters", "schema_version"}


def add_folder(catalogue: Catalogue, folder: Path, label: str) -> Catalogue:
    """The catalogue with every ``*.yaml`` of a folder laid on it; the hash is taken later.

    Raises:
        CatalogueRefused: the folder cannot be read, or a file holds something that may not be added.
    """
    if not folder.is_dir():
        raise CatalogueRefused(f"{folder} is no folder that can be read.")
    for path in sorted(folder.glob("*.yaml")):
        catalogue = _add_file(catalogue, path, f"{label}/{path.name}")
    return catalogue


def _add_file(catalogue: Catalogue, path: Path, label: str) -> Catalogue:
    content = path.read_bytes()
    stored = _parse(path, content)
    if unknown := stored.keys() - KNOWN:
        raise CatalogueRefused(
            f"{path.name} holds {sorted(map(str, unknown))[0]}; only tests and parameters may be added."
        )
    catalogue = _with_parameters(catalogue, stored.get("parameters") or {}, path)
    tests = dict(catalogue.tests)
    for block in _blocks(path, stored):
        test = _new_test(catalogue, tests, block)
        tests[test.id] = test
    files = {**catalogue.files, label: hashlib.sha256(content).hexdigest()}
    return replace(catalogue, tests=tests, files=files)


def _parse(path: Path, content: bytes) -> Mapping[str, Any]:
    if len(content) > MOST_BYTES:
        raise CatalogueRefused(f"{path.name} is longer than {MOST_BYTES:,} bytes.")
    try:
        stored = yaml.safe_load(content)
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:  # of a tag whose value does not fit
        raise CatalogueRefused(f"{path.name} is no YAML that can be read.") from error
    if not isinstance(stored, Mapping):
        raise CatalogueRefused(f"{path.name} holds neither tests nor parameters.")
    return stored


def _blocks(path: Path, stored: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    blocks = stored.get("tests") or []
    if not isinstance(blocks, list):
        raise CatalogueRefused(f"{path.name}: tests are a list.")
    return blocks


def _new_test(catalogue: Catalogue, tests: Mapping[str, ControlTest], block: Mapping[str, Any]) -> ControlTest:
    test = read_test(block)
    if test.id in tests or test.id in catalogue.retired:
        raise CatalogueRefused(f"{test.id} is taken: a test may be added, never put in place of another.")
    if unknown := set(test.parameters) - catalogue.parameters.keys():
        raise CatalogueRefused(f"{test.id} names the parameter {sorted(unknown)[0]}, which there is not.")
    return test


def _with_parameters(catalogue: Catalogue, values: Mapping[str, Value], path: Path) -> Catalogue:
    if not isinstance(values, Mapping):
        raise CatalogueRefused(f"{path.name}: parameters are a map of name and value.")
    parameters: dict[str, Parameter] = dict(catalogue.parameters)
    tightened = dict(catalogue.tightened)
    for name, value in values.items():
        if name not in parameters:
            raise CatalogueRefused(f"{path.name} sets {name}, and there is no such parameter.")
        try:
            parameters[name] = replace(parameters[name], value=tighten(parameters[name], value))
        except NotStricter as error:
            raise CatalogueRefused(f"{path.name}: {error}.") from error
        tightened[name] = parameters[name].value
    return replace(catalogue, parameters=parameters, tightened=tightened)
