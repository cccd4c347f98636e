"""No page shows what a row stores by its inner name."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

from portal.systems.forms import COUNTING, FORMS, SourceForm
from portal.templatetags.words import FINDINGS, counting_words, finding_kind, kind_name, setting_name, setting_value


def raised_kinds() -> set[str]:
    """Kinds in the calls that raise findings, and those of the causes."""
    found = set()
    for path in (settings.BASE_DIR / "portal").rglob("*.py"):
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [each.value for each in node.keywords if each.arg == "kind"] if name == "raise_finding" else []
            given += node.args[:1] if name == "Said" and path.name == "causes.py" else []
            found |= {str(each.value) for each in given if isinstance(each, ast.Constant)}
    return found


def test_every_kind_of_finding_has_its_words() -> None:
    assert set(FINDINGS) == raised_kinds()
    assert finding_kind("a_later kind") == "A later kind"


def test_every_kind_of_target_and_every_setting_of_a_source_has_its_words() -> None:
    assert "postgresql" not in {kind_name(kind) for kind in FORMS}
    assert [name for name in SourceForm.base_fields if "_" in setting_name(name)] == []
    assert {counting_words(each) for each, _ in COUNTING} == {words for _, words in COUNTING}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("lateness_ms", 1500, "1.5 s"),
        ("declared_logins", "app,other", "app, other"),
        ("log_dir", "/a,b", "/a,b"),
        ("x", ["a", "b"], "a, b"),
    ],
)
def test_values_of_settings(name: str, value: object, shown: str) -> None:
    assert setting_value(value, name) == shown
