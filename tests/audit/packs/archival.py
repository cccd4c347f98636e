"""What ISO 19005-3 (PDF/A-3, level A) asks and pikepdf can see, as a list of what is wrong. No validator of the standard: it knows less."""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf

DRAWS = {"Tj", "TJ", "'", '"', "f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "EI"}
FORBIDDEN_ACTIONS = {"/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/Hide", "/SetOCGState"}


def faults(pdf: bytes) -> list[str]:
    """Everything that was found wrong, in words."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return [
            *_file(pdf, document),
            *_catalog(document),
            *_fonts(document),
            *_pages(document),
            *_files(document),
            *_tags(document),
        ]


def _file(pdf: bytes, document: Any) -> Iterator[str]:
    head = pdf.split(b"\n", 2)
    if not head[0].startswith(b"%PDF-1.") or len(head[1]) < 5 or min(head[1][1:5]) < 128:
        yield "the head is not that of a binary PDF"
    if document.is_encrypted or "/ID" not in document.trailer:
        yield "it is encrypted, or has no identifier"
    for each in document.objects:
        if isinstance(each, pikepdf.Stream) and ("/F" in each or "/LZWDecode" in str(each.get("/Filter", ""))):
            yield f"a stream lies outside, or is packed by LZW: {each.objgen}"
        if isinstance(each, pikepdf.Dictionary) and (str(each.get("/S")) in FORBIDDEN_ACTIONS or "/AA" in each):
            yield f"an action: {each.get('/S')}"


def _catalog(document: Any) -> Iterator[str]:
    root, xmp = document.Root, document.open_metadata()
    if (xmp.get("pdfaid:part"), xmp.get("pdfaid:conformance")) != ("3", "A"):
        yield "the metadata do not say PDF/A-3a"
    if not str(document.docinfo.get("/Title", "")) or str(document.docinfo.Title) != str(xmp.get("dc:title")):
        yield "the title is missing, or is another in the metadata"
    intents = [each for each in root.get("/OutputIntents", []) if each.S == "/GTS_PDFA1"]
    if (
        len(intents) != 1
        or intents[0].DestOutputProfile.N != 3
        or b"acsp" not in intents[0].DestOutputProfile.read_bytes()[:64]
    ):
        yield "there is no output intent with a profile for RGB"
    if not root.get("/MarkInfo", {}).get("/Marked") or not str(root.get("/Lang", "")):
        yield "it is not marked as tagged, or names no language"


def _fonts(document: Any) -> Iterator[str]:
    for each in document.objects:
        if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/Font":
            name = str(each.get("/BaseFont"))
            if each.Subtype == "/Type0" and "/ToUnicode" not in each:
                yield f"{name} cannot be read as text"
            described = each.get("/FontDescriptor")
            if each.Subtype != "/Type0" and (
                described is None or not {"/FontFile2", "/FontFile3"} & set(described.keys())
            ):
                yield f"{name} is not embedded"


def _pages(document: Any) -> Iterator[str]:
    for number, page in enumerate(document.pages, 1):
        if "/StructParents" not in page or page.get("/Tabs") != "/S":
            yield f"page {number} has no place among the tags"
        yield from (f"page {number}: {each} is drawn without a tag" for each in _untagged(page))
        for each in page.get("/Annots", []):
            if not int(each.get("/F", 0)) & 4 or int(each.get("/F", 0)) & 0b100011 or "/AA" in each:
                yield f"page {number}: an annotation that does not print"


def _untagged(page: Any) -> Iterator[str]:
    depth = 0
    for each in pikepdf.parse_content_stream(page):
        operator = str(each.operator)
        depth += {"BDC": 1, "BMC": 1, "EMC": -1}.get(operator, 0)
        if operator in DRAWS and depth == 0:
            yield operator


def _files(document: Any) -> Iterator[str]:
    related = {each.objgen for each in document.Root.get("/AF", [])}
    for name in document.attachments:
        each = document.attachments[name].obj
        if each.objgen not in related or str(each.get("/AFRelationship")) not in ("/Data", "/Source", "/Supplement"):
            yield f"{name} is not tied to the document"
        if not {"/F", "/UF", "/Desc", "/EF"} <= set(each.keys()) or "/" not in str(each.EF.F.get("/Subtype", "/"))[1:]:
            yield f"{name} lacks its names, its description or its type"
        if not {"/Size", "/ModDate", "/CheckSum"} <= set(each.EF.F.get("/Params", {}).keys()):
            yield f"{name} lacks its size, date or checksum"


def _tags(document: Any) -> Iterator[str]:
    root = document.Root.get("/StructTreeRoot")
    if root is None or "/ParentTree" not in root:
        yield "there are no tags"
        return
    found = [str(each.S) for each in _elements(root)]
    yield from (f"no {each} among the tags" for each in ("/Document", "/P") if each not in found)
    for each in _elements(root):
        if each.S == "/Figure" and not str(each.get("/Alt", "")):
            yield "a figure without words for those who do not see it"


def _elements(node: Any) -> Iterator[Any]:
    kids = node.get("/K", [])
    for each in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(each, pikepdf.Dictionary) and "/S" in each:
            yield each
            yield from _elements(each)
