"""Completeness by source: windows that lack the same for the same reasons stand together, and none is lost."""

from audit.controls.loading import load_catalogue
from audit.facts.given import Period, lay_given
from audit.facts.schema import insert_rows, new_database
from audit.packs.completeness import WindowLine, by_source
from audit.packs.known import Known, Source

HOUR = 3_600_000
KNOWN = Known(
    systems={"shop": "Shop", "mail": "Mail"}, sources={"S": Source("S", "shop", "postgresql", "line_num per session")}
)


def test_windows_that_are_alike_are_one_line() -> None:
    db = new_database()
    verdicts = ["unknown", "unknown", "complete", "pending", "unknown"]
    insert_rows(db, "source_windows", (
        {"id": f"w{number}", "source_id": "S", "system_id": "shop", "from_at": number * HOUR, "to_at": (number + 1) * HOUR, "verdict": verdict}
        for number, verdict in enumerate(verdicts)
    ))  # fmt: skip
    lay_given(db, period=Period(0, 9 * HOUR, 9 * HOUR), parameters=load_catalogue().parameters)
    found = by_source(db, [], KNOWN, ("shop", "mail", "elsewhere"))
    assert found.windows == (
        WindowLine("postgresql of Shop", "not judged", 0, 5 * HOUR, "unknown", (), (), 3),
        WindowLine("postgresql of Shop", "not judged", 3 * HOUR, 4 * HOUR, "pending", (), (), 1),
    )
    assert (found.covered, found.total) == (4, 4)
    assert [source.counts for source in found.sources] == [(1, 0, 0, 1, 3, 0)]
    assert found.silent == ("Mail", "elsewher")


def test_source_of_a_system_that_is_not_known_is_named_by_its_id() -> None:
    assert Known(sources={"S": Source("S", "S", "postgresql", "none")}).name("S") == "postgresql of S"
