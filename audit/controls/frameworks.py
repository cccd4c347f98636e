"""Frameworks: each reference with the tests that bear on it, what to read for design, and what is not shown.

A result says something about rows, never about compliance; nothing here turns results into a verdict on a reference.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from audit.controls.model import Catalogue, CatalogueRefused, Framework, Reference, TestResult

COVERAGES = ("full", "partial", "supporting")


@dataclass(frozen=True)
class MatrixLine:
    """One reference beside the results of its tests, in the order in which it names them."""

    reference: Reference
    results: tuple[TestResult, ...]


def read_framework(path: Path) -> Framework:
    """Read one file of references."""
    stored = yaml.safe_load(path.read_text(encoding="utf-8"))
    references = tuple(_reference(path, each) for each in stored["references"])
    named = ("id", "name", "version", "wording", "compared", "not_compared", "limit")
    words = {name: str(stored[name]) for name in named}
    return Framework(enabled=bool(stored["enabled"]), references=references, **words)


def _reference(path: Path, stored: Mapping[str, str | list[str]]) -> Reference:
    if stored["coverage"] not in COVERAGES:
        raise CatalogueRefused(f"{path.name} says of {stored['ref']} that its coverage is {stored['coverage']}.")
    words = {name: str(stored[name]) for name in ("ref", "subject", "coverage", "design", "not_shown")}
    return Reference(tests=tuple(stored["tests"]), **words)


def enabled(catalogue: Catalogue, only: Iterable[str] | None = None) -> list[Framework]:
    """The frameworks that a pack maps to: those named, or those that are on by default."""
    if only is None:
        return [each for each in catalogue.frameworks.values() if each.enabled]
    return [catalogue.frameworks[name] for name in only]


def matrix(framework: Framework, results: Iterable[TestResult]) -> Iterator[MatrixLine]:
    """Every reference with the results of its tests; a test that was not run is left out and shows as missing."""
    by_id = {result.id: result for result in results}
    for reference in framework.references:
        yield MatrixLine(reference, tuple(by_id[name] for name in reference.tests if name in by_id))
