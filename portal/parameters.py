"""Figures of the catalogue of control tests that the portal itself keeps to: how often something is owed, how long something may take."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

CATALOGUE = settings.BASE_DIR / "audit" / "controls" / "catalogue"


def hours(name: str) -> timedelta:
    """A time in hours of which the shortest is the strictest."""
    return timedelta(hours=min(values(name)))


def days(name: str) -> timedelta:
    """A time in days of which the shortest is the strictest."""
    return timedelta(days=min(values(name)))


@cache
def values(name: str) -> list[Any]:
    """The catalogue's value, and those of the operator's own folders (which may only be stricter)."""
    folders = [CATALOGUE, *(Path(each) for each in settings.PORTAL_CATALOGUE_DIRS)]
    files = [folder / "parameters.yaml" for folder in folders]
    stored = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    return [each["parameters"][name]["value"] for each in stored if name in each["parameters"]]
