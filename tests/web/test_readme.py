"""What the README and the pages of docs say is there: commands, files, pictures, addresses, people."""

import re
from pathlib import Path

import pytest
from django.test import override_settings
from django.urls import resolve

from portal.demo.personas import PERSONAS
from portal.demo.places import PLACES
from portal.embedded.state import CHECKOUT

README = CHECKOUT / "README.md"
PAPERS = (README, *sorted((CHECKOUT / "docs").rglob("*.md")))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"\bmake ([a-z][a-z-]+)\b")
LARGEST = 60_000  # bytes of a picture
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


READERS = ("responder.md", "approver.md", "reviewer.md", "owner.md", "custodian.md", "auditor/README.md", "operate.md")


def pictures_of(paper: Path) -> set[Path]:
    return {(paper.parent / link).resolve() for link in LINK.findall(paper.read_text()) if link.endswith(".png")}


@pytest.mark.parametrize("reader", READERS)
def test_page_of_a_reader_shows_pictures_that_the_test_run_took(reader: str) -> None:
    shown = pictures_of(CHECKOUT / "docs" / reader)
    walks = "".join(walk.read_text() for walk in (CHECKOUT / "tests" / "web").glob("test_whole_way_*.py"))
    assert shown
    for picture in shown:
        assert re.search(rf"picture(_of_page)?\(.*\"{picture.stem}\"\)", walks), f"nothing takes {picture.name}"
        content = picture.read_bytes()
        assert content[:8] == PNG
        assert int.from_bytes(content[16:20], "big") in (390, 800, 1280), f"{picture.name}: pixels wide"
        assert len(content) <= LARGEST, picture.name


def test_every_picture_is_shown() -> None:
    shown = set().union(*map(pictures_of, PAPERS))
    assert {each.resolve() for each in (CHECKOUT / "docs" / "pictures").iterdir()} - shown == set()


def test_readme_leads_to_addresses_and_people_of_the_demo() -> None:
    said = README.read_text()
    named = set(re.findall(r"\*\*([A-Z][a-z]+)\*\*", said))
    assert named <= {persona.name.split()[0] for persona in PERSONAS}
    assert {"Ann", "Ines", "Kim", "Mo", "Rosa"} <= named
    with override_settings(ROOT_URLCONF="tests.architecture.every_url"):
        for address in re.findall(r"`(/[a-z/]+/)`", said):
            assert resolve(address)


def test_demo_names_buttons_and_people_that_are_there() -> None:
    page = (CHECKOUT / "templates" / "demo" / "personas.html").read_text()
    others = "".join(
        each.read_text() for each in (CHECKOUT / "templates").rglob("*.html") if each.name != "personas.html"
    )
    names = [name for place in PLACES for name in (place.name, *(place.sealed or ())[1:2])]
    buttons = [_without(names, said) for said in re.findall(r"<em>([^<]+)</em>", page)]
    assert [each for each in buttons if each not in others] == []
    assert set(re.findall(r"<strong>([A-Z][a-z]+)</strong>", page)) <= {each.name.split()[0] for each in PERSONAS}
    assert page.count('id="part-') == 6


def _without(names: list[str], said: str) -> str:
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, "")
    return said.strip(": ")


def test_every_command_of_the_makefile_is_explained_by_make_help() -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert targets() - explained == {"install"}
