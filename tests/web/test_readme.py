"""What the README and the pages of docs say is there: commands, files, pictures, addresses, people."""

import re
from pathlib import Path

import pytest
from django.test import override_settings
from django.urls import resolve

from portal.demo.personas import PERSONAS
from portal.embedded.state import CHECKOUT

README = CHECKOUT / "README.md"
PAPERS = (README, *sorted((CHECKOUT / "docs").rglob("*.md")))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"\bmake ([a-z][a-z-]+)\b")
PNG = b"\x89PNG\r\n\x1a\n"


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))


def code_of(paper: Path) -> str:
    """What stands as code: blocks and lines between backquotes."""
    said = paper.read_text()
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", said, re.DOTALL))


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(CHECKOUT)))
def test_paper_names_only_commands_and_files_that_are_there(paper: Path) -> None:
    assert set(COMMAND.findall(code_of(paper))) - targets() == set()
    links = [link for link in LINK.findall(paper.read_text()) if "://" not in link]
    places = {link: (paper.parent / link).resolve() for link in links}
    missing = [
        link for link, place in places.items() if not place.exists() or (place.is_dir() and not any(place.iterdir()))
    ]
    assert missing == []


def test_readme_says_how_to_try_test_and_check() -> None:
    assert {"demo", "demo-reset", "psql", "test", "check", "bench", "help"} <= set(COMMAND.findall(code_of(README)))


def test_readme_shows_two_pictures() -> None:
    pictures = [CHECKOUT / link for link in LINK.findall(README.read_text()) if link.endswith(".png")]
    assert [picture.name for picture in pictures] == ["request.png", "pack.png"]
    for picture in pictures:
        assert picture.read_bytes()[:8] == PNG
        assert int.from_bytes(picture.read_bytes()[16:20], "big") >= 390, "pixels wide"


def test_readme_leads_to_addresses_and_people_of_the_demo() -> None:
    said = README.read_text()
    named = set(re.findall(r"\*\*([A-Z][a-z]+)\*\*", said))
    assert named <= {persona.name.split()[0] for persona in PERSONAS}
    assert {"Ann", "Ines", "Kim", "Mo", "Rosa"} <= named
    with override_settings(ROOT_URLCONF="tests.architecture.every_url"):
        for address in re.findall(r"`(/[a-z/]+/)`", said):
            assert resolve(address)


def test_every_command_of_the_makefile_is_explained_by_make_help() -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert targets() - explained == {"install"}
