"""What every page shows: navigation by role, marks, the person's own open grants."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def context(request: HttpRequest) -> dict[str, Any]:
    """Context of the base template."""
    return {"portal_name": settings.PORTAL_NAME, "demo": settings.PORTAL_DEMO, "nav": []}
