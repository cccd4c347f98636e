"""The page on threats names only tests that exist."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "docs" / "auditor" / "threats.md"


def test_each_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", PAGE.read_text())
    assert len(named) > 15
    assert [each for each in named if not (CHECKOUT / each).exists()] == []


def test_each_claim_names_what_shows_it() -> None:
    rows = [
        line.strip("|").split("|")
        for line in PAGE.read_text().splitlines()
        if re.match(r"\| (prevented|noticed|not) ", line)
    ]
    assert [row[1].strip() for row in rows if not row[2].strip()] == []
