"""Every parser has a target that reaches it, or a reason; one that is new has neither, and fails here."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.parsers import PARSERS
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"
ASIDE = {"migrations", "demo", "embedded"}
"""What reads nothing of others: its own state, and what only a demo has."""
READING = {
    "loads", "safe_load", "reader", "b64decode", "urlsafe_b64decode", "from_base64", "base64url_to_bytes",
    "decode_timestamp_response", "load_pem_x509_certificates",
}  # fmt: skip


def _functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for room in ("audit", "portal"):
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if ASIDE.isdisjoint(parts):
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.FunctionDef):
                        yield f"{'.'.join(parts)}.{node.name}", node


def _reads(function: ast.FunctionDef) -> bool:
    """By its name, or because it calls what reads a format."""
    named = f"{function.name.lstrip('_')}_".startswith(("parse_", "parsed_"))
    return named or any(_calls_a_reader(node.func) for node in ast.walk(function) if isinstance(node, ast.Call))


def _calls_a_reader(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute):
        of_lines = isinstance(called.value, ast.Name) and called.value.id == "_decoder"
        return called.attr in READING or of_lines
    return isinstance(called, ast.Name) and called.id in READING


def test_every_parser_has_a_row_and_every_row_a_function() -> None:
    functions = list(_functions())
    assert sorted({name for name, node in functions if _reads(node)} - PARSERS.keys()) == []
    assert sorted(PARSERS.keys() - {name for name, _ in functions}) == []


def test_every_row_names_a_target_or_a_reason() -> None:
    assert {name: said for name, said in PARSERS.items() if said not in TARGETS and " " not in said} == {}


def test_kept_cases_of_a_target_reach_each_parser_of_its_rows() -> None:
    reached: dict[str, set[str]] = defaultdict(set)

    def called(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            reached[target].add(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}")

    before = sys.getprofile()
    for target in sorted({said for said in PARSERS.values() if said in TARGETS}):
        sys.setprofile(called)
        try:
            for case in sorted((CASES / target).iterdir()):
                TARGETS[target](case.read_bytes())
        finally:
            sys.setprofile(before)
    missed = [name for name, said in PARSERS.items() if said in TARGETS and name not in reached[said]]
    assert missed == []
