"""The drawing process: the same bytes for the same input, packaged assets only, and never more than its limits."""

import hashlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
import weasyprint
from weasyprint import CSS, HTML

from audit.packs.drawing import asset, basic_style
from audit.packs.inert import visible
from audit.packs.render import ASSETS, Attachment, Limits, Metadata, RenderFailed, render_pdf
from tests.audit.packs.archival import faults

LINE = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.MULTILINE)
ABOUT = Metadata("A title", "An author", "A subject", 1_790_000_000_000, "ab" * 32)
PAGE = '<html lang="en"><head><title>t</title><link rel="stylesheet" href="asset:pack.css"></head><body><h1>Head</h1>{}</body></html>'
FILES = [
    Attachment("rows.jsonl", b"{}\n", "application/jsonl", "rows"),
    Attachment("facts.sqlite", b"\x00\x01", "application/vnd.sqlite3", "facts"),
]


def test_same_input_gives_the_same_bytes() -> None:
    first, second = (render_pdf(PAGE.format("<p>text</p>"), FILES, ABOUT) for _ in range(2))
    assert first == second


def test_other_text_gives_other_bytes() -> None:
    assert render_pdf(PAGE.format("a"), [], ABOUT) != render_pdf(PAGE.format("b"), [], ABOUT)


def test_pdf_is_tagged_archival_and_names_each_file_once() -> None:
    with pikepdf.open(io.BytesIO(render_pdf(PAGE.format(""), FILES, ABOUT))) as document:
        xmp = document.open_metadata()
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        assert document.Root.MarkInfo.Marked
        assert document.Root.StructTreeRoot is not None
        assert [str(each.UF) for each in document.Root.AF] == ["rows.jsonl", "facts.sqlite"]
        assert [str(each.EF.F.Subtype) for each in document.Root.AF] == [
            "/application/jsonl",
            "/application/vnd.sqlite3",
        ]
        assert str(xmp["dc:title"]) == "A title"


WHOLE = """<p>Words, <a href="#t">a link</a>, <a href="https://example.org/">another</a></p><ul><li>an item</li></ul>
<table id="t"><caption>A table</caption><thead><tr><th scope="col">Head</th></tr></thead><tbody><tr><td>Cell</td></tr></tbody></table>
<svg width="20" height="20" role="img"><title>A square</title><rect width="9" height="9"/></svg>"""


def test_pdf_is_what_the_archival_standard_asks() -> None:
    assert faults(render_pdf(PAGE.format(WHOLE), FILES, ABOUT)) == []


def test_what_the_archival_standard_forbids_would_be_found() -> None:
    """The control of the test above."""
    nameless = WHOLE.replace("<title>A square</title>", "")
    assert faults(render_pdf(PAGE.format(nameless), FILES, ABOUT)) == [
        "a figure without words for those who do not see it"
    ]
    plain = HTML(string=WHOLE).write_pdf()
    assert {"the metadata do not say PDF/A-3a", "there are no tags", "page 1: TJ is drawn without a tag"} <= set(
        faults(plain)
    )


def test_fonts_are_packaged_ones_and_embedded() -> None:
    page = PAGE.format('<p style="font-family: Liberation Serif, serif">Text Кириллица</p><p class="mono">SELECT</p>')
    with pikepdf.open(io.BytesIO(render_pdf(page, [], ABOUT))) as document:
        fonts = {str(font.BaseFont).split("+")[1] for page in document.pages for font in page.Resources.Font.values()}
        assert fonts <= {
            "IBM-Plex-Sans",
            "IBM-Plex-Sans-Bold",
            "IBM-Plex-Sans-Semi-Bold",
            "IBM-Plex-Mono",
            "DejaVu-Sans",
        }


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "asset:../render.py",
        "asset:/etc/passwd",
        "asset:fonts",
        "data:,x",
        "asset:",
    ],
)
def test_nothing_is_fetched_but_assets(address: str) -> None:
    with pytest.raises(ValueError, match="packaged assets alone"):
        asset(address)


def test_addresses_in_a_page_reach_nothing() -> None:
    """The control: an asset would be drawn."""
    plain = render_pdf(PAGE.format(""), [], ABOUT)
    assert len(render_pdf(PAGE.format('<link rel="stylesheet" href="file:///etc/passwd">'), [], ABOUT)) == len(plain)


def _pseudo_styles(style: str) -> list[str]:
    (cell,) = HTML(string="<table><tr><td>a</td></tr></table>").wrapper_element.query_all("td")
    return [str(pseudo) for _, _, pseudo, _ in CSS(string=style).matcher.match(cell) if pseudo]


def test_cells_of_tables_take_no_styles_for_footnotes() -> None:
    """They would take more memory than all else. The control: WeasyPrint's own style gives each cell some."""
    own = (Path(weasyprint.__file__).parent / "css" / "html5_ua.css").read_text(encoding="utf-8")
    assert len(_pseudo_styles(own)) > 1
    assert _pseudo_styles(basic_style()) == []


def test_runaway_in_time_is_stopped() -> None:
    endless = "<p>" + "word " * 400_000 + "</p>"
    with pytest.raises(RenderFailed) as failed:
        render_pdf(PAGE.format(endless), [], ABOUT, limits=Limits(seconds=2))
    assert failed.value.code == "too_long"


def test_runaway_in_memory_is_stopped() -> None:
    heavy = "<table>" + "<tr><td>a<td>b<td>c</tr>" * 200_000 + "</table>"
    with pytest.raises(RenderFailed) as failed:
        render_pdf(PAGE.format(heavy), [], ABOUT, limits=Limits(seconds=300, memory_mb=300))
    assert failed.value.code == "too_large"


def test_missing_pango_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the library's loader says what it says where Pango is missing."""
    program = (
        "import sys, pathlib, types; from audit.packs import drawing\n"
        "def absent(*_): raise OSError(\"cannot load library 'libpango-1.0-0'\")\n"
        "drawing._draw = absent\n"
        "sys.exit(drawing.main(sys.argv[1], pathlib.Path(sys.argv[2])))"
    )
    real = subprocess.run

    def without(command: list[str], **options: object) -> object:
        return real([sys.executable, "-c", program, *command[-2:]], **options)  # type: ignore[call-overload]  # as given

    monkeypatch.setattr("audit.packs.render.subprocess.run", without)
    with pytest.raises(RenderFailed, match="apt-get install libpango") as failed:
        render_pdf(PAGE.format(""), [], ABOUT)
    assert failed.value.code == "no_pango"


def test_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SECRET_KEY", "never to be passed on")
    seen: dict[str, str] = {}
    real = subprocess.run

    def watch(command: list[str], **options: object) -> object:
        seen.update(options["env"])  # type: ignore[call-overload]  # a mapping
        return real(command, **options)  # type: ignore[call-overload]  # as given

    monkeypatch.setattr("audit.packs.render.subprocess.run", watch)
    render_pdf(PAGE.format(""), [], ABOUT)
    assert "PATH" in seen
    assert [name for name in seen if name.startswith(("PORTAL", "DATABASE"))] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain Ünïcödé Кириллица", "plain Ünïcödé Кириллица"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\x00b\x1b", "a⟨U+0000⟩b⟨U+001B⟩"),
        ("lone \ud800", "lone ⟨U+D800⟩"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("\U0001f9e0 中", "⟨U+1F9E0⟩ ⟨U+4E2D⟩"),
        ("line\nand\ttab", "line\nand\ttab"),
    ],
)
def test_what_cannot_be_drawn_is_shown_as_its_number(given: str, expected: str) -> None:
    assert visible(given) == expected


def test_fonts_of_others_are_the_ones_that_are_written_down() -> None:
    written = {name: digest for digest, name in LINE.findall((ASSETS / "VENDOR").read_text())}
    found = {
        f"fonts/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in (ASSETS / "fonts").iterdir()
    }
    assert found == written
