"""Components are used as their heads say, stand in the gallery, and name icons that exist."""

import re
from functools import cache
from pathlib import Path

import pytest

from portal.templatetags import tones

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
COMPONENTS = sorted((TEMPLATES / "components").glob("*.html"))
HEAD = re.compile(r"\A\{% comment %\}\n(.+?)\{% endcomment %\}", re.DOTALL)
ARGUMENTS = re.compile(r"^((?:\w+\??, )*\w+\??): ", re.MULTILINE)
INCLUDE = re.compile(r"""\{% include "components/(\w+)\.html"(?: with (.*?))?( only)? %\}""")
BLOCK = re.compile(r"\{% (card|callout|confirm)\b((?:(?!%\}).)*)%\}")
GIVEN = re.compile(r"""(\w+)=""")
QUOTED = re.compile(r'"[^"]*"')
ICON = re.compile(r"""\{% icon "([\w-]+)"|[ (]icon="([\w-]+)"|"icon": "([\w-]+)"|icon\|default:"([\w-]+)\"""")


@cache
def declared(name: str) -> dict[str, bool]:
    """Arguments of a component as its head declares them; True where one must be given."""
    head = HEAD.match((TEMPLATES / "components" / f"{name}.html").read_text())
    assert head, f"{name} has no head"
    named = [argument for line in ARGUMENTS.findall(head[1]) for argument in line.split(", ")]
    return {argument.rstrip("?"): not argument.endswith("?") for argument in named}


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_component_declares_its_arguments(path: Path) -> None:
    body = HEAD.sub("", path.read_text())
    assert declared(path.stem)
    assert [name for name in declared(path.stem) if not re.search(rf"\b{name}\b", body)] == []


def templates_and_texts() -> list[tuple[str, str]]:
    return [
        (
            str(path.relative_to(TEMPLATES)),
            re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", path.read_text(), flags=re.DOTALL),
        )
        for path in sorted(TEMPLATES.rglob("*.html"))
    ]


def wrong_uses(text: str) -> list[str]:
    """Arguments that a component does not know, or that it needs and an `only` include does not give."""
    wrong = []
    for name, given, only in INCLUDE.findall(text):
        names = set(GIVEN.findall(QUOTED.sub('""', given)))
        known = declared(name)
        wrong += [f"{name}: {extra} is unknown" for extra in sorted(names - known.keys())]
        wrong += [f"{name}: {needed} is missing" for needed in known if only and known[needed] and needed not in names]
    for name, given in BLOCK.findall(text):
        names = set(GIVEN.findall(QUOTED.sub('""', given)))
        wrong += [f"{name}: {extra} is unknown" for extra in sorted(names - declared(name).keys())]
    return wrong


@pytest.mark.parametrize(("name", "text"), templates_and_texts(), ids=[name for name, _ in templates_and_texts()])
def test_template_uses_components_as_declared(name: str, text: str) -> None:
    assert wrong_uses(text) == []


def test_wrong_use_of_a_component_is_found() -> None:
    text = '{% include "components/empty.html" with title="x=1" colour="red" only %}{% card "A" shade="b" %}'
    assert wrong_uses(text) == ["empty: colour is unknown", "empty: text is missing", "card: shade is unknown"]


def test_every_component_stands_in_the_gallery() -> None:
    drawn = {"field", "field_notes", "error_summary", "state", "countdown"}  # by tags that the gallery uses
    pages = "".join(text for name, text in templates_and_texts() if name.startswith(("gallery/", "base")))
    used = {name for name, _, _ in INCLUDE.findall(pages)} | {name for name, _ in BLOCK.findall(pages)}
    inside = {name for name, text in templates_and_texts() for name, _, _ in INCLUDE.findall(text) if name == "cell"}
    assert {path.stem for path in COMPONENTS} == used | drawn | inside


def icons_named() -> set[str]:
    """All icons that templates and code name."""
    sources = [*TEMPLATES.rglob("*.html"), *(ROOT / "portal").rglob("*.py"), *(ROOT / "audit").rglob("*.py")]
    named = {name for path in sources for found in ICON.findall(path.read_text()) for name in found if name}
    return named | {tones.look_of(word).icon for word in tones.words()} | {tones.look_of("never heard of").icon}


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    sprite = (ROOT / "portal" / "static" / "vendor" / "tabler-icons" / "sprite.svg").read_text()
    assert icons_named() - set(re.findall(r'<symbol id="([\w-]+)"', sprite)) == set()


def test_red_is_kept_for_an_open_glass() -> None:
    red = {word for word in tones.words() if tones.look_of(word).tone in ("glass", "broken")}
    assert red == {"bypass", "active", "open", "closing"}


def test_pages_carry_nothing_inline() -> None:
    inline = re.compile(r"""<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|hx-on|javascript:|["']js:""")
    assert [
        name
        for name, text in templates_and_texts()
        if not name.startswith(("emails/", "packs/")) and inline.search(text)
    ] == []
