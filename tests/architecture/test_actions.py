"""What every action, view and model must keep, found by walking over the code."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models

import audit
import portal
from audit.events import catalogue

ROOT = Path(portal.__file__).resolve().parent.parent
CONFIGURATION = {"System", "Privilege", "PolicyVersion", "RoleAssignment", "Eligibility", "Rota"}


def modules(package: Any) -> Iterator[str]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not any(part in found.name for part in (".migrations", ".demo", ".embedded", "__main__")):
            yield found.name


def all_actions() -> list[tuple[str, Callable[..., Any]]]:
    found: dict[str, Callable[..., Any]] = {}
    for package in (portal, audit):
        for name in modules(package):
            for each in vars(importlib.import_module(name)).values():
                if inspect.isfunction(each) and hasattr(each, "declared"):
                    found[f"{each.__module__}.{each.__qualname__}"] = each
    return sorted(found.items())


ACTIONS = all_actions()


def test_there_are_actions() -> None:
    assert len(ACTIONS) > 30


@pytest.mark.parametrize(("name", "act"), ACTIONS, ids=[name for name, _ in ACTIONS])
def test_action_is_keyword_only_with_by_and_declares_known_events(name: str, act: Callable[..., Any]) -> None:
    parameters = inspect.signature(act).parameters
    assert {each.kind for each in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert next(iter(parameters)) == "by"
    told = {*act.declared, *([act.refused] if act.refused else [])}  # type: ignore[attr-defined]  # set by @action
    assert told - set(catalogue) == set()


def sources(pattern: str) -> list[Path]:
    return sorted(
        path for top in ("portal", "audit") for path in (ROOT / top).rglob(pattern) if "demo" not in path.parts
    )


def outer_files() -> list[Path]:
    views = [*sources("views.py"), *sources("views/*.py"), *sources("forms.py"), *sources("tasks.py")]
    return sorted(set(views))


@pytest.mark.parametrize("path", outer_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_views_forms_and_tasks_ask_queries_and_never_a_manager(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_base_manager")
    ]
    assert used == []


def test_configuration_is_never_written_in_bulk() -> None:
    """Bulk writes leave no row change in django-auditlog."""
    found = []
    for path in sources("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("update", "bulk_create", "bulk_update")
            ):
                text = ast.unparse(node.func)
                if any(f"{model}.objects" in text for model in CONFIGURATION):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def pairs() -> list[tuple[type[models.Model], str, str]]:
    found = []
    for model in apps.get_app_config("portal").get_models():
        names = {field.name for field in model._meta.get_fields()}
        found += [
            (model, f"{stem}_at", f"{stem}_by")
            for name in names
            if name.endswith("_at") and f"{(stem := name[:-3])}_by" in names
        ]
    return sorted(found, key=lambda pair: (pair[0].__name__, pair[1]))


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: f"{pair[0].__name__}.{pair[1]}")
def test_who_and_when_are_tied_by_a_constraint(pair: tuple[type[models.Model], str, str]) -> None:
    model, when, who = pair
    if not model._meta.get_field(when).null:
        assert not model._meta.get_field(who).null
        return
    conditions = [str(each.condition) for each in model._meta.constraints if isinstance(each, models.CheckConstraint)]
    assert any(when in text and who in text for text in conditions)
