"""The page on threats names only tests that exist, and each claim the very test that would fail if it were untrue."""

import re
from pathlib import Path

import pytest

from tests.audit.log.claims import SHOWN

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
        if re.match(r"\| (prevented|noticed|how soon|not) ", line)
    ]
    assert [row[1].strip() for row in rows if not row[2].strip()] == []


def test_of_each_attacker_it_is_said_how_soon_and_a_test_shows_it() -> None:
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    soon = {
        part.splitlines()[0]: re.findall(r"^\| how soon \| [^|]+\|([^|]+)\|$", part, re.MULTILINE) for part in sections
    }
    assert len(soon) == 6
    assert {name: len(found) for name, found in soon.items()} == dict.fromkeys(soon, 1)
    assert [name for name, found in soon.items() if "`tests/" not in found[0]] == []


@pytest.mark.parametrize("section", range(6))
def test_each_claim_has_a_test_function_of_the_files_that_it_names(section: int) -> None:
    """`claims.py` holds them; what is neither prevented nor noticed has its reason on the page instead."""
    part = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1 + section]
    rows = re.findall(r"^\| (?:prevented|noticed|how soon) \| ([^|]+)\|([^|]+)\|$", part, re.MULTILINE)
    begun = {claim: [begins for begins in SHOWN[section] if claim.startswith(begins)] for claim, _ in rows}
    assert [claim for claim, found in begun.items() if len(found) != 1] == [], "tests/audit/log/claims.py names none"
    assert {begins for found in begun.values() for begins in found} == SHOWN[section].keys()
    for claim, shown_by in rows:
        named, shown = re.findall(r"`(tests/[^`]+)`", shown_by), SHOWN[section][begun[claim][0]]
        assert [each for each in shown if not _is_there(each)] == []
        assert [each for each in shown if not any(each.startswith(place) for place in named)] == [], claim
        assert [place for place in named if not any(each.startswith(place) for each in shown)] == [], claim


def _is_there(test: str) -> bool:
    file, _, function = test.partition("::")
    return re.search(rf"^def {function}\(", (CHECKOUT / file).read_text(), re.MULTILINE) is not None


def test_each_row_stands_in_a_table() -> None:
    """A table is broken by an empty line: rows after it are shown as text."""
    blocks = [block for block in re.split(r"\n(?!\|)", PAGE.read_text()) if "\n|" in block or block.startswith("|")]
    assert len(blocks) == 6
    assert [block for block in blocks if block.splitlines()[1:3] != ["| | | shown by |", "|-|-|-|"]] == []
