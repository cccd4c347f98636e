"""Pages for paper: templates of ``templates/packs/``, filled, with every character either drawable or shown as its number."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.template import Context, Engine

from audit.packs.inert import visible


@cache
def _engine() -> Engine:
    """Apart from the web's: no request, no context of pages, and filters of its own. Everything is escaped."""
    folders = [str(folder) for folder in settings.TEMPLATES[0]["DIRS"]]
    return Engine(
        dirs=folders, libraries={"paper": "audit.packs.filters"},
        builtins=["django.template.defaulttags", "django.template.defaultfilters", "audit.packs.filters"],
    )  # fmt: skip


def filled(template: str, context: Mapping[str, Any]) -> str:
    """One document as HTML. What it holds of others' texts is escaped, and inert in print."""
    common = {"portal_name": settings.PORTAL_NAME, "demo": settings.PORTAL_DEMO}
    page = _engine().get_template(f"packs/{template}").render(Context({**common, **context}))
    return visible(page)
