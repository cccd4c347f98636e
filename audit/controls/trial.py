"""Tries added tests out on empty tables, so that what would be refused is refused when the catalogue is read."""

from collections.abc import Iterable

from audit.controls.guard import Limits, Stopped
from audit.controls.model import Catalogue, CatalogueRefused, ControlTest
from audit.controls.runner import prepare, run_test
from audit.facts.given import Period
from audit.facts.schema import new_database

BRIEF = Limits(steps=20_000_000, seconds=5.0)


def try_out(catalogue: Catalogue, tests: Iterable[ControlTest]) -> None:
    """Run each test once where there are no facts.

    Raises:
        CatalogueRefused: SQLite does not understand one, or it would do more than read.
    """
    db = new_database()
    try:
        prepare(db, catalogue, Period(0, 1, 1))
        for test in tests:
            try:
                run_test(db, catalogue, test, limits=BRIEF)
            except Stopped as stopped:
                raise CatalogueRefused(f"{test.id} is refused. {stopped}") from stopped
    finally:
        db.close()
