"""What is refused goes into the log in clear, where nothing can be erased: its sentence names no person."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import errors

ROOT = Path(__file__).parents[2]
KINDS = {name for name in errors.__all__ if name != "LogUnavailable"} | {"NotListed"}
PERSONAL = {"name", "email", "label", "login", "reason", "comment"}
THINGS = {"system", "privilege"}  # their names stand in clear in many events


def refusals(code: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            yield node


def named_in(refusal: ast.Call) -> list[str]:
    """Attributes put into the sentence that may be a person's; none where the log gets a sentence of its own."""
    if not refusal.args or any(each.arg == "logged" for each in refusal.keywords):
        return []
    parts = [node for node in ast.walk(refusal.args[0]) if isinstance(node, ast.Attribute) and node.attr in PERSONAL]
    return [ast.unparse(each) for each in parts if ast.unparse(each.value).split(".")[-1] not in THINGS]


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ('WrongState(f"{owner.name} owns it.")', ["owner.name"]),
        ('NotAllowed("Say " + row.person.email)', ["row.person.email"]),
        ('RefusedByPolicy(f"No policy for {row.system.name}.", about=row.owner)', []),
        ('RefusedByPolicy(f"{line.label} is stuck.", logged="A line is stuck.")', []),
        ('print(f"{owner.name}")', []),
    ],
)
def test_names_are_found(code: str, named: list[str]) -> None:
    assert [each for refusal in refusals(code) for each in named_in(refusal)] == named


def test_no_sentence_of_a_refusal_names_a_person() -> None:
    found = {
        str(path.relative_to(ROOT)): named
        for folder in ("portal", "audit")
        for path in (ROOT / folder).rglob("*.py")
        if (named := [each for refusal in refusals(path.read_text()) for each in named_in(refusal)])
    }
    assert found == {}
