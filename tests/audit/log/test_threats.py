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


def test_each_row_stands_in_a_table() -> None:
    """A table is broken by an empty line: rows after it are shown as text."""
    blocks = [block for block in re.split(r"\n(?!\|)", PAGE.read_text()) if "\n|" in block or block.startswith("|")]
    assert len(blocks) == 6
    assert [block for block in blocks if block.splitlines()[1:3] != ["| | | shown by |", "|-|-|-|"]] == []
